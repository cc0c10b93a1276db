"""A dump is never called another than itself because of words, and never itself when it is not."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpUnproven
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.databases.names import PROOF_SCRATCH, SCRATCH
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.rules.gate.difference import Accepted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import fill_core, fill_words
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import OWNER
from ppr_assets_tests.fix_restore import (
    NAMES,
    MadeDump,
    MakeTarget,
    Target,
    but_for_words,
    forge,
    make_dump,
    with_entry,
)

REWORDED = (
    r"\d+ of \d+ definitions have other words than in the dump, and are what its own statements "
    "give a second time"
)
NO_HURRY = Deadline(None)
Empty = Callable[[], DatabaseSettings]


@pytest.fixture
def core(empty_database: Empty) -> DatabaseSettings:
    """No more than a dump needs: what these tests change is beside it."""
    database = empty_database()
    fill_core(database)
    return database


@pytest.fixture
def reworded(core: DatabaseSettings, tmp_path: Path) -> MadeDump:
    """A dump of definitions that PostgreSQL words anew."""
    fill_words(core)
    return make_dump(core, tmp_path / NAMES[0])


def test_a_night_proves_definitions_that_are_worded_anew_and_another_one_is_unchanged(
    pipeline: Pipeline, core: DatabaseSettings
) -> None:
    fill_words(core)
    pipeline.settings = replace(pipeline.settings, database=replace(core, user="postgres"))
    pipeline.gate(proof="server")
    _, published = pipeline.night()
    assert published.manifest.proof is not None and published.manifest.proof.proven
    assert pipeline.night()[0].status == "unchanged"


def test_what_is_worded_anew_restores_and_leaves_no_second_database(
    reworded: MadeDump, target: Target, tmp_path: Path
) -> None:
    before = [name for name, _ in target.databases()]
    found = reworded.found(tmp_path)
    for outcome in (
        drill(ProofPlace(target.settings, "server"), found, deadline=NO_HURRY),
        restore(target.settings, found, Terms(drop_old=True), deadline=NO_HURRY),
    ):
        assert any(re.fullmatch(REWORDED, remark) for remark in outcome.remarks)
        assert outcome.tables == reworded.manifest.tables
    assert [name for name, _ in target.databases()] == before


@pytest.mark.parametrize("options", [[], ["--column-inserts"]])
def test_what_only_psql_can_load_is_held_to_what_psql_makes_of_it_again(
    options: list[str], core: DatabaseSettings, target: Target, tmp_path: Path
) -> None:
    """Without the rows, also where they are INSERTs."""
    fill_words(core)
    path = tmp_path / NAMES[0]
    written = subprocess.run(
        [EMBEDDED_BIN / "pg_dump", "--no-owner", "--no-privileges", *options],
        env=child_environment(client_environment(core)),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    path.write_bytes(with_entry(written, b"SELECT 1;\n\n"))
    found = FoundDump(path.name, path, None, None, tmp_path)
    remarks = restore(target.settings, found, Terms(drop_old=True), deadline=NO_HURRY).remarks
    assert any(remark.startswith("loaded by one psql") for remark in remarks)
    assert any(re.fullmatch(REWORDED, remark) for remark in remarks)
    assert target.beside() == []


def test_definitions_worded_by_an_older_server_are_held_to_what_this_one_makes_of_them(
    debian_database: Empty, target: Target, tmp_path: Path
) -> None:
    older = debian_database()
    fill_core(older)
    fill_words(older)
    made = make_dump(older, tmp_path / NAMES[0])
    remarks = restore(target.settings, made.found(tmp_path), deadline=NO_HURRY).remarks
    assert any(re.fullmatch(REWORDED, remark) for remark in remarks)
    again = make_dump(target.settings, tmp_path / NAMES[1])
    remarks = restore(target.settings, again.found(tmp_path), deadline=NO_HURRY).remarks
    assert not any(re.fullmatch(REWORDED, remark) for remark in remarks)


@contextmanager
def _template_changed(target: Target, change: str, back: str) -> Iterator[None]:
    """The template of every new database, as an administrator or an upgrade may leave it."""
    target.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
    try:
        target.execute(change, "template0")
        yield
    finally:
        target.execute(back, "template0")
        target.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS false")


def test_what_the_servers_template_changes_in_every_database_is_told(
    reworded: MadeDump, target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    """It acts on a second load of the dump as on the first."""
    found = reworded.found(tmp_path)
    acting = (
        "CREATE FUNCTION pg_catalog.act() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER "
        "AS $$ BEGIN ALTER TABLE public.service ALTER kind SET DEFAULT 'b'; END $$;"
        "CREATE EVENT TRIGGER acting ON ddl_command_end WHEN TAG IN ('CREATE POLICY') "
        "EXECUTE FUNCTION pg_catalog.act()"
    )
    gone = "DROP EVENT TRIGGER IF EXISTS acting; DROP FUNCTION IF EXISTS pg_catalog.act()"
    with _template_changed(target, acting, gone), pytest.raises(DumpUnproven) as refused:
        restore(target.settings, found, deadline=NO_HURRY)
    told = refused.value.message
    assert "event trigger acting is not in the dump" in told
    assert "(event trigger acting is in every new database here)" in told
    assert target.content() == old_dump.content
    assert target.beside() == []


PUBLIC = (
    "ALTER SCHEMA public OWNER TO postgres; GRANT CREATE ON SCHEMA public TO PUBLIC; "
    "COMMENT ON SCHEMA public IS 'ours'",
    f"ALTER SCHEMA public OWNER TO {OWNER}",
    "COMMENT ON SCHEMA public IS 'ours'",
    "COMMENT ON SCHEMA public IS NULL",
)
"""As databases have it that were upgraded from before PostgreSQL 15, and some hosts."""


@pytest.mark.parametrize("statement", PUBLIC)
def test_who_owns_schema_public_and_what_is_said_of_it_keeps_nothing_from_coming_back(
    statement: str, core: DatabaseSettings, make_target: MakeTarget, tmp_path: Path
) -> None:
    Target(core).execute(statement, core.dbname)
    found = make_dump(core, tmp_path / NAMES[0]).found(tmp_path)
    target = make_target(seed=None)
    for _ in ("made", "replaced"):
        outcome = restore(target.settings, found, Terms(drop_old=True), deadline=NO_HURRY)
        assert but_for_words(outcome.remarks) == []
        assert _said_of_public(target.settings) == _said_of_public(core)
    drilled = drill(ProofPlace(target.settings, "server"), found, deadline=NO_HURRY)
    assert but_for_words(drilled.remarks) == []
    restore_in_place(target.settings, found, deadline=NO_HURRY)
    restore_in_place(core, found, deadline=NO_HURRY)  # perhaps by somebody who does not own it


@pytest.mark.parametrize("statement", PUBLIC)
def test_schema_public_may_be_somebody_elses_on_the_server_that_takes_a_dump(
    statement: str, core: DatabaseSettings, make_target: MakeTarget, tmp_path: Path
) -> None:
    Target(core).execute("COMMENT ON SCHEMA public IS 'ours'", core.dbname)
    found = make_dump(core, tmp_path / NAMES[0]).found(tmp_path)
    back = (
        "ALTER SCHEMA public OWNER TO pg_database_owner; "
        "COMMENT ON SCHEMA public IS 'standard public schema'"
    )
    grant, revoke = "GRANT CREATE ON SCHEMA public TO", "REVOKE CREATE ON SCHEMA public FROM"
    before = f"{statement}; {grant} PUBLIC"
    target = make_target(seed=None)
    with _template_changed(target, before, f"{revoke} PUBLIC; {back}"):
        outcome = restore(target.settings, found, deadline=NO_HURRY)
    others = ["not set, which only an owner may: comment SCHEMA public"]
    assert but_for_words(outcome.remarks) == (others if "OWNER TO" in statement else [])


@pytest.mark.parametrize("way", ["loader", "psql", "in place"])
def test_a_dump_of_schema_public_alone_comes_back_where_there_is_one_already(
    way: str, database: DatabaseSettings, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / NAMES[0]
    written = subprocess.run(
        [EMBEDDED_BIN / "pg_dump", "-n", "public", "--clean", "--no-owner", "--no-privileges"],
        env=child_environment(client_environment(database)),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert b"\nCREATE SCHEMA public;" in written
    if way == "psql":
        written = with_entry(written, b"SELECT 1;\n\n")
    path.write_bytes(written)
    found = FoundDump(path.name, path, None, None, tmp_path)
    take = restore_in_place if way == "in place" else restore
    remarks = take(target.settings, found, deadline=NO_HURRY).remarks
    assert any("loaded by one psql" in remark for remark in remarks) == (way == "psql")
    assert target.content() == Target(database).content()


def _said_of_public(settings: DatabaseSettings) -> object:
    with connect(settings) as session:
        query = "SELECT obj_description('public'::regnamespace, 'pg_namespace')"
        return session.execute(query).fetchone()


LOST = "index public.location_organization_id_idx"
WHY = Override("it is made anew by tomorrow's migration", "command line")
AN_INDEX_LESS = b"DROP INDEX public.location_organization_id_idx;"


def _ending_with(made: MadeDump, folder: Path, statement: bytes) -> FoundDump:
    """A dump that does not give all that it says."""
    end = b"--\n-- PostgreSQL database dump complete"
    folder.mkdir()
    forged = forge(made, folder, lambda sql: sql.replace(end, statement + b"\n\n\n" + end))
    return forged.found(folder)


@pytest.mark.parametrize("take", [restore, restore_in_place])
def test_what_a_human_accepts_is_named_and_stands_in_the_databases_comment(
    take: Callable[..., RestoreOutcome], new_dump: MadeDump, target: Target, tmp_path: Path
) -> None:
    found = _ending_with(new_dump, tmp_path / "less", AN_INDEX_LESS)
    old = target.content()
    target.execute(f"COMMENT ON DATABASE {target.settings.dbname} IS 'the records'")
    with pytest.raises(DumpUnproven, match=r"index \S*location_organization_id_idx is") as refused:
        take(target.settings, found, deadline=NO_HURRY)
    assert "`--accept-differences` (in the Launchpad `accept_differences`)" in refused.value.hint
    assert "serves as before" in refused.value.hint
    assert target.content() == old

    outcome = take(target.settings, found, Terms(accept=WHY), deadline=NO_HURRY)
    (difference,) = outcome.accepted.differences
    assert difference.endswith("location_organization_id_idx is missing")
    assert outcome.accepted.decision == WHY
    note = f"{found.name}` was restored here, with differences that somebody accepted (command line"
    first, second = _comment(target).splitlines()
    assert first == "the records"
    assert note in second and second.endswith(f"{WHY.reason}): {difference}")

    whole = new_dump.found(tmp_path)
    clean = restore(target.settings, whole, Terms(accept=WHY, drop_old=True), deadline=NO_HURRY)
    assert clean.accepted == Accepted()
    assert _comment(target) == "the records"


@pytest.mark.parametrize("take", [restore, restore_in_place])
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (b"", "table record_version has other rows than the dump"),
        (b"DROP TABLE public.nothing;", "table (public.)?nothing is missing"),
    ],
)
def test_nobody_may_accept_that_rows_or_tables_are_missing(
    statement: bytes,
    told: str,
    take: Callable[..., RestoreOutcome],
    database: DatabaseSettings,
    target: Target,
    tmp_path: Path,
) -> None:
    with connect(database, autocommit=True) as session:
        session.execute("CREATE TABLE nothing ()")
    made = make_dump(database, tmp_path / NAMES[0])
    if b"nothing" in statement:  # pg_dump writes no rows of it, as of a foreign table, say
        rows = re.compile(rb"--\n-- Data for Name: nothing;.*?\\\.\n\n", re.DOTALL)
        (tmp_path / "rowless").mkdir()
        made = forge(made, tmp_path / "rowless", lambda sql: rows.sub(b"", sql))
    else:  # `+1` is a number, and comes back as `1`
        (tmp_path / "other").mkdir()
        made = forge(made, tmp_path / "other", lambda sql: sql.replace(b"\t1\t{", b"\t+1\t{", 1))
    found = _ending_with(made, tmp_path / "less", statement + b" " + AN_INDEX_LESS)
    old = target.content()
    with pytest.raises(DumpUnproven, match=f"says: .*{told}.*; index ") as refused:
        take(target.settings, found, Terms(accept=WHY), deadline=NO_HURRY)
    assert "--accept-differences" not in refused.value.hint
    assert target.content() == old


def test_a_hint_is_for_the_verb_that_failed(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    found = _ending_with(new_dump, tmp_path / "less", AN_INDEX_LESS)
    for scratch, hint in (
        (SCRATCH, "the scratch database was dropped, nothing was replaced"),
        (PROOF_SCRATCH, "nothing was published and the new dump was thrown away"),
    ):
        with pytest.raises(DumpUnproven) as failed:
            drill(ProofPlace(target.settings, "server", scratch=scratch), found, deadline=NO_HURRY)
        assert failed.value.hint.startswith(hint)
        assert "serves as before" not in failed.value.hint
        assert "--accept-differences" not in failed.value.hint


def _comment(target: Target) -> str:
    with target.administered() as session:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        row = session.execute(query, [target.settings.dbname]).fetchone()
        assert row is not None
        return str(row[0])
