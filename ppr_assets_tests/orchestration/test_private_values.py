"""Wherever a night fails: what a policy withholds is in nothing that it leaves or says.

Every private value holds one word, so that one search finds them all, in whatever form.
"""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
import logging
import re
import shutil
import subprocess
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import dagster as dg
import pytest
from rich.console import Console
from rich.traceback import Traceback

from ppr_assets.cli.dagster.run import run_nightly
from ppr_assets.cli.dagster.storage import kept_sessions
from ppr_assets.errors import DatabaseFailed, PprError
from ppr_assets.failures import told
from ppr_assets.orchestration.failures import expected_failures
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.plain_sql.searched_values import Scanner
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests import migrations  # noqa: F401 - read once
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_command_line import CommandLine, Said, wait_until
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, TELLS_ITS_VERSION, Pipeline
from ppr_assets_tests.fix_postgres import OWNER, SampleDatabase
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.searched import files_in, found_in, objects_of

pytestmark = pytest.mark.usefixtures("strict_policy")

WORD = "Pirate-7d3e"
PATTERN = "Pirat[e]-7d3e"
"""The same for a script, in which it must not be found."""

VALUE = f'"{WORD}"\tand \\ more,\nit\'s ☠'

PRIVATE_VALUES = """
UPDATE change_audit SET api_key_name = {0}, source_ip = {0}, user_agent = {0},
  caller_context = jsonb_build_object({0}, ARRAY[{0}]);
UPDATE data_upload SET uploaded_by = {0}, content_hash = convert_to({0}, 'UTF8');
UPDATE reconciler_constraint_violations SET conflicting_data = to_jsonb({0});
UPDATE location_source SET updated_by = {0} WHERE updated_by IS NOT NULL;
UPDATE metadata SET updated_by = {0};
CREATE TABLE visits (day date, who text, mark text NOT NULL, notes text[], raw bytea,
  loud text GENERATED ALWAYS AS (upper(who)) STORED);
INSERT INTO visits SELECT '2025-08-01', {0}, {0}, ARRAY[{0}], convert_to({0}, 'UTF8');
CREATE VIEW visitors AS SELECT who, loud FROM visits;
CREATE MATERIALIZED VIEW regulars AS SELECT who, api_key_name FROM visitors, change_audit;
ANALYZE change_audit;
"""

POLICY = """
[visits]
day = "public"
who = "null"
mark = { rule = "replaced", text = "somebody" }
notes = "null"
raw = "null"
[regulars]
who = "public"
api_key_name = "public"
"""


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "other case": lambda text: text.upper().encode(),
    "JSON": lambda text: json.dumps([text]).encode(),
    "repr": lambda text: repr(text.encode()).encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
}


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    return sample_database(private=True)


