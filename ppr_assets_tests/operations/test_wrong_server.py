"""Nothing leads us to another server than the one that is named, and all of a run go to one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import pq

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseUnreachable, DumpFailed, PreconditionFailed, SettingsError
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.leftovers import cleanup
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.restoring.serving.target import look_at
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.operations.starting.init import initialise
from ppr_assets.operations.starting.roads import InitTerms
from ppr_assets.postgres import embedded
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.databases.maintenance import maintenance
from ppr_assets.postgres.databases.names import former_name
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.connection import connect, pinned
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DatabaseSettings, Secret, Settings, child_environment
from ppr_assets_tests.application import connect as as_application
from ppr_assets_tests.fix_forwarder import Forwarder
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_pipeline import TELLS_ITS_VERSION, Pipeline
from ppr_assets_tests.fix_postgres import passable_folder
from ppr_assets_tests.fix_restore import MadeDump, RestoreBy, Target, create_restorer
from ppr_assets_tests.fix_tools import FakeTool

FORWARDERS = Callable[..., Forwarder]


@pytest.fixture(scope="module")
def production_server() -> Iterator[embedded.EmbeddedServer]:
    """A second server, which nothing may reach."""
    folder = passable_folder()
    server = embedded.start(folder / "production")
    create_restorer(server)
    yield server
    server.stop()
    shutil.rmtree(folder)


class Two:
    """Staging, which is named by host and port, and production at the same port of an address that
    only variables of libpq name. Each has a database of the target's name."""

    def __init__(self, staging: Forwarder, production: Forwarder, target: Target) -> None:
        self.production = production
        self.settings = replace(target.settings, host=staging.address, port=staging.port)


@pytest.fixture
def two(
    target: Target, production_server: embedded.EmbeddedServer, forwarder: FORWARDERS
) -> Iterator[Two]:
    name, role = target.settings.dbname, target.settings.user
    production_server.create_database(name, owner=role)
    staging = forwarder(target.settings)
    of_production = production_server.database_settings(name, role)
    yield Two(staging, forwarder(of_production, address="127.0.0.2", port=staging.port), target)
    with connect(production_server.database_settings("postgres"), autocommit=True) as session:
        session.execute(f"DROP DATABASE {name}".encode())


