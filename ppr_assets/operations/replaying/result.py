"""What a replay has made: would a dump of it be published, and what follows from its rows."""

from __future__ import annotations

from collections.abc import Sequence

from ppr_assets.postgres.load.work.statistics import analyze, refresh
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.snapshot.records import count_records
from ppr_assets.rules.gate.ratchet import Verdict, judge
from ppr_assets.rules.policy import CORE_TABLES, GatePolicy
from ppr_assets.settings import DatabaseSettings


def judged_result(database: DatabaseSettings, policy: GatePolicy) -> Verdict:
    """Judge the records of ``database`` against the floor, without a mark. Nothing is refused here;
    who asked decides what follows."""
    tables = None if policy.tables is None else {*CORE_TABLES, *policy.tables}
    with connect(database) as connection:
        counts = count_records(connection, tables, partitioned=tables is not None)
    return judge(counts, None, policy)


def not_publishable(verdict: Verdict) -> Sequence[str]:
    """That a night would refuse what came, before it does."""
    if verdict.status == "accepted":
        return []
    return [f"a dump of it would not be published: {verdict.message}"]


def brought_up_to_date(target: DatabaseSettings) -> Sequence[str]:
    """What follows from the rows: materialized views and statistics. Returns remarks."""
    with (
        server_failures(target.describe(), "bringing views and statistics up to date"),
        connect(target, autocommit=True) as connection,
    ):
        stale = refresh(connection)
        analyze(connection)
    return stale
