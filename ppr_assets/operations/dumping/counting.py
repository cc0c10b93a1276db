"""Count every table in one snapshot and judge the gate on it, without dumping anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.refused_days import note_refusal, policy_refusals_noted
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import PushFailed
from ppr_assets.operations.publishing.gate import judge_at, override_for
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.operations.publishing.publication import plan_at
from ppr_assets.operations.restoring.serving.ordinary import require_apart
from ppr_assets.postgres.snapshot.preflight import require_dumpable
from ppr_assets.postgres.snapshot.row_count import Table
from ppr_assets.postgres.snapshot.snapshot import Snapshot, SnapshotColumn, open_snapshot
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.rules.recorded.parts import DatabaseIdentity
from ppr_assets.settings import Settings


class RecordCount(Struct, frozen=True):
    """Rows by table key, as of ``taken_at`` (the server's clock, UTC), the gate's verdict, and
    what the publication policy means for the database.

    ``columns`` are those of the tables that were counted, in the same snapshot.
    """

    counts: Mapping[str, int]
    columns: Mapping[Table, Sequence[SnapshotColumn]]
    taken_at: datetime
    database: DatabaseIdentity
    verdict: Verdict
    plan: Plan


def count_records(
    settings: Settings, repo: DataRepo, *, given: Override | None = None
) -> RecordCount:
    """Count and judge. Raises what opening the database and reading the data repository raise."""
    require_apart(settings.database, settings.dagster_postgres_url)
    with open_snapshot(
        settings.database, exclusive=False, lock_seconds=settings.dump.stall_seconds
    ) as snapshot:
        require_dumpable(snapshot)
        counts = snapshot.undisturbed(snapshot.count)
        commit = judged_tip(repo)
        override = override_for(settings.dump, given)
        verdict = judge_at(repo, commit, counts, settings.dump, override)
        with policy_refusals_noted(repo):
            plan = _planned(settings, repo, snapshot, commit)
        if not verdict.passed or plan.refusal is not None:
            note_refusal(repo, snapshot.taken_at)
        return RecordCount(
            counts=counts,
            columns=snapshot.columns(),
            taken_at=snapshot.taken_at,
            database=snapshot.identity,
            verdict=verdict,
            plan=plan,
        )


def _planned(settings: Settings, repo: DataRepo, snapshot: Snapshot, commit: str | None) -> Plan:
    """What somebody has decided since may be on the remote only."""
    relations = snapshot.relations()
    plan = snapshot.with_checks(plan_at(repo, commit, settings.dump, relations))
    if plan.refusal is not None:
        with suppress(PushFailed):
            fetch(repo)
        plan = snapshot.with_checks(plan_at(repo, commit, settings.dump, relations))
    return plan
