"""What a container's start does to a database, and above all what it leaves alone."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ppr_assets.errors import (
    Busy,
    DatabaseUnreachable,
    DumpMissing,
    DumpUnproven,
    PreconditionFailed,
)
from ppr_assets.operations.starting.init import initialise
from ppr_assets.operations.starting.roads import InitTerms
from ppr_assets.postgres import embedded
from ppr_assets.postgres.sessions.advisory_lock import lock_number
from ppr_assets.postgres.sessions.libpq import parameters
from ppr_assets.postgres.snapshot.records import table_with_records
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.settings import DatabaseSettings, Settings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MakeTarget, Target, but_for_words


def starting(pipeline: Pipeline, target: Target, **changes: object) -> Settings:
    """The settings of a container that only reads: no clone yet, and nothing may be pushed."""
    repository = replace(
        pipeline.settings.data_repo,
        path=pipeline.clone.parent / "not cloned",
        url=pipeline.remote.as_uri(),
        push_enabled=False,
    )
    changed = {"database": target.settings, "data_repo": repository, **changes}
    return replace(pipeline.settings, **changed)  # type: ignore[arg-type]


def _of_superuser(target: Target) -> Target:
    """The sample's tables belong to another role than the database."""
    return Target(replace(target.settings, user="postgres"))


