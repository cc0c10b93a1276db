"""A database written to be nasty: what is easily lost, mistaken or misquoted on its way.

The SQL stands in ``nasty/`` in the order of its file names; ``only_…`` folders hold what not every
server takes, and the other folders what only some tests want. Everything belongs to an ordinary
role, so a restore needs no more rights than that.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.plain_sql.parsing.scanner import SqlScanner
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.load import load
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.snapshot.pg_dump import PgDump, WrittenDump
from ppr_assets.postgres.snapshot.preflight import require_dumpable
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.publication.policy import shipped_policy
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.lenient_policy import lenient_plan

_SQL = Path(__file__).parent / "nasty"
_FIRST_OF_THE_DROPS = (b"ALTER ", b"DROP ", b"-- *not* dropping")


@dataclass(frozen=True)
class Dumped:
    """A dump as the night writes it, and what the gate counted in the same snapshot."""

    path: Path
    written: WrittenDump
    counts: Mapping[str, int]

    @property
    def sql(self) -> bytes:
        return self.path.read_bytes()


def fill_nasty(database: DatabaseSettings) -> None:
    """Make in an empty database everything nasty that its server knows."""
    with connect(database, autocommit=True) as session:
        for path in sorted(_sql_files(session), key=lambda path: path.name):
            session.execute(path.read_bytes())


def fill_words(database: DatabaseSettings) -> None:
    """Add what PostgreSQL words anew when it reads its own dump."""
    with connect(database, autocommit=True) as session:
        session.execute((_SQL / "words" / "words.sql").read_bytes())


def fill_core(database: DatabaseSettings) -> None:
    """Make in an empty database only what a dump needs: the core tables, above the floor."""
    with connect(database, autocommit=True) as session:
        session.execute((_SQL / "10_core.sql").read_bytes())


def dump_to(database: DatabaseSettings, target: Path) -> Dumped:
    """Dump a database with the tool for its server, after the looks that a night takes first."""
    with open_snapshot(database, exclusive=True, lock_seconds=5) as snapshot:
        require_dumpable(snapshot)
        counts = snapshot.count()
        plan = lenient_plan(shipped_policy(), snapshot.relations())
        tool = find_tool("pg_dump", snapshot.server_major)
        written = PgDump(tool, database, stall_seconds=30, plan=plan).write(
            snapshot.export(), target
        )
    return Dumped(target, written, counts)


def restore_with_psql(dump: Path, database: DatabaseSettings) -> None:
    """Restore into an empty database, strictly, and without the DROPs, some of which fail there."""
    with connect(database) as session:
        psql = find_tool("psql", session.info.server_version // 10000)
    done = subprocess.run(
        [psql.path, "-X", "-q", "-v", "ON_ERROR_STOP=1"],
        input=without_drops(dump.read_bytes()),
        env=child_environment(client_environment(database)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def load_here(dump: Path, database: DatabaseSettings, *, how: str) -> None:
    """Load one of our own dumps into an empty database with our loader, and in the named way."""
    with dump.open("rb") as file:
        chunks = iter(lambda: file.read(256 * 1024), b"")
        layout = read_layout(chunks, sorted_rows=True, spill_folder=dump.parent)
    report = load(dump, layout, database, deadline=Deadline(60))
    assert report.how == how, report.reason


def without_drops(dump: bytes) -> bytes:
    """The dump without what ``--clean`` put between its settings and its first object."""
    scanner = SqlScanner()
    kept, in_drops, over = [], False, False
    for line in re.findall(rb"[^\n]*\n", dump):
        if scanner.top_level and not over:
            in_drops = in_drops or line.startswith(_FIRST_OF_THE_DROPS)
            over = in_drops and line == b"--\n"
            in_drops = in_drops and not over
        if not over:
            scanner.feed(line)
        if not in_drops:
            kept.append(line)
    return b"".join(kept)


def _sql_files(session: psycopg.Connection[tuple[object, ...]]) -> Iterator[Path]:
    yield from _SQL.glob("*.sql")
    if session.info.server_version >= 180000:
        yield from (_SQL / "only_18").glob("*.sql")
    try:
        session.execute("SELECT '<a/>'::xml")
    except psycopg.errors.FeatureNotSupported:  # built without libxml, as the embedded server is
        return
    yield from (_SQL / "only_with_xml").glob("*.sql")


def add_ambiguous(database: DatabaseSettings) -> None:
    """Add names that make pg_dump's comments lie about what stands below them."""
    with connect(database, autocommit=True) as session:
        for path in sorted((_SQL / "ambiguous").glob("*.sql")):
            session.execute(path.read_bytes())


def add_enum_hash(database: DatabaseSettings) -> None:
    """Add a table whose partitions another database would fill otherwise, which is refused."""
    with connect(database, autocommit=True) as session:
        session.execute((_SQL / "refused" / "enum_hash.sql").read_bytes())


@pytest.fixture(scope="session")
def nasty_template(databases: Databases) -> str:
    """The database that copies are made from; nobody may have a session with it meanwhile."""
    template = databases.create()
    fill_nasty(template)
    return template.dbname


@pytest.fixture
def nasty_database(databases: Databases, nasty_template: str) -> Iterator[DatabaseSettings]:
    """A fresh copy of the nasty database on the embedded server, dropped afterwards."""
    database = databases.create(nasty_template)
    yield database
    databases.drop(database)
