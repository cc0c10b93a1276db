"""A night in a few lines, in the order in which things were done, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from ppr_assets.cli.shared.console import size
from ppr_assets.cli.shared.json_document import error_json
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.withholding import plan_lines
from ppr_assets.rules.wording import few, plural

if TYPE_CHECKING:
    from ppr_assets.operations.copying.outcome import PlaceOutcome
    from ppr_assets.operations.dumping.dump import DumpOutcome
    from ppr_assets.operations.night import Night
    from ppr_assets.operations.publishing.publish import PublishOutcome
    from ppr_assets.rules.gate.ratchet import Verdict
    from ppr_assets.rules.recorded.manifest import Manifest

_VERDICTS = {
    "accepted": "the gate accepted them",
    "refused": "the gate refused them",
    "overridden": "the gate would refuse them, and is overridden",
}


def report(night: Night, policy_file: object = PUBLICATION) -> Iterator[str]:
    """What each step has come to, and the run's id."""
    if night.counted is not None:
        yield _counted(night.counted)
    if night.plan is not None and night.plan.refusal is not None:
        yield from plan_lines(night.plan, policy_file)
    if night.dumped is not None:
        yield from _dumped(night.dumped)
    if night.published is not None and night.published.commit is not None:
        yield from _published(night.published, night.published.commit)
    for place in night.copied.places if night.copied else ():
        yield from _copied(place)
    yield f"run        {night.run_id}"


def _counted(verdict: Verdict) -> str:
    """With the human's reason, on the terminal as in the commit."""
    reason = f": {verdict.override.reason}" if verdict.override else ""
    return (
        f"counted    {verdict.counts.get('organization', 0)} organizations, "
        f"{sum(verdict.counts.values())} records; {_VERDICTS[verdict.status]}{reason}"
    )


def _dumped(outcome: DumpOutcome) -> Iterator[str]:
    if outcome.status == "unchanged" and outcome.manifest is not None:
        yield f"unchanged  since {outcome.manifest.dump}: that dump still stands, no commit is made"
        yield from _newly_withheld(outcome)
        return
    if outcome.manifest is not None:
        yield from _described(outcome, outcome.manifest)
    for unusual in outcome.unusual:
        yield f"unusual    {unusual}"
    for rise in outcome.rises:
        yield f"persons    {rise}"


def _described(outcome: DumpOutcome, manifest: Manifest) -> Iterator[str]:
    yield (
        f"dumped     {manifest.dump}, {size(manifest.bytes)}, "
        f"sha256 {manifest.sha256[:12]}…, in {outcome.seconds:.1f} s"
    )
    proven = manifest.proof is not None and manifest.proof.proven
    word = f"restored and equal ({manifest.proof})" if proven else "no: SQL_DUMP_PROOF is off"
    yield f"proven     {word}"
    if manifest.without:
        yield f"remark     {manifest.without}"
    yield from _newly_withheld(outcome)
    known = [one for one in manifest.lacking if one not in outcome.newly_withheld]
    if known:
        yield f"withheld   {few(known, 4)}"


def _newly_withheld(outcome: DumpOutcome) -> Iterator[str]:
    """Each on its line: all of it on the first night with a policy."""
    for one in outcome.newly_withheld:
        yield f"withheld   {one}"


def _published(outcome: PublishOutcome, commit: str) -> Iterator[str]:
    delivery, retention = outcome.delivery, outcome.retention
    word = "published" if outcome.status == "published" else "stands in"
    if not delivery.pushed and outcome.status == "published":
        word = "committed"
    sent = f" ({size(delivery.bytes)})" if delivery.pushed and delivery.bytes else ""
    where = "which the remote has" if delivery.pushed else "kept in the clone, not pushed"
    yield f"{word:<10} commit {commit[:10]}, {where}{sent}"
    if retention is not None and retention.retired:
        retired = plural(len(retention.retired), "dump")
        yield f"retired    {retired} into the history, {len(retention.kept)} stay"
    if delivery.set_aside:
        yield f"set aside  {delivery.set_aside}"


def _copied(place: PlaceOutcome) -> Iterator[str]:
    """A line for the place, and one for each thing that is wrong or worth a word there."""
    newest = max(place.kept, default="none")
    new = f"{len(place.copied)} new ({size(place.bytes)})" if place.copied else "nothing new"
    word = "verified" if place.verified else "NOT VERIFIED"
    yield f"copied     {place.place}: {new}, {len(place.kept)} kept, newest {newest}, {word}"
    wrong = [*place.problems, *([place.failure] if place.failure else [])]
    for text in [*(error.message for error in wrong), *place.remarks]:
        yield f"remark     {text}"


def night_json(night: Night) -> dict[str, Any]:
    """What each step has come to; null for a step that was not reached."""
    return {
        "run": night.run_id,
        "counted": _counted_json(night.counted) if night.counted else None,
        "dumped": _dumped_json(night.dumped) if night.dumped else None,
        "published": _published_json(night.published) if night.published else None,
        "copied": [_copied_json(place) for place in night.copied.places] if night.copied else [],
        "error": error_json(night.failure),
    }


def _counted_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "gate": verdict.status,
        "counts": dict(verdict.counts),
        "headroom": dict(verdict.headroom),
        "override": verdict.override.reason if verdict.override else None,
    }


def _dumped_json(outcome: DumpOutcome) -> dict[str, Any]:
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


def _published_json(outcome: PublishOutcome) -> dict[str, Any]:
    delivery, retention = outcome.delivery, outcome.retention
    return {
        "status": outcome.status,
        "commit": outcome.commit,
        "pushed": delivery.pushed,
        "pushed_bytes": delivery.bytes,
        "retired": retention.retired if retention else [],
        "set_aside": delivery.set_aside or None,
    }


def _copied_json(place: PlaceOutcome) -> dict[str, Any]:
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