def test_a_database_that_is_missing_is_made_and_the_next_start_leaves_it_alone(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    """Of the remote's history only the latest dump is fetched, and no clone stays."""
    pipeline.first_night()
    target = make_target(seed=None)
    settings = starting(pipeline, target)

    first = initialise(settings)
    assert first.status == "restored"
    assert first.restored is not None and first.restored.dump == pipeline.latest()
    assert target.content() == Target(pipeline.settings.database).content()
    assert not settings.data_repo.path.exists()
    target.execute("DELETE FROM language", target.settings.dbname)
    changed = target.content()

    second = initialise(settings)
    assert (second.status, second.restored) == ("left alone", None)
    assert second.reason in {f"table {name} has records" for name in CORE_TABLES}
    assert target.content() == changed
    assert target.beside() == []


def test_an_empty_database_is_filled_from_the_clone_that_is_there_and_nothing_is_left_over(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    pipeline.first_night()
    target = _of_superuser(make_target())
    target.execute("TRUNCATE organization CASCADE", target.settings.dbname)
    target.execute("TRUNCATE location, service CASCADE", target.settings.dbname)
    settings = starting(pipeline, target, data_repo=pipeline.settings.data_repo)
    kept = initialise(settings)
    assert kept.status == "restored"
    former = target.beside()
    assert len(former) == 1, "rows of other tables are no records, but nothing to be thrown away"
    assert kept.remarks[-1].startswith(f"the former database is kept as {former[0]}: table ")

    bare = make_target(seed=None)
    bare.execute(f"CREATE DATABASE {bare.settings.dbname} OWNER {bare.settings.user}")
    bare.execute("CREATE TABLE organization (id int)", bare.settings.dbname)
    bare.execute(f"ALTER TABLE organization OWNER TO {bare.settings.user}", bare.settings.dbname)
    filled = initialise(starting(pipeline, bare))
    assert (filled.status, but_for_words(filled.remarks)) == ("restored", [])
    assert bare.content() == Target(pipeline.settings.database).content()
    assert bare.beside() == []


def test_by_force_a_full_database_is_replaced_and_kept(pipeline: Pipeline, target: Target) -> None:
    pipeline.first_night()
    old = target.content()
    outcome = initialise(starting(pipeline, target), InitTerms(force=True))
    assert outcome.status == "restored"
    assert outcome.remarks[-1].endswith(": --force was given")
    assert target.content() == Target(pipeline.settings.database).content()
    assert [target.content(former) for former in target.beside()] == [old]


def test_with_skip_db_init_it_only_says_what_is_not_there(
    pipeline: Pipeline, target: Target
) -> None:
    def skipped(database: DatabaseSettings) -> tuple[str, ...]:
        outcome = initialise(starting(pipeline, target, database=database, skip_db_init=True))
        assert (outcome.status, outcome.reason) == ("left alone", "SKIP_DB_INIT is true")
        return outcome.remarks

    (unknown,) = skipped(replace(target.settings, host="127.0.0.1", port=9))
    assert unknown.startswith("nobody looked whether organization, location, service are there: no")
    assert skipped(target.settings) == ()
    target.execute("DROP TABLE location CASCADE", target.settings.dbname)
    (gone,) = skipped(target.settings)
    assert gone.startswith("location is not there: unless something else makes the tables, run ")


def test_while_testing_the_real_database_is_not_touched_even_by_force(
    pipeline: Pipeline, target: Target
) -> None:
    pipeline.first_night()
    old = target.content()
    outcome = initialise(starting(pipeline, target, testing=True), InitTerms(force=True))
    assert outcome.database == f"{target.settings.dbname}_test"
    assert target.beside() == [outcome.database]
    assert target.content() == old


def test_without_a_dump_nothing_is_made_and_the_way_out_is_told(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    target = make_target(seed=None)
    with pytest.raises(DumpMissing, match=r"^there is no dump in commit ") as missing:
        initialise(starting(pipeline, target))
    assert missing.value.hint == (
        "publish one with `ppr-assets dump` where the data are, or point DATA_REPO_URL to a data "
        "repository that has dumps. To start with an empty database on purpose, set "
        "SKIP_DB_INIT=true. The published records could not take its place: there is no dump whose "
        "tables could be made."
    )
    assert target.settings.dbname not in dict(target.databases())


def test_a_role_that_may_not_make_databases_fills_an_empty_one_in_place(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    target = Target(pipeline.settings.database)
    published = target.content()
    pipeline.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    outcome = initialise(starting(pipeline, target))
    assert outcome.status == "restored"
    assert outcome.remarks[-1].startswith("in place: ")
    assert target.content() == published

    with pytest.raises(PreconditionFailed, match="may not create databases"):
        initialise(starting(pipeline, target), InitTerms(force=True))
    assert target.content() == published


def test_a_session_on_the_empty_database_is_ended_only_by_wish(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    pipeline.first_night()
    target = make_target(seed=None)
    target.execute(f"CREATE DATABASE {target.settings.dbname} OWNER {target.settings.user}")
    settings = starting(pipeline, target)
    with closing(psycopg.connect(**parameters(target.settings), autocommit=True)) as session:
        with pytest.raises(Busy, match="is in use: session "):
            initialise(settings)
        session.execute("SELECT")
        assert initialise(settings, InitTerms(disconnect=True)).status == "restored"
    assert target.beside() == []


def test_another_process_that_does_not_come_to_an_end_is_waited_for_in_vain(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    """Also for longer than the server may be silent otherwise."""
    pipeline.first_night()
    target = make_target(seed=None)
    settings = starting(pipeline, target, database=replace(target.settings, patience_seconds=0.2))
    with connect(replace(target.settings, user="postgres", dbname="postgres")) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [lock_number("init", target.settings.dbname)])
        with pytest.raises(Busy, match=r"^busy: another process fills database .* within 0\.5 s$"):
            initialise(settings, InitTerms(deadline_seconds=0.5))
    assert target.settings.dbname not in dict(target.databases())


def test_a_server_that_comes_up_late_is_waited_for(pipeline: Pipeline, server_folder: Path) -> None:
    pipeline.first_night()
    data = server_folder / "late"
    late = embedded.start(data)
    embedded.stop(data)
    target = Target(late.database_settings("pantry_pirate_radio"))
    beginning = threading.Timer(1.0, embedded.start, [data])
    beginning.start()
    try:
        outcome = initialise(starting(pipeline, target), InitTerms(wait_seconds=300))
    finally:
        beginning.join()
    assert outcome.status == "restored"
    assert target.content() == Target(pipeline.settings.database).content()


def test_a_server_that_does_not_come_up_is_given_up_in_time(
    pipeline: Pipeline, target: Target
) -> None:
    nowhere = replace(target.settings, host="127.0.0.1", port=9)
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachable, match=r"\(asked again for 1 s\)$"):
        initialise(starting(pipeline, target, database=nowhere), InitTerms(wait_seconds=1))
    assert 1 <= time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([], None),
        (["CREATE TABLE note (x int)"], None),
        (["CREATE TABLE note AS SELECT 1 AS x"], "note"),
        (["CREATE TABLE note AS SELECT 1 AS x", "CREATE TABLE location (x int)"], None),
        (["CREATE TABLE service AS SELECT 1 AS x", "CREATE TABLE location (x int)"], "service"),
        (["CREATE SCHEMA s", "CREATE TABLE s.organization AS SELECT 1 AS x"], "organization"),
        (["CREATE MATERIALIZED VIEW copied AS SELECT 1 AS x"], None),
        (
            [
                "CREATE TABLE organization (x int) PARTITION BY LIST (x)",
                "CREATE TABLE one PARTITION OF organization DEFAULT",
                "INSERT INTO organization VALUES (1)",
            ],
            "one",
        ),
    ],
)
def test_what_counts_as_records(
    make_target: MakeTarget, statements: list[str], found: str | None
) -> None:
    target = make_target(seed=None)
    name, user = target.settings.dbname, target.settings.user
    target.execute(f"CREATE DATABASE {name} OWNER {user}")
    with psycopg.connect(**parameters(target.settings), autocommit=True) as session:
        session.execute("SET search_path = public")
        for statement in statements:
            session.execute(statement.encode())
    assert table_with_records(target.settings, CORE_TABLES) == found


def test_rows_that_a_policy_hides_are_no_emptiness(make_target: MakeTarget) -> None:
    target = make_target(seed=None)
    name, user = target.settings.dbname, target.settings.user
    target.execute(f"CREATE DATABASE {name} OWNER {user}")
    target.execute("CREATE TABLE location AS SELECT 1 AS x", name)
    target.execute(f"GRANT SELECT ON location TO {user}", name)
    target.execute("ALTER TABLE location ENABLE ROW LEVEL SECURITY", name)
    with psycopg.connect(**parameters(target.settings)) as session:
        assert session.execute("SELECT FROM location").fetchall() == []
    with pytest.raises(
        PreconditionFailed, match=r"^nobody knows whether database .* holds records"
    ):
        table_with_records(target.settings, CORE_TABLES)


def test_a_container_may_start_with_what_came_back_otherwise_when_somebody_said_so(
    pipeline: Pipeline, make_target: MakeTarget, tmp_path: Path
) -> None:
    pipeline.first_night()
    name, end = pipeline.latest(), "--\n-- PostgreSQL database dump complete"
    text = (pipeline.dumps / name).read_text()
    lost = "DROP INDEX public.url_service_id_idx;"
    files = {
        f"sql_dumps/{name}": text.replace(end, f"{lost}\n\n\n{end}"),
        f"sql_dumps/{name.removesuffix('.sql')}.json": None,
    }
    commit_files(pipeline.clone, "Tidy up", files)
    git(pipeline.clone, "push", "-q", "origin", "HEAD:main")
    target = make_target(seed=None)
    settings = starting(pipeline, target)
    with pytest.raises(DumpUnproven, match="index url_service_id_idx is missing") as refused:
        initialise(settings)
    assert "--accept-differences" in refused.value.hint
    outcome = initialise(settings, InitTerms(accept=Override("migrations make it", "command line")))
    assert outcome.restored is not None
    assert outcome.restored.accepted.differences == ["index url_service_id_idx is missing"]
