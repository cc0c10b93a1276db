"""What a restore has done, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ppr_assets.cli.shared.chosen_dump import made_at
from ppr_assets.cli.shared.target_lines import former_lines
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.restore import RestoreOutcome
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.settings import DatabaseSettings


def outcome_lines(target: DatabaseSettings, outcome: RestoreOutcome) -> Iterator[tuple[str, str]]:
    yield (
        "restored",
        f"{target.dbname}: {rows_in_words(outcome.tables, outcome.uncompared)}",
    )
    if outcome.former is not None:
        yield from former_lines(target.dbname, outcome.former)
    for difference in outcome.accepted.differences:
        yield "accepted", difference
    for remark in outcome.remarks:
        yield "remark", remark


def outcome_json(found: FoundDump, outcome: RestoreOutcome) -> dict[str, Any]:
    manifest, moment = outcome.manifest, made_at(found)
    return {
        "dump": outcome.dump,
        "origin": outcome.origin,
        "commit": found.commit,
        "remote_asked_at": found.asked_at.isoformat() if found.asked_at else None,
        "made_at": moment.isoformat() if moment else None,
        "proof": str(manifest.proof) if manifest and manifest.proof else None,
        "database": outcome.database,
        "former": outcome.former,
        "rows": {key: record.rows for key, record in sorted(outcome.tables.items())},
        "uncompared": dict(sorted(outcome.uncompared.items())),
        "override": outcome.override.reason if outcome.override else None,
        "accepted": {
            "differences": list(outcome.accepted.differences),
            "reason": outcome.accepted.decision.reason,
        }
        if outcome.accepted.decision
        else None,
        "seconds": dict(outcome.seconds),
        "remarks": [*found.remarks, *outcome.remarks],
    }
