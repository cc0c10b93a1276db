"""Dumps that bring too little, or that would act elsewhere: no database is replaced by them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpDamaged, DumpUnproven, GateRefused, RestoreFailed, SettingsError
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.operations.starting.init import initialise
from ppr_assets.operations.starting.roads import InitTerms
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.snapshot.records import count_records
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MadeDump, MakeTarget, Target

NAME = "pantry_pirate_radio_2026-11-25_02-00-00.sql"
FOR_SERVICE = Guard(for_service=True)
AGREED = Guard(for_service=True, override=Override("the county left", "command line"))

HOLLOW = {
    "no rows": ["--schema-only"],
    "tables only": ["--section=pre-data"],
    "one table": ["--table=public.language", "--section=pre-data", "--section=data"],
    "no organizations": ["--exclude-table-data=public.organization", "--section=pre-data"],
}


def written(database: DatabaseSettings, path: Path, *options: str) -> FoundDump:
    """What pg_dump itself writes, without a manifest."""
    dumping = replace(database, user="postgres")
    tool = find_tool("pg_dump", 18)
    done = subprocess.run(
        [tool.path, "--no-owner", "--no-privileges", *options],
        env=child_environment(client_environment(dumping)),
        check=True,
        capture_output=True,
    )
    path.write_bytes(done.stdout)
    return FoundDump(path.name, path, None, None, path.parent)


def edited(found: FoundDump, edit: Callable[[bytes], bytes]) -> FoundDump:
    before = found.path.read_bytes()
    found.path.write_bytes(edit(before))
    assert found.path.read_bytes() != before
    return found


WAY_OUT = (
    "nothing was replaced. Is it the right dump (`ppr-assets list`), and whole? `ppr-assets "
    "restore --into NAME` looks at it in a database of its own. To take it all the same: "
    '--override "why".'
)


def aside(target: Target, found: FoundDump, guard: Guard = FOR_SERVICE) -> RestoreOutcome:
    return restore(target.settings, found, Terms(guard=guard), deadline=Deadline(60))


def in_place(target: Target, found: FoundDump, guard: Guard = FOR_SERVICE) -> RestoreOutcome:
    return restore_in_place(target.settings, found, Terms(guard=guard), deadline=Deadline(60))


def test_a_dump_without_the_records_does_not_take_the_place_of_those_that_serve(
    target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    for kind, options in HOLLOW.items():
        found = written(target.settings, tmp_path / NAME, *options)
        with pytest.raises(GateRefused) as refused:
            aside(target, found)
        said = refused.value.message
        assert said.startswith("the restore would take records away: "), (kind, said)
        assert "organization" in said, (kind, said)
        assert refused.value.hint == WAY_OUT
        assert target.beside() == [], kind
    assert target.content() == old_dump.content


def test_neither_does_another_database_s_dump_nor_an_empty_one_s(
    target: Target, make_target: MakeTarget, old_dump: MadeDump, tmp_path: Path
) -> None:
    other = make_target(seed=None)
    other.execute(f"CREATE DATABASE {other.settings.dbname}")
    for statement in ("SELECT", "CREATE TABLE public.note AS SELECT 1 AS x"):
        other.execute(statement, other.settings.dbname)
        found = written(other.settings, tmp_path / NAME)
        with pytest.raises(GateRefused, match=r": table organization would be gone, it has 60 "):
            aside(target, found)
    assert (target.content(), target.beside()) == (old_dump.content, [])


def test_in_place_a_dump_of_something_else_does_not_come_beside_what_serves(
    owned: Target, make_target: MakeTarget, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    other = make_target(seed=None)
    other.execute(f"CREATE DATABASE {other.settings.dbname}")
    empty = written(other.settings, tmp_path / "empty.sql")
    other.execute("CREATE TABLE public.note AS SELECT 1 AS x", other.settings.dbname)
    found = written(other.settings, tmp_path / NAME)
    for foreign in (empty, found):
        with pytest.raises(GateRefused, match=r"makes no table organization, location, service, "):
            in_place(owned, foreign)
    assert owned.content() == old_dump.content
    remarks = in_place(owned, found, AGREED).remarks
    assert any("(the county left): the dump m" in said for said in remarks)

    name = other.settings.dbname
    for what in (f"DATABASE {name}", "TABLE public.note"):
        other.execute(f"ALTER {what} OWNER TO {other.settings.user}", name)
    with pytest.raises(GateRefused) as strange:
        in_place(other, new_dump.found(tmp_path))
    assert strange.value.render() == (
        "the dump is not one of this database: the dump makes no table note, where records serve\n"
        f"HINT: {WAY_OUT}"
    )
    other.execute("DELETE FROM public.note", name)
    assert in_place(other, new_dump.found(tmp_path)).tables == new_dump.manifest.tables


def test_a_dump_of_rows_alone_is_none_of_a_database(
    target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    with pytest.raises(DumpDamaged, match="holds rows alone and makes no table"):
        aside(target, written(target.settings, tmp_path / NAME, "--data-only"))
    assert (target.content(), target.beside()) == (old_dump.content, [])


def test_an_override_is_recorded_and_keeps_what_was_replaced(
    target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    found = written(target.settings, tmp_path / NAME, "--schema-only")
    with pytest.raises(SettingsError, match="do not go together"):
        restore(target.settings, found, Terms(drop_old=True, guard=AGREED), deadline=Deadline(60))
    target.execute(f"COMMENT ON DATABASE {target.settings.dbname} IS 'food'")
    outcome = aside(target, found, AGREED)
    assert outcome.override == AGREED.override
    assert rows_in_words(outcome.tables, outcome.uncompared) == (
        "no rows came back, so none were compared"
    )
    assert outcome.former is not None
    assert target.content(outcome.former) == old_dump.content
    assert any(said.startswith("overridden (the county left): org") for said in outcome.remarks)
    assert any(said.startswith("not compared: the dump brings no ") for said in outcome.remarks)
    comment = target.comment(outcome.former)
    assert comment.startswith("food\n2026-") and comment.endswith("line): the county left")


def test_in_place_a_table_that_loses_all_its_rows_is_enough_to_refuse(
    owned: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    clean = ("--clean", "--if-exists")
    hollow = written(owned.settings, tmp_path / NAME, "--schema-only", *clean)
    with pytest.raises(GateRefused, match=r": organization would have 0 records, at least 1 "):
        in_place(owned, hollow)
    without = written(
        owned.settings, tmp_path / NAME, "--exclude-table-data=public.language", *clean
    )
    with pytest.raises(GateRefused, match=r"^the restore would take records away: language would"):
        in_place(owned, without)
    assert owned.content() == old_dump.content
    outcome = in_place(owned, without, AGREED)
    assert "not compared: the dump brings no rows of language" in outcome.remarks


def test_what_nobody_may_count_is_said_and_refused_only_where_nothing_would_be_kept(
    target: Target, owned: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    for one in (target, owned):
        role, name = one.settings.user, one.settings.dbname
        one.execute(f"REVOKE SELECT ON organization FROM {role}", name)
    found = new_dump.found(tmp_path)
    unknown = "table organization cannot be read: permission denied for table organization"
    with pytest.raises(GateRefused) as refused:
        restore(target.settings, found, Terms(drop_old=True), deadline=Deadline(60))
    assert refused.value.render() == (
        "nobody knows what would be lost: the records that serve cannot be counted: "
        f"{unknown}\nHINT: nothing was replaced. A restore that keeps the former database needs no "
        'count (without --in-place, --drop-old); to take it all the same: --override "why".'
    )
    with pytest.raises(GateRefused, match=f"cannot be counted: {unknown}$"):
        in_place(owned, found)
    assert f"records of what serves were not counted: {unknown}" in aside(target, found).remarks
    assert in_place(owned, found, AGREED).tables == new_dump.manifest.tables


@pytest.mark.parametrize(
    "options",
    [
        "--inserts",
        "--column-inserts",
        "--rows-per-insert=7",
        "--inserts --on-conflict-do-nothing",
    ],
)
def test_rows_that_came_by_insert_are_counted_and_not_called_compared(
    options: str, target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    outcome = aside(target, written(target.settings, tmp_path / NAME, *options.split()))
    assert target.content() == old_dump.content
    assert outcome.tables == {}
    assert outcome.uncompared == dict(old_dump.manifest.rows)
    rows = sum(old_dump.manifest.rows.values())
    assert rows_in_words(outcome.tables, outcome.uncompared).startswith(f"{rows} rows in ")
    assert rows_in_words(outcome.tables, outcome.uncompared).endswith(" counted, not compared")
    assert any(
        said.startswith("not compared: values of rows that came by INSERT, only their number")
        for said in outcome.remarks
    )


def test_rows_of_an_insert_that_do_not_arrive_are_found(
    target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    found = written(target.settings, tmp_path / NAME, "--inserts")
    last = b"\n\n\n--\n-- PostgreSQL database dump complete"
    twice = b"INSERT INTO public.note VALUES (1) ON CONFLICT DO NOTHING;\n"
    made = b"\n\nCREATE TABLE public.note (x int PRIMARY KEY);\n" + twice + twice
    edited(found, lambda sql: sql.replace(last, made + last))
    with pytest.raises(DumpUnproven, match="table note has 1 rows, the dump inserts 2"):
        aside(target, found)
    assert (target.content(), target.beside()) == (old_dump.content, [])


ELSEWHERE = {
    "a role": b"CREATE ROLE intruder;",
    "behind another statement": b"SELECT 1; CREATE ROLE intruder;",
    "a setting of the server": b"ALTER SYSTEM SET work_mem = '1MB';",
    "a database": b"ALTER DATABASE postgres SET work_mem = '1MB';",
    "a program": b"COPY (SELECT 1) TO PROGRAM 'touch /tmp/intruder';",
    "a command": b"\\! touch /tmp/intruder",
    "a command behind a statement": b"SELECT 1 \\g /tmp/intruder",
    "another connection": b"\\connect postgres",
    "a query's own statements": b"SELECT 'CREATE ROLE intruder' \\gexec",
}


def test_a_statement_that_acts_elsewhere_is_not_run(
    target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    found = written(target.settings, tmp_path / NAME)
    whole = found.path.read_bytes()
    for kind, statement in ELSEWHERE.items():
        keyed = kind not in ("a command behind a statement", "a query's own statements")
        before = whole if keyed else without_key(whole)
        for at in (b"\nCREATE TABLE public.organization (", b"\nCOPY public.organization ("):
            assert at in before
            found.path.write_bytes(before.replace(at, b"\n" + statement + at))
            with pytest.raises(DumpDamaged) as refused:
                aside(target, found)
            said = refused.value.message
            assert re.search("acts outside the database|a psql command where", said), (kind, said)
            assert not Path("/tmp/intruder").exists(), kind
        assert target.beside() == [], kind
    assert target.content() == old_dump.content
    with target.administered() as session:
        assert session.execute("SELECT FROM pg_roles WHERE rolname = 'intruder'").rowcount == 0


def without_key(sql: bytes) -> bytes:
    lines = sql.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict")))


def test_neither_is_what_pg_dump_and_pg_dumpall_write_for_other_databases(
    target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    with pytest.raises(DumpDamaged, match=r"a psql command where none belongs|acts outside the"):
        aside(target, written(target.settings, tmp_path / NAME, "--create"))
    found = written(target.settings, tmp_path / NAME)
    edited(found, lambda sql: sql.replace(b"database dump\n", b"database cluster dump\n", 1))
    with pytest.raises(DumpDamaged, match="was made by pg_dumpall"):
        aside(target, found)
    assert (target.content(), target.beside()) == (old_dump.content, [])


def test_a_transaction_of_the_dump_s_own_is_not_run_in_place(
    owned: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    found = written(owned.settings, tmp_path / NAME, "--clean", "--if-exists")
    at = b"CREATE TABLE public.organization ("
    edited(found, lambda sql: sql.replace(at, b"COMMIT;\n" + at))
    with pytest.raises(RestoreFailed, match="it has a transaction of its own: 'COMMIT;'"):
        in_place(owned, found)
    assert owned.content() == old_dump.content


def test_a_container_does_not_start_with_a_dump_without_records(
    pipeline: Pipeline, make_target: MakeTarget, tmp_path: Path
) -> None:
    hollow = written(pipeline.settings.database, tmp_path / NAME, "--schema-only")
    files: dict[str, str | None] = {f"sql_dumps/{NAME}": hollow.path.read_text()}
    commit_files(pipeline.clone, "A dump without rows", files)
    for seed, force in ((None, False), (2, True)):
        target = make_target(seed=seed)
        before = target.databases()
        settings = replace(pipeline.settings, database=target.settings)
        with pytest.raises(GateRefused, match=r"no record came back in org|take records away"):
            initialise(settings, InitTerms(force=force))
        assert target.databases() == before


def test_of_a_partitioned_table_no_partition_is_held_while_others_are_counted(
    target: Target, old_dump: MadeDump
) -> None:
    target.execute(
        "CREATE TABLE parted (n int) PARTITION BY LIST (n);"
        "CREATE TABLE one PARTITION OF parted FOR VALUES IN (1);"
        "CREATE TABLE rest PARTITION OF parted DEFAULT PARTITION BY LIST (n);"
        "CREATE TABLE two PARTITION OF rest FOR VALUES IN (2);"
        "INSERT INTO parted VALUES (1), (2), (2);"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
        target.settings.dbname,
    )
    locked = (
        "SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND mode = "
    )
    with connect(target.settings) as session:
        assert count_records(session, {"parted"}, partitioned=True) == {"parted": 3}
        rows = session.execute(locked + "'AccessShareLock' AND relation > 16384").fetchall()
    assert rows == []
