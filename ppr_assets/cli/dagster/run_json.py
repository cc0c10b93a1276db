"""A night for programs: what each step has come to; null for a step that was not reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from ppr_assets.cli.shared.json_document import error_json

if TYPE_CHECKING:
    from ppr_assets.operations.copying.outcome import PlaceOutcome
    from ppr_assets.operations.dumping.dump import DumpOutcome
    from ppr_assets.operations.night import Night
    from ppr_assets.operations.publishing.publish import PublishOutcome
    from ppr_assets.rules.gate.ratchet import Verdict


def night_json(night: Night) -> dict[str, Any]:
    return {
        "run": night.run_id,
        "counted": _counted(night.counted) if night.counted else None,
        "dumped": _dumped(night.dumped) if night.dumped else None,
        "published": _published(night.published) if night.published else None,
        "copied": [_copied(place) for place in night.copied.places] if night.copied else [],
        "error": error_json(night.failure),
    }


def _counted(verdict: Verdict) -> dict[str, Any]:
    return {
        "gate": verdict.status,
        "counts": dict(verdict.counts),
        "headroom": dict(verdict.headroom),
        "override": verdict.override.reason if verdict.override else None,
    }


def _dumped(outcome: DumpOutcome) -> dict[str, Any]:
    manifest = outcome.manifest
    return {
        "status": outcome.status,
        "dump": manifest.dump if manifest else None,
        "sha256": manifest.sha256 if manifest else None,
        "bytes": manifest.bytes if manifest else None,
        "proof": str(manifest.proof) if manifest and manifest.proof else None,
        "seconds": round(outcome.seconds, 3),
        "withheld": [asdict(one) for one in manifest.withheld] if manifest else [],
        "unusual": list(outcome.unusual),
        "persons": [str(rise) for rise in outcome.rises],
    }


def _published(outcome: PublishOutcome) -> dict[str, Any]:
    delivery, retention = outcome.delivery, outcome.retention
    return {
        "status": outcome.status,
        "commit": outcome.commit,
        "pushed": delivery.pushed,
        "pushed_bytes": delivery.bytes,
        "retired": retention.retired if retention else [],
        "set_aside": delivery.set_aside or None,
    }


def _copied(place: PlaceOutcome) -> dict[str, Any]:
    wrong = [*place.problems, *([place.failure] if place.failure else [])]
    return {
        "place": place.place,
        "verified": place.verified,
        "copied": place.copied,
        "kept": place.kept,
        "retired": place.retired,
        "bytes": place.bytes,
        "errors": [error_json(error) for error in wrong],
        "remarks": place.remarks,
    }
