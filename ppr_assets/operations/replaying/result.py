"""The gate on what a replay has made: would a dump of it be published?"""

from __future__ import annotations

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.operations.publishing.gate import mark_at
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.snapshot.records import count_records
from ppr_assets.rules.gate.ratchet import Verdict, judge
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import CORE_TABLES, GatePolicy
from ppr_assets.settings import DatabaseSettings


def judged_result(database: DatabaseSettings, policy: GatePolicy) -> Verdict:
    """Judge the records of ``database`` against the floor, without a mark. Nothing is refused here;
    who asked decides what follows."""
    tables = None if policy.tables is None else {*CORE_TABLES, *policy.tables}
    with connect(database) as connection:
        counts = count_records(connection, tables, partitioned=tables is not None)
    return judge(counts, None, policy)


def published_mark(repo: DataRepo) -> Mark | None:
    """The mark that the next night is held to. Raises what reading it raises."""
    return mark_at(repo, judged_tip(repo))
