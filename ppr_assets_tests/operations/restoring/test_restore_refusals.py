"""What stands in the way of a restore is said before anything changes, and so is who."""

from __future__ import annotations

import dataclasses
import gzip
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import (
    Busy,
    DatabaseFailed,
    DatabaseUnreachable,
    DumpUnproven,
    PprError,
    PreconditionFailed,
    RestoreFailed,
    SettingsError,
)
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.postgres import embedded
from ppr_assets.settings import DatabaseSettings, Settings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline, listing, settled
from ppr_assets_tests.fix_restore import (
    EXTENSION,
    RESTORER,
    MadeDump,
    MakeTarget,
    Target,
    but_for_words,
    create_restorer,
    forge,
    slowness,
    with_entry,
)

Way = Callable[[DatabaseSettings, FoundDump], RestoreOutcome]


def aside(target: DatabaseSettings, found: FoundDump) -> RestoreOutcome:
    return restore(target, found, deadline=Deadline(60))


def in_place(target: DatabaseSettings, found: FoundDump) -> RestoreOutcome:
    return restore_in_place(target, found, deadline=Deadline(60))


@pytest.fixture
def unchanged(target: Target, old_dump: MadeDump) -> Iterator[None]:
    """Holds the test to leaving the target as it was, and no other database behind."""
    databases = target.databases()
    yield
    assert target.databases() == databases
    assert target.content() == old_dump.content


