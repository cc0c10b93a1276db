"""A pooler between us and the server: what needs more than it gives is said, and goes past it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseUnreachable, DumpUnproven, PreconditionFailed
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.libpq import parameters
from ppr_assets.postgres.snapshot.giving_way import giving_way
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_pgbouncer import Pooled
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MadeDump, Target


def _as_it_is(settings: DatabaseSettings) -> psycopg.Connection[tuple[object, ...]]:
    """A session in which nothing is set."""
    return psycopg.connect(**parameters(settings), autocommit=True)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_its_sessions_is_told_and_keeps_nothing_of_ours(
    mode: str, target: Target, pooled: Pooled
) -> None:
    settings = pooled(target.settings, mode=mode)
    for _ in range(3):
        with pytest.raises(PreconditionFailed, match="gives no session of its own") as caught:
            connect(settings)
        assert "PPR_DIRECT_HOST" in caught.value.hint
    with _as_it_is(settings) as other:  # the application's
        assert other.execute("SHOW search_path").fetchone() == ('"$user", public',)
        assert other.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").rowcount == 0


def test_one_that_is_busy_with_others_is_told_as_well(target: Target, pooled: Pooled) -> None:
    settings = pooled(target.settings, mode="transaction")
    with _as_it_is(settings) as one, _as_it_is(settings) as two:
        with one.transaction(), two.transaction():
            one.execute("SELECT")
            two.execute("SELECT")
        with pytest.raises(PreconditionFailed, match="gives no session of its own"):
            connect(settings)


def test_a_session_of_a_pooler_is_given_back_as_it_was(target: Target, pooled: Pooled) -> None:
    """Also by one that does not clean up itself."""
    settings = pooled(target.settings)
    with connect(settings) as session:
        session.execute("SELECT pg_catalog.pg_advisory_lock(1)")
    for _ in range(5):
        with _as_it_is(settings) as other:
            assert other.execute("SHOW search_path").fetchone() == ('"$user", public',)
            assert other.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").rowcount == 0


def test_through_sessions_of_a_pooler_that_knows_all_databases_everything_works(
    target: Target, new_dump: MadeDump, pooled: Pooled, tmp_path: Path
) -> None:
    settings = pooled(target.settings, databases="* =")
    drill(ProofPlace(settings, "server"), new_dump.found(tmp_path), deadline=Deadline(60))
    restored = restore(
        settings, new_dump.found(tmp_path), Terms(disconnect=True), deadline=Deadline(60)
    )
    assert restored.former is not None
    assert target.content() == new_dump.content


def test_one_that_knows_the_database_alone_is_told_with_the_way_out(
    target: Target, old_dump: MadeDump, new_dump: MadeDump, pooled: Pooled, tmp_path: Path
) -> None:
    settings = pooled(target.settings)
    databases = target.databases()
    with pytest.raises(DumpUnproven, match="and knows no other database") as of_drill:
        drill(ProofPlace(settings, "server"), new_dump.found(tmp_path), deadline=Deadline(60))
    assert "PPR_DIRECT_HOST" in of_drill.value.hint
    assert "SQL_DUMP_PROOF=embedded" in of_drill.value.hint
    with pytest.raises(PreconditionFailed, match="and knows no other database") as caught:
        restore(settings, new_dump.found(tmp_path), deadline=Deadline(60))
    assert "PPR_DIRECT_HOST" in caught.value.hint
    assert target.databases() == databases

    dumped = dump_to(replace(settings, user="postgres"), tmp_path / "pooled.sql")
    assert dumped.sql == old_dump.sql
    drill(ProofPlace(settings, "embedded"), new_dump.found(tmp_path), deadline=Deadline(60))
    restore_in_place(settings, new_dump.found(tmp_path), deadline=Deadline(60))
    assert target.content() == new_dump.content


def test_past_the_pooler_everything_works(
    target: Target, new_dump: MadeDump, pooled: Pooled, tmp_path: Path
) -> None:
    pooler = pooled(target.settings, mode="transaction")
    direct = replace(target.settings, named=(pooler.host, pooler.port))
    drill(ProofPlace(direct, "server"), new_dump.found(tmp_path), deadline=Deadline(60))
    restore(direct, new_dump.found(tmp_path), Terms(disconnect=True), deadline=Deadline(60))
    assert target.content() == new_dump.content


def test_another_name_in_the_pooler_is_no_database_to_replace(
    target: Target, new_dump: MadeDump, pooled: Pooled, tmp_path: Path
) -> None:
    pooler = pooled(target.settings, databases=f"app = dbname={target.settings.dbname}")
    before = target.content()
    settings = replace(pooler, dbname="app")
    for way in (restore, restore_in_place):
        with pytest.raises(PreconditionFailed, match=f"is database {target.settings.dbname} and"):
            way(settings, new_dump.found(tmp_path), deadline=Deadline(60))
    assert target.content() == before


def test_doctor_tells_of_a_pooler_that_passes_on_no_settings(
    pipeline: Pipeline, pooled: Pooled
) -> None:
    name = pipeline.settings.database.dbname
    pipeline.administer(f"ALTER DATABASE {name} SET bytea_output TO escape")
    database = pooled(pipeline.settings.database)
    looked = preconditions(replace(pipeline.settings, database=database))
    wrong = {one.what: str(one.error) for one in looked if one.error}
    assert list(wrong) == ["pg_dump"]
    assert "bytea_output would change what pg_dump writes" in wrong["pg_dump"]


def test_doctor_tells_of_a_pooler_before_the_night(pipeline: Pipeline, pooled: Pooled) -> None:
    pipeline.gate(proof="server")
    pipeline.administer(f"ALTER ROLE {pipeline.settings.database.user} CREATEDB")
    try:
        for mode, line in (("session", "proof"), ("transaction", "database")):
            database = pooled(pipeline.settings.database, mode=mode)
            looked = preconditions(replace(pipeline.settings, database=database))
            wrong = {one.what: one.error for one in looked if one.error}
            assert list(wrong) == [line]
            assert "PPR_DIRECT_HOST" in str(wrong[line].hint)
    finally:
        pipeline.administer(f"ALTER ROLE {pipeline.settings.database.user} NOCREATEDB")


def test_one_with_too_few_sessions_is_told(target: Target, pooled: Pooled) -> None:
    few = f"{target.settings.dbname} = pool_size=1"
    settings = pooled(target.settings, databases=few, more="query_wait_timeout = 1")
    with pytest.raises(DatabaseUnreachable, match="a pooler has none free for us") as caught:
        connect(settings)
    assert "at least six" in caught.value.hint


def test_pg_dump_gives_way_behind_a_pooler_that_adds_to_its_name(
    target: Target, pooled: Pooled
) -> None:
    settings = pooled(target.settings, more="application_name_add_host = 1")
    name = "ppr_assets pg_dump 1"
    given = parameters(settings) | {"application_name": name}
    with giving_way(target.settings, name) as watch, closing(psycopg.connect(**given)) as pg_dump:
        pg_dump.execute("LOCK TABLE organization IN ACCESS SHARE MODE")
        with _as_it_is(target.settings) as migration:
            migration.execute("SET lock_timeout TO '20s'; TRUNCATE organization CASCADE")
    assert "waited for table organization" in str(watch.disturbance())


def test_a_role_s_name_may_go_on_with_whose_it_is(
    target: Target, new_dump: MadeDump, pooled: Pooled, tmp_path: Path
) -> None:
    """As Supavisor has it. Another role is none that was named."""
    role = target.settings.user
    alias = replace(target.settings, user=f"{role}.abcdefgh")
    settings = pooled(alias, databases=f"* = user={role}")
    restore(settings, new_dump.found(tmp_path), Terms(disconnect=True), deadline=Deadline(60))
    assert target.content() == new_dump.content
    other = pooled(alias, databases="* = user=postgres")
    with pytest.raises(PreconditionFailed, match="and role postgres in truth"):
        restore(other, new_dump.found(tmp_path), deadline=Deadline(60))
