"""Databases that a restore may replace, dumps to put in their place, and what is in each."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.postgres.compare.computed import read_digests
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.computing import read_locale, read_settings
from ppr_assets.postgres.sessions.connection import connect as connect_as_we_do
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Computing, DatabaseIdentity
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import administered, connect
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_pipeline import settled
from ppr_assets_tests.fix_postgres import Databases, SampleDatabase

RESTORER = "restorer"
"""A role that may make databases, and nothing else that another one may not."""

_HAND_OVER = f"""
DO $$ DECLARE object record; BEGIN
  FOR object IN SELECT (pg_identify_object(classid, objid, 0)).* FROM pg_shdepend d
    JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = objid
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND d.deptype = 'o' AND relkind IN ('r', 'v', 'm', 'S') LOOP
    BEGIN
      EXECUTE format('ALTER %s %s OWNER TO {RESTORER}', object.type, object.identity);
    EXCEPTION WHEN feature_not_supported THEN NULL;  -- a column's own sequence
    END;
  END LOOP;
  EXECUTE (SELECT string_agg(format('ALTER ROUTINE %s OWNER TO {RESTORER};', oid::regprocedure),
    ' ') FROM pg_proc WHERE pronamespace = 'public'::regnamespace);
  EXECUTE (SELECT string_agg(format('ALTER TYPE %s OWNER TO {RESTORER};', oid::regtype),
    ' ') FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e'));
END $$
"""
"""Everything in the database belongs to the database's owner."""

NAMES = (
    "pantry_pirate_radio_2026-11-21_02-00-00.sql",
    "pantry_pirate_radio_2026-11-22_02-00-00.sql",
)

EXTENSION = b"""--
-- Name: nowhere; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS "nowhere" WITH SCHEMA public;


"""
"""As pg_dump would write an extension that nobody has."""

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE relkind IN ('r', 'm') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
ORDER BY 1
"""
_OBJECTS = """
SELECT 'index', indexdef FROM pg_indexes WHERE schemaname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'invalid', indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
UNION ALL SELECT 'constraint', conrelid::regclass || conname || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE conrelid <> 0
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'view', viewname || definition FROM pg_views
  WHERE schemaname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'sequence', (schemaname, sequencename, last_value)::text FROM pg_sequences
UNION ALL SELECT 'large object', md5(lo_get(oid)) FROM pg_largeobject_metadata
ORDER BY 1, 2
"""


_WORDING = re.compile(r"::(?:character varying|text)(?:\[\])?|[()]")


def content(connection: psycopg.Connection[Any]) -> str:
    """A hash of every table's rows, of keys, indexes and views, and of sequences' values.

    By other means than the product's own comparison. Casts and parentheses are left out of the
    definitions: PostgreSQL writes others once it has read its own words.
    """
    objects = _WORDING.sub("", str(connection.execute(_OBJECTS).fetchall()))
    digest = hashlib.sha256(objects.encode())
    for (table,) in connection.execute(_TABLES).fetchall():
        row = connection.execute(
            'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) '
            f"FROM ONLY {table} t"
        ).fetchone()
        digest.update(f"{table} {row}".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class MadeDump:
    """A dump with its manifest, and the hash of what it was made of."""

    path: Path
    manifest: Manifest
    content: str

    @property
    def sql(self) -> bytes:
        return self.path.read_bytes()

    def found(self, spill_folder: Path) -> FoundDump:
        return FoundDump(self.path.name, self.path, self.manifest, None, spill_folder)


@dataclass(frozen=True)
class Target:
    """A database, looked at by the server's superuser. ``settings`` are those of its owner."""

    settings: DatabaseSettings

    def administered(
        self, dbname: str = "postgres"
    ) -> AbstractContextManager[psycopg.Connection[Any]]:
        return administered(self.settings, dbname)

    def execute(self, statement: str, dbname: str = "postgres") -> None:
        with self.administered(dbname) as connection:
            connection.execute(statement.encode())

    def content(self, dbname: str | None = None) -> str:
        with self.administered(dbname or self.settings.dbname) as connection:
            return content(connection)

    def databases(self) -> list[tuple[str, int]]:
        """All databases of the server, by name, with their number: one that was made anew under
        the same name has another."""
        with self.administered() as connection:
            query = "SELECT datname, oid FROM pg_database ORDER BY datname"
            return connection.execute(query).fetchall()

    def comment(self, name: str) -> str:
        """Of the database of this name; empty where there is none."""
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        with self.administered() as connection:
            row = connection.execute(query, [name]).fetchone()
        return str(row[0] or "") if row else ""

    def beside(self) -> list[str]:
        """The databases whose names begin with this one's."""
        name = self.settings.dbname
        return [other for other, _ in self.databases() if other.startswith(f"{name}_")]

    def sessions(self) -> list[tuple[str, str]]:
        """Of the product, anywhere on the server: database and statement."""
        with self.administered() as connection:
            query = (
                "SELECT datname, query FROM pg_stat_activity "
                "WHERE application_name = 'ppr_assets' AND pid <> pg_backend_pid()"
            )
            return connection.execute(query).fetchall()

    def locks(self) -> int:
        """Advisory locks that restores and drills hold from beside their database."""
        with self.administered() as session:
            return session.execute(
                "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                "WHERE locktype = 'advisory' AND datname IN ('postgres', 'template1')"
            ).rowcount

    def drop_formers(self) -> None:
        with self.administered() as connection:
            for name in self.beside():
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


class MakeTarget:
    """Makes databases of :data:`RESTORER` with a sample's content: ``make_target(seed=2)``."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._numbers = count(1)
        self.made: list[Target] = []

    def __call__(self, *, seed: int | None = 2, organizations: int = 60) -> Target:
        """``seed`` None: a name of a database that is not there."""
        settings = self._databases.server.database_settings(
            f"target_{next(self._numbers)}", RESTORER
        )
        target = Target(settings)
        self.made.append(target)
        if seed is not None:
            target.execute(
                f"CREATE DATABASE {settings.dbname} TEMPLATE {self._template(organizations, seed)} "
                f"OWNER {RESTORER} STRATEGY file_copy"
            )
        return target

    def _template(self, organizations: int, seed: int) -> str:
        """The sample, handed over once for all of its copies."""
        databases, sample = self._databases, self._databases.template(organizations, seed)
        handed_over = databases.handed_over.get(sample)
        if handed_over is None:
            handed_over = databases.handed_over[sample] = databases.create(sample)
            superuser = dataclasses.replace(handed_over, user="postgres")
            with connect(superuser, autocommit=True) as session:
                session.execute(f"ALTER DATABASE {handed_over.dbname} OWNER TO {RESTORER}")
                session.execute(_HAND_OVER)
        return handed_over.dbname


def forge(made: MadeDump, folder: Path, edit: Callable[[bytes], bytes]) -> MadeDump:
    """The dump after an edit, in ``folder``, with a manifest and a key that are right for it: as
    if some pg_dump had written that."""
    edited = edit(made.sql)
    assert edited != made.sql
    path = folder / made.path.name
    with path.open("w+b") as file:
        tables = canonicalize([edited], file, spill_folder=folder).tables
    data = path.read_bytes()
    manifest = replace(
        made.manifest,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        tables=tables,
    )
    return dataclasses.replace(made, path=path, manifest=manifest)


def slowness(settings: DatabaseSettings) -> float:
    """How many times longer than on an idle machine the bare parts of a swap take by now, at
    least 1: limits of time are for a machine that does them in 25 ms.

    Clients come and go, and a database gets another name and its own back.
    """
    superuser = dataclasses.replace(settings, user="postgres", dbname="postgres")
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    seconds = []
    for number in range(5):
        name, other = sql.Identifier(settings.dbname), sql.Identifier(f"renamed_{number}")
        began = monotonic()
        with connect(superuser) as connection:
            connection.execute(rename.format(name, other))
            connection.execute(rename.format(other, name))
        with connect(dataclasses.replace(settings, user="postgres")) as client:
            client.execute("SELECT")
        seconds.append(monotonic() - began)
        settled(lambda: [n for n, _ in Target(settings).sessions() if n == settings.dbname])
    return max(1.0, max(seconds) / 0.025)


def but_for_words(remarks: Sequence[str]) -> list[str]:
    """The remarks without the one that tells how many definitions PostgreSQL worded anew."""
    return [one for one in remarks if "definitions have other words than in the dump" not in one]


def with_entry(sql: bytes, entry: bytes) -> bytes:
    """The dump with one more object, its first."""
    first = sql.index(b"--\n-- Name: ")
    return sql[:first] + entry + sql[first:]


def make_dump(database: DatabaseSettings, path: Path) -> MadeDump:
    """Dump as the night does, and describe it as the night does."""
    dumped = dump_to(database, path)
    with connect(dataclasses.replace(database, user="postgres")) as connection:
        hashed = content(connection)
    with connect_as_we_do(database) as connection:
        computing = Computing(
            read_settings(connection), read_locale(connection), read_digests(connection).found
        )
    manifest = Manifest(
        dump=path.name,
        bytes=dumped.written.bytes,
        sha256=dumped.written.sha256,
        tables=dumped.written.tables,
        snapshot_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
        database=DatabaseIdentity("1", "pantry_pirate_radio", "18.6"),
        tools={},
        verdict={},
        computing=computing,
    )
    return MadeDump(path, manifest, hashed)


def create_restorer(server: EmbeddedServer) -> None:
    with connect(server.database_settings("postgres"), autocommit=True) as connection:
        role = sql.Identifier(RESTORER)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))


@pytest.fixture(scope="session")
def restorer(databases: Databases) -> str:
    create_restorer(databases.server)
    return RESTORER


@pytest.fixture
def make_target(databases: Databases, restorer: str) -> Iterator[MakeTarget]:
    """See :class:`MakeTarget`; all that begins with a target's name is dropped afterwards."""
    make = MakeTarget(databases)
    yield make
    for target in make.made:
        for name in [target.settings.dbname, *target.beside()]:
            databases.drop(dataclasses.replace(target.settings, dbname=name))


class RestoreBy(Protocol):
    """Restores in one of three ways: ``restore_by("with psql", settings, dump)``."""

    def __call__(self, way: str, settings: DatabaseSettings, dump: FoundDump) -> RestoreOutcome: ...


@pytest.fixture
def restore_by(monkeypatch: pytest.MonkeyPatch) -> RestoreBy:
    """``aside``, ``with psql`` as for a dump that somebody has edited, or ``in place``."""

    def restore_it(way: str, settings: DatabaseSettings, dump: FoundDump) -> RestoreOutcome:
        if way == "with psql":
            monkeypatch.setattr("ppr_assets.postgres.load.why_psql", lambda _: "this is a test")
        how = restore_in_place if way == "in place" else restore
        return how(settings, dump, deadline=Deadline(60))

    return restore_it


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go meanwhile, those of child processes too; nobody else's do."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def target(make_target: Callable[..., Target]) -> Target:
    """A database to be replaced; ``old_dump`` is of what it holds."""
    return make_target()


@pytest.fixture
def owned(sample_database: SampleDatabase) -> Target:
    """A sample whose role may not make databases, and owns every table."""
    return Target(sample_database(60, 2))


@pytest.fixture(scope="session")
def two_dumps(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> tuple[MadeDump, MadeDump]:
    """Of two samples of 60 organizations: what ``target`` holds, and other data."""
    folder = tmp_path_factory.mktemp("dumps")
    made = []
    for name, seed in zip(NAMES, (2, 1), strict=True):
        database = databases.create(databases.template(60, seed))
        made.append(make_dump(database, folder / name))
        databases.drop(database)
    return made[0], made[1]


@pytest.fixture
def old_dump(two_dumps: tuple[MadeDump, MadeDump]) -> MadeDump:
    """Of what ``target`` holds before."""
    return two_dumps[0]


@pytest.fixture
def new_dump(two_dumps: tuple[MadeDump, MadeDump]) -> MadeDump:
    """Of other data, to be put in its place."""
    return two_dumps[1]