def test_of_two_restores_at_once_one_is_told_to_wait(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    """It stays at work until the others have been told."""
    ended: list[str] = []
    told = threading.Semaphore(0)

    def wait_for_the_others(stage: str, _seconds: float) -> None:
        if stage == "load":
            assert told.acquire(timeout=120) and told.acquire(timeout=120)

    def run() -> None:
        try:
            restore(
                target.settings,
                new_dump.found(tmp_path),
                deadline=Deadline(None),
                on_stage=wait_for_the_others,
            )
            ended.append("restored")
        except Busy as error:
            ended.append(error.message)
            told.release()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("restored") == 1
    name = target.settings.dbname
    others = [words for words in ended if words != "restored"]
    assert all(words.startswith("busy: session ") for words in others)
    assert all(words.endswith(f" is restoring database {name}") for words in others)
    assert target.content() == new_dump.content
    assert len(target.beside()) == 1


def test_live_sessions_are_named_and_nothing_is_made(
    target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    with connect(target.settings) as client:
        pid = client.info.backend_pid
        with pytest.raises(Busy, match=rf"in use: session {pid} of {RESTORER} \(ppr_") as refused:
            aside(target.settings, new_dump.found(tmp_path))
        assert refused.value.exit_code == 7
        assert "--disconnect" in refused.value.hint
        assert "nothing was changed" in refused.value.hint, "found only at the swap"
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_disconnected_clients_are_without_a_database_for_less_than_half_a_second(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    """A client that was there before works on until the swap; it is back as soon as it may."""
    over = threading.Event()
    answers: list[float] = []
    ends: list[float] = []
    stages: dict[str, float] = {}

    def insist() -> None:
        while not over.is_set():
            try:
                with connect(target.settings, autocommit=True) as client:
                    while not over.wait(0.002):
                        client.execute("SELECT count(*) FROM pg_class")
                        answers.append(time.monotonic())
            except (psycopg.Error, DatabaseUnreachable):
                ends.append(time.monotonic())

    client = threading.Thread(target=insist)
    client.start()
    try:
        while not answers:
            assert client.is_alive()
            time.sleep(0.01)
        restore(
            target.settings,
            new_dump.found(tmp_path),
            Terms(disconnect=True),
            deadline=Deadline(60),
            on_stage=lambda stage, _: stages.update({stage: time.monotonic()}),
        )
        ended = time.monotonic()
        while answers[-1] < ended:
            time.sleep(0.01)
    finally:
        over.set()
        client.join()
    assert target.content() == new_dump.content
    gaps = [
        later - earlier
        for earlier, later in pairwise(answers)
        if any(earlier < end < later for end in ends)
    ]
    assert max(gaps) < 0.5 * slowness(target.settings)
    assert ends[0] > stages["compare"], "ended before the swap"


def test_a_session_that_comes_while_the_dump_is_loaded_is_not_ended(
    target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    with ExitStack() as visit:
        visitors: list[psycopg.Connection[Any]] = []

        def come(stage: str, _seconds: float) -> None:
            if stage == "load":
                assert target.beside()
                visitors.append(visit.enter_context(connect(target.settings)))

        with pytest.raises(Busy, match="in use: session "):
            restore(
                target.settings,
                new_dump.found(tmp_path),
                deadline=Deadline(60),
                on_stage=come,
            )
        (visitor,) = visitors
        assert visitor.execute("SELECT 1").fetchone() == (1,)


def test_a_prepared_transaction_is_named_and_nothing_is_made(
    server_folder: Path, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    server = embedded.start(server_folder / "postgres")
    create_restorer(server)
    target = Target(server.database_settings("pantry_pirate_radio", RESTORER))
    target.execute("ALTER SYSTEM SET max_prepared_transactions TO 2")
    server.stop()
    server = embedded.start(server_folder / "postgres")
    aside(target.settings, old_dump.found(tmp_path))
    with connect(target.settings) as client:
        client.execute("DELETE FROM phone")
        client.execute("PREPARE TRANSACTION 'half done'")
    databases = target.databases()
    for terms in (Terms(), Terms(disconnect=True)):
        with pytest.raises(Busy, match=rf"prepared transaction half done of {RESTORER}"):
            restore(target.settings, new_dump.found(tmp_path), terms, deadline=Deadline(60))
        assert target.databases() == databases, terms
    assert target.content() == old_dump.content


def test_a_role_that_may_not_make_databases_is_told_of_in_place(
    owned: Target, new_dump: MadeDump, old_dump: MadeDump, tmp_path: Path
) -> None:
    databases = owned.databases()
    with pytest.raises(PreconditionFailed, match="may not create databases") as refused:
        aside(owned.settings, new_dump.found(tmp_path))
    assert "--in-place" in refused.value.hint
    outcome = in_place(owned.settings, new_dump.found(tmp_path))
    assert owned.content() == new_dump.content
    assert outcome.tables == new_dump.manifest.tables
    assert any("nobody could read the tables" in remark for remark in outcome.remarks)
    assert owned.databases() == databases
    assert owned.content() != old_dump.content


def test_a_database_of_another_role_is_refused_before_anything_is_made(
    target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    """Also of one that the role may only change to: what it makes for that one it cannot drop."""
    name, owner, words = target.settings.dbname, f"owner_of_{RESTORER}", "role {} cannot replace it"
    target.execute(f"CREATE ROLE {owner}; ALTER DATABASE {name} OWNER TO {owner}")
    try:
        for grant in ("SELECT", f"GRANT {owner} TO {RESTORER} WITH INHERIT FALSE, SET TRUE"):
            target.execute(grant)
            with pytest.raises(PreconditionFailed, match=words.format(RESTORER)) as refused:
                aside(target.settings, new_dump.found(tmp_path))
            assert f"restore as {owner}" in refused.value.hint
    finally:
        target.execute(f"ALTER DATABASE {name} OWNER TO {RESTORER}; DROP ROLE {owner}")


def test_what_went_wrong_is_told_before_what_could_not_be_cleared_up_after_it(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    def take_away(stage: str, _seconds: float) -> None:
        if stage == "compare":
            (half_made,) = target.beside()
            target.execute(f"ALTER DATABASE {half_made} OWNER TO postgres")

    with pytest.raises(RestoreFailed, match=r"^could not limit the sessions of ") as failed:
        restore(
            target.settings, new_dump.found(tmp_path), deadline=Deadline(60), on_stage=take_away
        )
    (half_made,) = target.beside()
    assert failed.value.hint.endswith(
        f" A half-made database is still there: could not drop database {half_made}: must be "
        f"owner of database {half_made}."
    )


def test_who_may_not_be_disconnected_is_named(
    target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    with target.administered(target.settings.dbname) as session:
        who = rf"; in use: session {session.info.backend_pid} of postgres "
        with pytest.raises(RestoreFailed, match=f"permission denied to terminate process{who}"):
            restore(
                target.settings,
                new_dump.found(tmp_path),
                Terms(disconnect=True),
                deadline=Deadline(60),
            )
        assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("way", [aside, in_place])
@pytest.mark.parametrize("what", ["fails in the middle", "differs"])
def test_a_dump_that_does_not_restore_to_what_it_says_leaves_the_old_data(
    way: Way, what: str, make_target: MakeTarget, owned: Target, old_dump: MadeDump,
    new_dump: MadeDump, tmp_path: Path,
) -> None:  # fmt: skip
    target = make_target() if way is aside else owned
    databases = target.databases()
    if what == "differs":  # `+1` is a number, and comes back as `1`
        wrong = forge(new_dump, tmp_path, lambda sql: sql.replace(b"\t1\t{", b"\t+1\t{", 1))
        error: type[PprError] = DumpUnproven
        words = "table record_version has other rows than the dump"
    else:
        wrong = forge(new_dump, tmp_path, lambda sql: sql.replace(b"\t1\t{", b"\tx\t{", 1))
        error, words = RestoreFailed, "record_version could not be restored: invalid input syntax"
    with pytest.raises(error, match=words) as failed:
        way(target.settings, wrong.found(tmp_path))
    assert "serves as before" in failed.value.hint
    assert target.databases() == databases
    assert target.content() == old_dump.content
    assert settled(target.sessions) == []


@pytest.mark.parametrize("way", [aside, in_place])
@pytest.mark.parametrize("what", ["extension", "newer server", "encoding"])
def test_a_server_that_cannot_hold_the_dump_says_what_it_has_and_needs(
    way: Way, what: str, target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    if what == "extension":
        made = forge(new_dump, tmp_path, lambda sql: with_entry(sql, EXTENSION))
        words = "this server lacks the extension nowhere that the dump needs"
    elif what == "newer server":
        version = b"-- Dumped from database version "
        made = forge(new_dump, tmp_path, lambda sql: sql.replace(version + b"18", version + b"99"))
        words = r"this server is PostgreSQL 18, the dump is of 99\.\d+ and needs 99 or newer"
    else:
        identity = replace(new_dump.manifest.database, encoding="LATIN1")
        made = dataclasses.replace(new_dump, manifest=replace(new_dump.manifest, database=identity))
        words = "has the encoding UTF8, the dump needs LATIN1"
    with pytest.raises(PreconditionFailed, match=words) as refused:
        way(target.settings, made.found(tmp_path))
    assert refused.value.hint


def test_a_target_in_another_encoding_is_refused(
    make_target: MakeTarget, new_dump: MadeDump, tmp_path: Path
) -> None:
    target = make_target(seed=None)
    name = target.settings.dbname
    target.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' OWNER {RESTORER}"
    )
    databases = target.databases()
    with pytest.raises(PreconditionFailed, match="has the encoding LATIN1, the dump needs UTF8"):
        aside(target.settings, new_dump.found(tmp_path))
    assert target.databases() == databases


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_a_deadline_that_passes_in_the_load_leaves_the_target(
    seconds: float, target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    with pytest.raises(RestoreFailed, match=f"^not done within the deadline of {seconds:g} s: "):
        restore(target.settings, new_dump.found(tmp_path), deadline=Deadline(seconds))
    assert settled(target.sessions) == []


def test_what_the_target_may_not_have_does_not_keep_its_successor_from_being_filled(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    """A limit of one connection, say; and the new database has the same limits in the end."""
    name = target.settings.dbname
    target.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    target.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
    target.execute(f"ALTER ROLE postgres IN DATABASE {name} SET work_mem TO '7MB'")
    outcome = aside(target.settings, new_dump.found(tmp_path))
    assert but_for_words(outcome.remarks) == [
        "setting work_mem of role postgres: permission denied to alter role"
    ]
    with target.administered() as connection:
        row = connection.execute(
            "SELECT datconnlimit, setconfig FROM pg_database LEFT JOIN pg_db_role_setting "
            "ON setdatabase = oid WHERE datname = %s",
            [name],
        ).fetchone()
    assert row == (1, ["default_transaction_read_only=on"])
    target.execute(f"ALTER DATABASE {name} RESET ALL")
    assert target.content() == new_dump.content


def test_in_tests_everything_goes_to_a_database_of_their_own(
    pipeline: Pipeline, target: Target, unchanged: None, new_dump: MadeDump, tmp_path: Path
) -> None:
    name = target.settings.dbname
    variables = pipeline.variables | {
        "POSTGRES_USER": RESTORER,
        "POSTGRES_DB": name,
        "TESTING": "true",
    }
    settings = Settings.from_environment(variables, dotenv=None)
    ours = settings.restore_target()
    assert (ours.dbname, ours.user) == (f"{name}_test", RESTORER)
    for into in (None, name, "elsewhere"):
        assert settings.restore_target(into) == ours, into
    outcome = restore(
        settings.restore_target("elsewhere"), new_dump.found(tmp_path), deadline=Deadline(60)
    )
    assert outcome.database == f"{name}_test"
    assert target.content(f"{name}_test") == new_dump.content
    target.drop_formers()


@pytest.mark.parametrize("way", [aside, in_place])
def test_a_name_that_the_server_would_cut_is_refused_as_it_is_that_of_another_database(
    way: Way, pipeline: Pipeline, target: Target, unchanged: None, new_dump: MadeDump,
    tmp_path: Path,
) -> None:  # fmt: skip
    """In tests above all: ``_test`` behind a long name would be cut off again."""
    longest = target.settings.dbname.ljust(63, "_")
    database = dataclasses.replace(pipeline.settings.database, user=RESTORER, dbname=longest)
    testing = dataclasses.replace(pipeline.settings, testing=True, database=database)
    for settings in (testing.restore_target(), dataclasses.replace(database, dbname="é" * 32)):
        with pytest.raises(SettingsError, match=r"has \d+ bytes, at most 63 needed"):
            way(settings, new_dump.found(tmp_path))
    with pytest.raises(SettingsError, match="the name of the database to restore into is empty"):
        testing.restore_target("")


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("when", ["decompressing", "reading back", "comparing the objects"])
def test_a_full_disk_ends_the_restore_and_is_named(
    when: str,
    target: Target,
    unchanged: None,
    new_dump: MadeDump,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = new_dump.found(tmp_path / "full")
    if when == "decompressing":
        path = tmp_path / f"{new_dump.path.name}.gz"
        path.write_bytes(gzip.compress(new_dump.sql, 1))
        found = replace(found, name=path.name, path=path, manifest=None)
    elif when == "reading back":
        defaults = SortedRows.__init__.__kwdefaults__
        assert defaults is not None
        monkeypatch.setitem(defaults, "memory", 1000)
    with (
        full_disk(tmp_path / "full"),
        pytest.raises((PreconditionFailed, RestoreFailed, DatabaseFailed), match="No space left"),
    ):
        aside(target.settings, found)
    assert settled(target.sessions) == []


def test_a_full_disk_below_the_data_repository_is_named(
    pipeline: Pipeline, target: Target, unchanged: None, new_dump: MadeDump
) -> None:
    name = new_dump.path.name
    commit_files(pipeline.clone, "A dump", {f"sql_dumps/{name}": new_dump.sql.decode()})
    (pipeline.dumps / name).unlink()
    folder = pipeline.clone / ".git" / "ppr_assets" / "restoring"
    folder.parent.mkdir()
    with full_disk(folder):
        with (
            pytest.raises(PreconditionFailed, match="No space left on device"),
            found_dump(pipeline.settings.data_repo, Wanted()) as found,
        ):
            aside(target.settings, found)
        assert listing(folder) == []