@dataclass
class World:
    """A pipeline that holds private values, and all places where they could be found."""

    pipeline: Pipeline
    fake_tool: FakeTool
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    server_log: Path
    log_begins: int
    capfd: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    until: ExitStack

    def pg_dump(self, script: str) -> None:
        self.fake_tool("pg_dump", f"{TELLS_ITS_VERSION}; {script}")

    def plant(self, table: str, column: str, value: str) -> None:
        """As an application does, of whose statements the server's log says nothing."""
        literal = value.replace("'", "''")
        self.pipeline.administer(f"UPDATE {table} SET {column} = '{literal}'")

    def night(self) -> PprError | None:
        """Dagster's job, its records kept on the disk."""
        with _kept_in(self.folder / "dagster") as instance, kept_sessions(instance):
            return run_nightly(self.pipeline.settings, instance).failure

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Every place that is searched, by name."""
        for repository in (self.pipeline.clone, self.pipeline.remote):
            yield f"objects of {repository.name}", objects_of(repository)
        tools = self.folder / "fake-bin"
        yield from ((name, data) for name, data in files_in(self.folder) if str(tools) not in name)
        with self.server_log.open("rb") as log:
            log.seek(self.log_begins)
            yield "the server's log", log.read()
        yield "what was printed", "".join(self.capfd.readouterr()).encode()
        yield "what was logged", self.caplog.text.encode()
        yield "sessions", self._sessions()

    def _sessions(self) -> bytes:
        server = replace(self.pipeline.settings.database, user="postgres", dbname="postgres")
        with connect(server) as session:
            found = session.execute("SELECT application_name, query FROM pg_stat_activity")
            return repr(found.fetchall()).encode()

    def require_nothing_private(self, **more: str) -> None:
        said = [(name, text.encode()) for name, text in more.items()]
        places = [name for name, data in (*said, *self.everything()) if found_in(data, [WORD])]
        assert not places


def in_all_words(error: BaseException) -> str:
    """As it is shown, as Python and as rich print it, and what its causes hold. Of rich without
    lines of code, which hold no values, and which it takes a quarter of a night to colour."""
    printed = io.StringIO()
    shown = Traceback.from_exception(type(error), error, error.__traceback__, suppress=["/"])
    Console(file=printed, width=200).print(shown)
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        chain += [repr(cause), repr(vars(cause))]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "".join([*traceback.format_exception(error), printed.getvalue(), *chain])


def _kept_in(folder: Path) -> dg.DagsterInstance:
    """All events in one file, as Dagster keeps them for tests: one for each run is made by reading
    a hundred migrations."""
    storage = {
        "module": "dagster._core.storage.event_log",
        "class": "ConsolidatedSqliteEventLogStorage",
        "config": {"base_dir": str(folder)},
    }
    return dg.DagsterInstance.local_temp(str(folder), overrides={"event_log_storage": storage})


@pytest.fixture(scope="module")
def empty_storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's files before the first run; to make them anew takes a fifth of a night."""
    folder = tmp_path_factory.mktemp("dagster")
    with _kept_in(folder):
        return folder