@pytest.fixture(params=["PGHOSTADDR", "PGSERVICE"])
def led_away(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The two ways in which libpq's variables have led a restore to another server."""
    if request.param == "PGHOSTADDR":
        monkeypatch.setenv("PGHOSTADDR", "127.0.0.2")
    else:
        services = tmp_path / "services"
        services.write_text("[production]\nhostaddr=127.0.0.2\n")
        monkeypatch.setenv("PGSERVICE", "production")
        monkeypatch.setenv("PGSERVICEFILE", str(services))
    return str(request.param)


@pytest.mark.parametrize("way", ["aside", "with psql", "in place"])
def test_a_restore_replaces_the_database_of_the_server_that_is_named(
    way: str,
    two: Two,
    led_away: str,
    target: Target,
    new_dump: MadeDump,
    tmp_path: Path,
    restore_by: RestoreBy,
) -> None:
    restore_by(way, two.settings, new_dump.found(tmp_path))
    assert two.production.taken == 0
    assert target.content() == new_dump.content


def test_a_dump_a_drill_and_a_cleanup_stay_with_it_too(
    two: Two, led_away: str, target: Target, old_dump: MadeDump, tmp_path: Path
) -> None:
    dumped = dump_to(replace(two.settings, user="postgres"), tmp_path / "again.sql")
    assert dumped.sql == old_dump.sql
    drill(ProofPlace(two.settings, "server"), old_dump.found(tmp_path), deadline=Deadline(60))
    half = former_name(target.settings.dbname, old_dump.manifest.snapshot_at)
    target.execute(f'CREATE DATABASE "{half}" OWNER {target.settings.user}')
    assert [one.what for one in cleanup(two.settings)] == ["dropped"]
    assert look_at(two.settings).bytes
    assert two.production.taken == 0


def test_a_container_that_starts_fills_the_one_that_is_named(
    two: Two, led_away: str, target: Target, pipeline: Pipeline
) -> None:
    pipeline.first_night()
    filled = initialise(replace(pipeline.settings, database=two.settings), InitTerms(force=True))
    assert filled.status == "restored"
    assert two.production.taken == 0
    assert target.content() == Target(pipeline.settings.database).content()


LIBPQ = sorted(
    {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    | {"PGDATESTYLE", "PGGEQO", "PGLOCALEDIR", "PGREALM", "PGREQUIRESSL", "PGSERVICEFILE"}
    | {"PGSYSCONFDIR", "PGTZ", "PG_COLOR"}
)


def test_no_variable_of_libpq_has_a_say(
    database: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them breaks or moves a session that reads it; "1" is no sslmode, for one."""
    for name in LIBPQ:
        monkeypatch.setenv(name, "1")
    with connect(database) as session:
        info = session.info
        assert (info.host, info.port, info.user) == (database.host, database.port, database.user)
    for tool, argv in (("psql", ["-c", "SELECT 1"]), ("pg_dump", ["--schema-only"])):
        done = subprocess.run(
            [EMBEDDED_BIN / tool, *argv],
            env=child_environment(client_environment(database)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_password_file_decides_nothing(
    database: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".pgpass").write_text("*:*:*:*:hunter2\n")
    (tmp_path / ".pgpass").chmod(0o600)
    with connect(database) as session:
        assert session.info.password == ""


def test_sessions_follow_the_first_one_to_its_address(
    two: Two, target: Target, forwarder: FORWARDERS
) -> None:
    """A name that stands for several servers, of which only one has the snapshot."""
    settings = replace(two.settings, host="localhost")
    with open_snapshot(settings, exclusive=False, lock_seconds=1) as snapshot:
        followed = snapshot.settings
    assert (followed.host, followed.hostaddr) == ("localhost", "127.0.0.1")
    environment = client_environment(followed)
    assert (environment["PGHOST"], environment["PGHOSTADDR"]) == ("localhost", "127.0.0.1")
    moved = replace(
        followed, host="nowhere.invalid", password=Secret("any")
    )  # nobody is asked for the name again
    with connect(moved) as session:
        assert session.info.host == "nowhere.invalid"


def test_another_server_behind_the_same_address_is_noticed_before_anything_is_replaced(
    two: Two,
    production_server: embedded.EmbeddedServer,
    forwarder: FORWARDERS,
    target: Target,
    new_dump: MadeDump,
    tmp_path: Path,
) -> None:
    production = production_server.database_settings(target.settings.dbname, target.settings.user)
    balancer = forwarder(target.settings, production)
    settings = replace(target.settings, host=balancer.address, port=balancer.port)
    before = target.content()
    with pytest.raises((PreconditionFailed, DatabaseUnreachable)) as caught:
        restore(settings, new_dump.found(tmp_path), deadline=Deadline(60))
    assert "PPR_DIRECT_HOST" in caught.value.hint
    assert target.content() == before
    with connect(settings) as first:
        followed = pinned(settings, first)
    answers: list[str] = []
    for _ in range(2):
        try:
            connect(followed).close()
        except PreconditionFailed as error:
            answers.append(error.hint)
    assert len(answers) == 1
    assert "PPR_DIRECT_HOST" in answers[0]


def test_a_snapshot_that_pg_dump_does_not_find_is_told_as_that(
    database: DatabaseSettings, tmp_path: Path
) -> None:
    """It came to another server behind the same name, past all that is done against it."""
    tool = find_tool("pg_dump", 18)
    with pytest.raises(DumpFailed, match="does not find our snapshot on the server") as caught:
        PgDump(tool, database, stall_seconds=30).write("00000003-000000FF-1", tmp_path / "dump.sql")
    assert "PPR_DIRECT_HOST" in caught.value.hint


def test_what_a_host_does_not_tell_is_not_in_the_manifest(pipeline: Pipeline) -> None:
    for function in ("pg_control_system", "pg_postmaster_start_time"):
        pipeline.administer(f"REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC")
    dumped, published = pipeline.night()
    assert published.status == "published"
    assert dumped.manifest is not None
    assert dumped.manifest.database.system_identifier is None
    assert Manifest.from_json(dumped.manifest.to_json()) == dumped.manifest


_KEPT = """
REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint(), pg_ls_dir(text),
  pg_postmaster_start_time(), pg_terminate_backend(int, bigint) FROM PUBLIC
"""


def test_what_a_host_keeps_from_roles_stops_neither_proof_nor_restore(pipeline: Pipeline) -> None:
    """Nor that it keeps it in some databases and not in new ones."""
    own = pipeline.settings.database
    databases = [replace(own, user="postgres", dbname=name) for name in ("postgres", own.dbname)]
    pipeline.administer(f"ALTER ROLE {own.user} CREATEDB")
    pipeline.gate(proof="server")

    def everywhere(statement: str) -> None:
        for database in databases:
            with as_application(database, autocommit=True) as session:
                session.execute(statement)

    try:
        everywhere(_KEPT)
        dumped, _ = pipeline.night()
        with found_dump(pipeline.settings.data_repo, Wanted()) as found:
            restored = restore(own, found, Terms(drop_old=True), deadline=Deadline(60))
    finally:
        everywhere(_KEPT.replace("REVOKE", "GRANT").replace("FROM", "TO"))
        pipeline.administer(f"ALTER ROLE {own.user} NOCREATEDB")
    assert dumped.manifest is not None
    assert dumped.manifest.proof is not None
    assert dumped.manifest.proof.where == "server"
    assert restored.tables == dumped.manifest.tables


def test_who_may_not_see_who_waits_for_pg_dump_hears_what_to_grant(
    pipeline: Pipeline, fake_tool: FakeTool
) -> None:
    fake_tool("pg_dump", f"{TELLS_ITS_VERSION}\nsleep 20")
    pipeline.administer("REVOKE EXECUTE ON FUNCTION pg_lock_status() FROM PUBLIC")
    with pytest.raises(PreconditionFailed, match="cannot be made to give way") as error:
        pipeline.night()
    assert "permission denied for function pg_lock_status" in error.value.message
    assert "GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_get_activity(integer)" in error.value.hint


def test_a_list_of_hosts_is_for_reading(two: Two, target: Target) -> None:
    settings = replace(two.settings, host="127.0.0.1,127.0.0.2", password=Secret("any"))
    with open_snapshot(settings, exclusive=False, lock_seconds=1) as snapshot:
        assert snapshot.settings.host == "127.0.0.1"
    assert two.production.taken == 0  # nor is it asked for what the first one refuses
    with (
        pytest.raises(PreconditionFailed, match="POSTGRES_HOST names several servers"),
        maintenance(settings),
    ):
        pass


def test_a_direct_host_must_be_the_server_that_is_named(
    two: Two, target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    direct = replace(two.settings, named=("127.0.0.2", two.settings.port))
    before = target.content()
    with pytest.raises(PreconditionFailed, match="PPR_DIRECT_HOST leads to another server"):
        restore(direct, new_dump.found(tmp_path), deadline=Deadline(60))
    assert target.content() == before
    nobody = replace(direct, port=1)
    with pytest.raises(DatabaseUnreachable) as unreachable:
        connect(nobody)
    assert "are PPR_DIRECT_HOST and _PORT, and POSTGRES_USER," in unreachable.value.hint
    same = replace(two.settings, named=(target.settings.host, target.settings.port))
    assert restore(same, new_dump.found(tmp_path), deadline=Deadline(60)).former


@pytest.mark.parametrize(
    ("variables", "where", "named"),
    [
        ({}, ("pooler", 6432), None),
        ({"PPR_DIRECT_HOST": "server"}, ("server", 5432), ("pooler", 6432)),
        ({"PPR_DIRECT_PORT": "5433"}, ("pooler", 5433), ("pooler", 6432)),
        (
            {"PPR_DIRECT_HOST": "server", "PPR_DIRECT_PORT": "5433"},
            ("server", 5433),
            ("pooler", 6432),
        ),
        ({"PPR_DIRECT_HOST": "pooler", "PPR_DIRECT_PORT": "6432"}, ("pooler", 6432), None),
    ],
)
def test_where_the_server_itself_is(
    variables: dict[str, str], where: tuple[str, int], named: tuple[str, int] | None
) -> None:
    given = {"POSTGRES_HOST": "pooler", "POSTGRES_PORT": "6432", **variables}
    database = Settings.from_environment(given, dotenv=None).database
    assert ((database.host, database.port), database.named) == (where, named)


def test_certificates_are_given_by_name_and_to_pg_dump_and_psql_as_well(tmp_path: Path) -> None:
    given = {
        "POSTGRES_PASSWORD": "x",
        "POSTGRES_SSLMODE": "verify-full",
        "POSTGRES_SSLROOTCERT": str(tmp_path / "root.crt"),
        "POSTGRES_SSLCERT": str(tmp_path / "own.crt"),
        "POSTGRES_SSLKEY": str(tmp_path / "own.key"),
    }
    environment = client_environment(Settings.from_environment(given, dotenv=None).database)
    assert environment["PGSSLROOTCERT"] == str(tmp_path / "root.crt")
    assert environment["PGSSLCERT"] == str(tmp_path / "own.crt")
    assert environment["PGSSLKEY"] == str(tmp_path / "own.key")
    trusted = Settings.from_environment(given | {"POSTGRES_SSLROOTCERT": "system"}, dotenv=None)
    assert client_environment(trusted.database)["PGSSLROOTCERT"] == "system"
    with pytest.raises(SettingsError, match="PPR_DIRECT_PORT is `x`"):
        Settings.from_environment(given | {"PPR_DIRECT_PORT": "x"}, dotenv=None)
