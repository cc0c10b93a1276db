"""What a replay records: its files, its rows, its days.

What the command line has replayed is told by events of the assets, without a run: the same facts,
and who has started it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from ppr_assets.operations.replaying.gathered import OUTCOMES, Accounts
from ppr_assets.operations.replaying.terms import RebuildOutcome
from ppr_assets.orchestration.metadata import Metadata, row_counts, table
from ppr_assets.orchestration.published_days import DAYS, PUBLISHED_DAY
from ppr_assets.orchestration.restore_facts import Event, whence

REPLAYED = dg.AssetKey("replayed_database")


def published_days(outcome: RebuildOutcome) -> Iterator[dg.AssetMaterialization]:
    """What was read of each day, as an event of the external asset."""
    accounts, origin = outcome.replayed.accounts, outcome.replayed.origin
    days: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind, count in accounts.counted.items():
        days[kind.day][kind.outcome] += count
    for day in sorted(days):
        if DAYS.has_partition_key(day):
            counts: Metadata = {one: dg.MetadataValue.int(days[day][one]) for one in OUTCOMES}
            yield dg.AssetMaterialization(
                PUBLISHED_DAY,
                partition=day,
                description=f"as a replay has read it of {origin}",
                metadata={"files": dg.MetadataValue.int(days[day].total()), **counts},
            )


def accounted_files(accounts: Accounts) -> Metadata:
    """How many files came to what, by scraper, and for which reasons."""
    scrapers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind, count in accounts.counted.items():
        scrapers[kind.scraper][kind.outcome] += count
    rows = [[name, *(counts[one] for one in OUTCOMES)] for name, counts in sorted(scrapers.items())]
    columns: dict[str, str] = {"scraper": "string", **dict.fromkeys(OUTCOMES, "int")}
    reasons = {
        f"{became}: {reason}": count for (became, reason), count in accounts.by_reason.items()
    }
    return {
        "files": dg.MetadataValue.int(accounts.files),
        **{one: dg.MetadataValue.int(accounts.by_outcome[one]) for one in OUTCOMES},
        "scrapers": table(columns, rows),
        "reasons": _counted(reasons),
    }


def replay_facts(outcome: RebuildOutcome, seconds: float) -> Metadata:
    replayed = outcome.replayed
    organizations, locations = replayed.merged
    facts: Metadata = {
        "database": dg.MetadataValue.text(outcome.database),
        "former_database": dg.MetadataValue.text(outcome.former or "none"),
        **accounted_files(replayed.accounts),
        **row_counts(replayed.changed),
        "dagster/row_count": dg.MetadataValue.int(replayed.changed.get("organization", 0)),
        "schema": dg.MetadataValue.text(outcome.schema or "the database itself"),
        "origin": dg.MetadataValue.text(replayed.origin),
        "merged/organizations": dg.MetadataValue.int(organizations),
        "merged/locations": dg.MetadataValue.int(locations),
        "no_place": _counted(replayed.no_place),
        "unknown": _counted(replayed.accounts.without_place),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
    }
    if outcome.remarks:
        listed = "\n".join(f"- {text}" for text in outcome.remarks)
        facts["remarks"] = dg.MetadataValue.md(listed)
    return facts


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


def _counted(counts: Mapping[str, int]) -> dg.TableMetadataValue:
    return table({"name": "string", "count": "int"}, [[*one] for one in sorted(counts.items())])