@pytest.fixture
def world(
    pipeline: Pipeline,
    empty_storage: Path,
    fake_tool: FakeTool,
    embedded_server: EmbeddedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[World]:
    """The server writes down every statement and its parameters; proofs are made on it."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "tmp").mkdir()
    shutil.copytree(empty_storage, tmp_path / "dagster")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    literal = VALUE.replace("'", "''")
    pipeline.execute(PRIVATE_VALUES.format(f"'{literal}'::text"))
    _decide(pipeline, POLICY)
    pipeline.gate(proof="server")
    log = embedded_server.data_dir / "server.log"
    begins = log.stat().st_size
    logged = {"log_statement": "all", "log_parameter_max_length_on_error": "-1"}
    everywhere = [f"ALTER ROLE {OWNER} SET {name} TO '{value}'" for name, value in logged.items()]
    pipeline.administer(f"ALTER ROLE {OWNER} CREATEDB; {'; '.join(everywhere)}")
    with ExitStack() as until:
        yield World(pipeline, fake_tool, monkeypatch, tmp_path, log, begins, capfd, caplog, until)
    reset = "; ".join(f"ALTER ROLE {OWNER} RESET {name}" for name in logged)
    pipeline.administer(f"ALTER ROLE {OWNER} NOCREATEDB; {reset}")


def _decide(pipeline: Pipeline, text: str) -> None:
    """As somebody commits it by hand."""
    pipeline.dumps.mkdir(exist_ok=True)
    (pipeline.dumps / PUBLICATION).write_text(text)
    git(pipeline.clone, "add", "-f", f"sql_dumps/{PUBLICATION}")
    git(pipeline.clone, "commit", "-q", "-m", "Decide what is published")


REAL = f'{REAL_PG_DUMP} "$@"'
WITH_ALL_ROWS = (
    'for one; do shift; case $one in --exclude-table-data=*) ;; *) set -- "$@" "$one" ;; esac; '
    f"done; {REAL}"
)
QUOTING = f"""
row=$({REAL} | grep -m 1 '{PATTERN}')
cat >&2 <<END
NOTICE:  there was $row
pg_dump: error: Dumping the contents of table "visits" failed: PQgetResult() failed.
pg_dump: detail: Error message from server: ERROR:  out of range
DETAIL:  Failing row contains ($row
it goes on).
CONTEXT:  COPY visits, line 1, column who: "$row"
pg_dump: detail: Command was: COPY public.visits TO stdout;
END
exit 1
"""

OF_PG_DUMP = {
    "is killed": (f"{REAL} | sed '/{PATTERN}/q'; kill -9 $$", "killed by signal 9"),
    "ends early": (f"{REAL} | sed '/{PATTERN}/q'", "cut off|ends inside"),
    "ends within a row": (f"{REAL} | sed '/{PATTERN}/q' | head -c -3; exit 1", "exit code 1"),
    "quotes a row": (
        QUOTING,
        "ERROR: out of range pg_dump: detail: Command was: COPY",
    ),
    "writes a table without leave": (WITH_ALL_ROWS, "pg_dump wrote change_audit"),
    "writes a column without leave": (
        f"{REAL} | sed 's/^\\(COPY public.visits (.*\\)) FROM/\\1, owner) FROM/'",
        "pg_dump wrote visits.owner",
    ),
    "writes rows in statements": (f"{REAL} --inserts", "pg_dump wrote rows in statements"),
    "writes statistics": (f"{REAL} --statistics", "pg_dump wrote statistics in statements"),
    "writes a row of more values": (
        f"{REAL} | sed 's/{PATTERN}/&\t&/'",
        "a row of location_source has 11 values",
    ),
}


@pytest.mark.parametrize("fault", OF_PG_DUMP)
def test_nothing_private_is_left_or_said_when_pg_dump(world: World, fault: str) -> None:
    script, words = OF_PG_DUMP[fault]
    world.pg_dump(script)
    failed = world.night()
    assert failed is not None and re.search(words, failed.message), failed
    world.require_nothing_private(error=in_all_words(failed))


def _full_disk(world: World) -> None:
    """Found out while the rows are written."""
    world.monkeypatch.setattr("ppr_assets.postgres.snapshot.preflight.SPARE_BYTES", -(2**40))
    spilling = partial(SortedRows, memory=1)
    world.monkeypatch.setattr("ppr_assets.plain_sql.canonical.SortedRows", spilling)
    staged = world.pipeline.staged
    staged.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(staged)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    world.until.callback(subprocess.run, ["umount", str(staged)], check=True)


def _lost_server(world: World) -> None:
    """Its session is ended while it waits to count a table."""
    database = world.pipeline.settings.database
    holder = world.until.enter_context(connect(database))
    holder.execute("LOCK TABLE organization IN ACCESS EXCLUSIVE MODE")
    ending = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )

    def end_it() -> None:
        with connect(replace(database, user="postgres"), autocommit=True) as session:
            wait_until(lambda: session.execute(ending).fetchone())
        holder.rollback()

    thread = threading.Thread(target=end_it)
    thread.start()
    world.until.callback(thread.join)


def _login_trigger(world: World) -> None:
    """It refuses the role, and tells more than it should."""
    world.pipeline.administer(
        "CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE NOTICE '%', (SELECT who FROM public.visits); IF session_user <> 'postgres' THEN "
        "RAISE 'not tonight' USING DETAIL = (SELECT who FROM public.visits), "
        "HINT = (SELECT who FROM public.visits); END IF; END $$;"
        "CREATE EVENT TRIGGER refusing ON login EXECUTE FUNCTION public.refuse();"
        f"ALTER ROLE {OWNER} SET log_min_messages TO panic"  # what its author says to the server
    )
    reset = f"ALTER ROLE {OWNER} RESET log_min_messages"
    world.until.callback(world.pipeline.administer, reset)


def _check_that_calls(world: World) -> None:
    """It reads a table whose rows no dump has, so it holds here and not where a dump is restored;
    and it quotes what it refuses."""
    world.pipeline.execute(
        "CREATE FUNCTION public.audited(who text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
        "IF who LIKE 'not %' OR NOT EXISTS (SELECT FROM public.change_audit) THEN "
        "RAISE 'nobody audited %', who USING DETAIL = who; END IF; RETURN true; END $$;"
        "ALTER TABLE visits ADD CONSTRAINT known CHECK (public.audited(mark))"
    )


def _index_of_replaced(world: World) -> None:
    world.pipeline.execute(
        "INSERT INTO visits (mark) SELECT mark || '2' FROM visits;"
        "CREATE UNIQUE INDEX by_mark ON visits (md5(mark))"
    )


def _secret(world: World) -> None:
    """In a column that is public; it is told where, and must itself get nowhere."""
    text = f"postgres://reader:{WORD}-5e8f@db.example.org/pantries"
    world.plant("organization", "description", text)


def _unknown_column(world: World) -> None:
    world.pipeline.execute("ALTER TABLE phone ADD owner text")
    world.plant("phone", "owner", VALUE)


def _check_that_would_break(world: World) -> None:
    world.pipeline.execute("ALTER TABLE visits ADD CONSTRAINT long CHECK (length(mark) > 20)")


def _few_rows(world: World) -> None:
    world.pipeline.gate(min_records=100_000)


def _emptied_column(world: World) -> None:
    world.pipeline.night()
    world.pipeline.execute("UPDATE organization SET description = '', website = NULL")


def _remote_that_refuses(world: World) -> None:
    hook = world.pipeline.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on a Sunday' >&2\nexit 1\n")
    hook.chmod(0o755)


def _own_fault(world: World, words: str = "nobody thought of that") -> None:
    """While it has rows in its hands."""

    def broken(self: Scanner, table: str, columns: object, chunks: Iterator[bytes]) -> None:
        next(chunks)
        raise RuntimeError(words)

    world.monkeypatch.setattr(Scanner, "rows", broken)


FAULTS: dict[str, tuple[Callable[[World], None], str]] = {
    "the disk is full": (_full_disk, "No space left on device"),
    "the server is lost while it counts": (_lost_server, "lost the session"),
    "a trigger refuses the login": (_login_trigger, "failed: FATAL: not tonight$"),
    "a check calls a function": (_check_that_calls, "nobody audited somebody"),
    "an index does not take what replaces": (_index_of_replaced, "by_mark"),
    "a secret is found": (_secret, "secrets would be published: organization.description"),
    "a column is unknown": (_unknown_column, "phone.owner"),
    "a check would break": (_check_that_would_break, "visits has the check long"),
    "there are few rows": (_few_rows, "minimum|floor"),
    "a column was emptied": (_emptied_column, "organization.description|description"),
    "the remote refuses": (_remote_that_refuses, "not on a Sunday"),
    "the program itself is wrong": (_own_fault, "nobody thought of that"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_private_is_left_or_said_when(world: World, fault: str) -> None:
    prepare, words = FAULTS[fault]
    prepare(world)
    failed = world.night()
    assert failed is not None and re.search(words, failed.message), failed
    world.require_nothing_private(error=in_all_words(failed))


REFUSED = "something was refused"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "SELECT public.audited('not ' || who) FROM visits",
            f"{REFUSED}, in words that may",
        ),
        ("SELECT who::date FROM visits", f"{REFUSED}, in words that may"),
        ("UPDATE visits SET mark = NULL", f"{REFUSED}, in words that may"),
        ("UPDATE visits SET mark = '-'", f"{REFUSED} by the constraint known, in"),
    ],
)
def test_the_words_of_a_server_about_rows_are_not_repeated(
    world: World, query: str, words: str
) -> None:
    """Whatever it is asked: of the causes, too, that Python and Dagster print and keep."""
    _check_that_calls(world)
    world.pipeline.execute(
        "ALTER TABLE visits DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (length(mark) > 1)"
    )
    settings = world.pipeline.settings
    for wrapped in (
        server_failures("the server", "looking"),
        told(settings),
        expected_failures(settings),
    ):
        with pytest.raises((DatabaseFailed, dg.Failure), match=words) as caught, wrapped:
            world.pipeline.execute(query)
        assert not found_in(in_all_words(caught.value).encode(), [WORD])


def test_the_command_line_says_and_leaves_nothing_private(
    world: World, ppr_assets: CommandLine, embedded_server: EmbeddedServer
) -> None:
    """A night that fails, one that is killed, one that is published, and what is made of that."""
    ppr_assets.variables["SQL_DUMP_PROOF"] = "server"
    said: list[Said] = []

    def call(*arguments: str, code: int) -> None:
        said.append(ppr_assets(*arguments))
        assert said[-1].code == code, said[-1]

    world.pg_dump(QUOTING)
    call("dump", code=1)
    assert "out of range pg_dump: detail: Command was: COPY public.visits" in said[-1].error
    done = world.folder / "done"
    world.pg_dump(f"{REAL}; touch {done}; sleep 60")
    killed = ppr_assets.begin("dump", "--without-record")
    wait_until(done.exists)
    wait_until(lambda: any(world.pipeline.staged.glob(".*.partial")))
    killed.kill()
    said.append(ppr_assets.ended(killed))
    world.require_nothing_private()
    (world.folder / "fake-bin" / "pg_dump").unlink()
    call("dump", "--without-record", code=0)
    latest = (world.pipeline.dumps / "latest.sql").read_text()
    damaged = world.folder / "damaged.sql"
    damaged.write_text(latest.replace("2025-08-01\t", "2025-08-51\t"))
    call("drill", str(damaged), code=4)
    world.pipeline.execute("CREATE VIEW later AS SELECT who FROM visits")
    call("restore", "--in-place", "--offline", code=3)
    call("restore", "--in-place", "--offline", "--override", "they are kept elsewhere", code=1)
    assert "could not be removed" in said[-1].error

    command = [str(REAL_PG_DUMP), "--dbname", ppr_assets.variables["DAGSTER_POSTGRES_URL"]]
    records = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "out of range" in records
    world.require_nothing_private(said="".join(map(repr, said)), records=records)


def test_what_is_not_private_is_found_wherever_it_may_be(world: World) -> None:
    """Else nothing would have been proven above."""
    word = f"{WORD}-in-public"
    world.plant("organization", "description", word)
    assert world.night() is None
    _own_fault(world, word)
    failed = world.night()
    assert failed is not None
    click.echo(word)
    logging.getLogger("somebody").warning(word)
    world.pipeline.execute(f"SELECT '{word}'")
    (world.folder / "tmp" / "spilled").write_bytes(gzip.compress(word.encode()))
    with connect(world.pipeline.settings.database) as session:
        session.execute(f"SELECT '{word.upper()}'")
        places = [name for name, data in world.everything() if found_in(data, [word])]
    assert found_in(in_all_words(failed).encode(), [word])
    for place in (
        "objects of data-repo",
        "objects of remote.git",
        ".sql",
        "dagster/event_log.db",
        "tmp/spilled",
        "the server's log",
        "what was printed",
        "what was logged",
        "sessions",
    ):
        assert any(name.endswith(place) for name in places), (place, places)


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_found_in_every_form(form: str) -> None:
    for before, after in itertools.product(("", "a", "ab"), ("", "x", "xy")):
        text = f"{before}{WORD}{after}"
        assert found_in(FORMS[form](text), [WORD]) == [WORD]
        assert not found_in(FORMS[form](text.replace("7", "8")), [WORD])
