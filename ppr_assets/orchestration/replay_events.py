"""What the command line has replayed, as events of the assets, without a run.

They tell what a run of the asset tells, from the same facts, and who has started it.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ppr_assets.operations.replaying.terms import RebuildOutcome
from ppr_assets.orchestration.published_days import DAYS
from ppr_assets.orchestration.replay_facts import accounted_files, published_days, replay_facts
from ppr_assets.orchestration.restore_events import Event, whence

REPLAYED = dg.AssetKey("replayed_database")


def events_of_replay(outcome: RebuildOutcome, *, by: str, seconds: float) -> Sequence[Event]:
    """Of each day that had files, as a run over them leaves it; and that all are accounted for."""
    accounts = outcome.replayed.accounts
    facts = replay_facts(outcome, seconds) | whence(by)
    days = sorted(day for day in accounts.by_day if DAYS.has_partition_key(day))
    made = [
        dg.AssetMaterialization(
            REPLAYED,
            partition=day,
            metadata={**facts, "day/files": dg.MetadataValue.int(accounts.by_day[day])},
        )
        for day in days
    ]
    accounted = dg.AssetCheckEvaluation(
        asset_key=REPLAYED,
        check_name="accounted_for",
        passed=accounts.accounted,
        metadata=accounted_files(accounts),
    )
    return [
        *published_days(outcome),
        *(made or [dg.AssetMaterialization(REPLAYED, metadata=facts)]),
        accounted,
    ]
