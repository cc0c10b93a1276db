"""A dump that is loaded is the database it was made from, whatever is in it, or an error."""

from __future__ import annotations

import dataclasses
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace
from psycopg.errors import OutOfMemory, UndefinedTable

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseUnreachable, RestoreFailed
from ppr_assets.plain_sql.parsing.layout import Layout, read_layout
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.load import Wishes, load, load_in_transaction
from ppr_assets.postgres.load.work import scheduler
from ppr_assets.postgres.sessions.copy_out import copied_rows
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_command_line import wait_until
from ppr_assets_tests.fix_nasty import dump_to, fill_core
from ppr_assets_tests.fix_pipeline import settled

Empty = Callable[[], DatabaseSettings]

NO_HURRY = Deadline(None)

ORDER_COUNTS = """
CREATE TABLE public.organization (id int); CREATE TABLE public.location (id int);
CREATE TABLE public.service (id int);
CREATE TABLE public.a (id int PRIMARY KEY); INSERT INTO public.a SELECT generate_series(1, 9);
CREATE FUNCTION public.known(x int) RETURNS bool LANGUAGE plpgsql STABLE
  AS $$BEGIN RETURN EXISTS (SELECT FROM public.a WHERE id = x); END$$;
CREATE FUNCTION public.how_many(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE
  AS $$BEGIN RETURN (SELECT count(*) FROM public.z); END$$;
CREATE TABLE public.checked (x int CONSTRAINT looks_elsewhere CHECK (public.known(x)));
INSERT INTO public.checked SELECT x FROM generate_series(1, 9) x, generate_series(1, 100);
CREATE TABLE public.z (id int PRIMARY KEY); INSERT INTO public.z SELECT generate_series(1, 5000);
CREATE INDEX looks_elsewhere_too ON public.checked (public.how_many(x));
CREATE FUNCTION public.first() RETURNS bool LANGUAGE plpgsql STABLE
  AS $$BEGIN RETURN NOT EXISTS (SELECT FROM public.apart); END$$;
CREATE TABLE public.apart (id int CONSTRAINT looks_at_its_own CHECK (public.first()));
INSERT INTO public.apart SELECT generate_series(1, 5000);
CREATE VIEW public.grouped AS SELECT id, count(*) FROM public.a GROUP BY id;
CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.z;
CREATE MATERIALIZED VIEW public.b_on_m AS SELECT count(*) AS n FROM public.m;
CREATE UNIQUE INDEX m_id ON public.m (id);
"""

SLOW = """
SET ppr_test.awake = 'yes';
CREATE TABLE public.organization (id int); CREATE TABLE public.location (id int);
CREATE TABLE public.service (id int);
CREATE FUNCTION public.late() RETURNS bool LANGUAGE plpgsql AS $$BEGIN
  IF current_setting('ppr_test.awake', true) IS DISTINCT FROM 'yes' THEN
    PERFORM pg_sleep(60);
  END IF;
  RETURN true;
END$$;
CREATE TABLE public.slow (id int CHECK (public.late())); INSERT INTO public.slow VALUES (1);
"""


def layout_of(path: Path) -> Layout:
    with path.open("rb") as file:
        return read_layout(
            iter(lambda: file.read(65536), b""), sorted_rows=False, spill_folder=path.parent
        )


def body(path: Path) -> bytes:
    """The canonical dump, whose key depends on its content alone."""
    return path.read_bytes()


def with_rows(path: Path, text: bytes, new: bytes) -> Path:
    """The dump with some bytes replaced."""
    changed = path.with_name("changed.sql")
    assert text in path.read_bytes()
    changed.write_bytes(path.read_bytes().replace(text, new, 1))
    return changed


def in_order(database: DatabaseSettings, table: str, dump: Path) -> bool:
    """Whether the table's rows lie on the disk as they stand in the dump."""
    with (
        connect(database) as session,
        session.cursor() as cursor,
        cursor.copy(f"COPY {table} TO stdout".encode()) as copy,
    ):
        rows = b"".join(bytes(chunk) for chunk in copy)
    return b" FROM stdin;\n" + rows + b"\\.\n" in dump.read_bytes()


def test_a_nasty_database_comes_through_byte_for_byte(
    nasty_database: DatabaseSettings, empty_database: Empty, tmp_path: Path
) -> None:
    dumped = dump_to(nasty_database, tmp_path / "nasty.sql")
    restored = empty_database()
    report = load(dumped.path, layout_of(dumped.path), restored, deadline=NO_HURRY)
    assert (report.how, report.reason) == ("parallel", "")
    again = dump_to(restored, tmp_path / "again.sql")
    assert body(again.path) == body(dumped.path)


def test_a_sample_comes_through_on_one_session_as_on_four(
    database: DatabaseSettings, empty_database: Empty, tmp_path: Path
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    for sessions in (1, 4):
        restored = empty_database()
        load(
            dumped.path,
            layout_of(dumped.path),
            restored,
            Wishes(connections=sessions),
            deadline=NO_HURRY,
        )
        again = dump_to(restored, tmp_path / f"again{sessions}.sql")
        assert body(again.path) == body(dumped.path)


def test_rows_in_many_pieces_are_the_same_rows(
    database: DatabaseSettings,
    empty_database: Empty,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ppr_assets.postgres.load.plan.PIECE", 2000)
    dumped = dump_to(database, tmp_path / "sample.sql")
    restored = empty_database()
    report = load(
        dumped.path,
        layout_of(dumped.path),
        restored,
        # of so many sessions that a share of all rows is less than the largest tables have
        Wishes(connections=12, read_back_in=tmp_path),
        deadline=NO_HURRY,
    )
    assert report.tables == dumped.written.tables
    assert body(dump_to(restored, tmp_path / "again.sql").path) == body(dumped.path)
    with connect(restored) as session:
        found = session.execute("SELECT count(DISTINCT xmin::text) FROM record_version").fetchone()
    assert found is not None and found[0] > 5  # transactions that its rows came in


def test_rows_over_one_session_are_frozen_and_lie_in_the_order_of_the_dump(
    database: DatabaseSettings, empty_database: Empty, tmp_path: Path
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    restored = empty_database()
    load(dumped.path, layout_of(dumped.path), restored, deadline=NO_HURRY)
    for table in dumped.counts:
        assert in_order(restored, table, dumped.path)
    with connect(dataclasses.replace(restored, user="postgres")) as session:
        session.execute("CREATE EXTENSION pg_visibility")
        page = session.execute("SELECT * FROM pg_visibility('phone', 0)").fetchone()
    assert page == (True, True, True)  # all visible, all frozen


def test_rows_that_an_extension_brings_along_stay(empty_database: Empty, tmp_path: Path) -> None:
    def add_extension(database: DatabaseSettings, *ids: int) -> None:
        with connect(database) as session:
            session.execute(
                "CREATE EXTENSION hstore; CREATE TABLE known (id int); "
                "ALTER EXTENSION hstore ADD TABLE known"
            )
            session.execute("INSERT INTO known SELECT unnest(%s)", [list(ids)])
        with connect(dataclasses.replace(database, user="postgres")) as session:
            session.execute(
                "UPDATE pg_extension SET extconfig = ARRAY['known'::regclass::oid], "
                "extcondition = ARRAY['WHERE id > 100'] WHERE extname = 'hstore'"
            )

    source, restored = empty_database(), empty_database()
    fill_core(source)
    add_extension(source, 1, 2, 101)
    add_extension(restored, 1, 2)
    dumped = dump_to(source, tmp_path / "extension.sql")
    assert dumped.counts["known"] == 1
    load(dumped.path, layout_of(dumped.path), restored, deadline=NO_HURRY)
    with connect(restored) as session:
        assert session.execute("SELECT id FROM known ORDER BY 1").fetchall() == [(1,), (2,), (101,)]


def test_what_looks_into_other_tables_finds_their_rows(
    empty_database: Empty, tmp_path: Path
) -> None:
    source = empty_database()
    with connect(source, autocommit=True) as session:
        session.execute(ORDER_COUNTS.encode())
    dumped = dump_to(source, tmp_path / "order.sql")
    restored = empty_database()
    load(dumped.path, layout_of(dumped.path), restored, Wishes(connections=1), deadline=NO_HURRY)
    with connect(restored) as session:
        # the index was made when all rows of the other table were there
        session.execute("SET enable_seqscan = off")
        found = session.execute(
            "SELECT count(*) FROM public.checked WHERE public.how_many(x) = 5000"
        ).fetchone()
    assert found == (900,)
    assert body(dump_to(restored, tmp_path / "again.sql").path) == body(dumped.path)


def test_what_is_not_recognised_whole_goes_to_psql_which_is_said(
    database: DatabaseSettings, empty_database: Empty, tmp_path: Path
) -> None:
    with connect(database) as session:  # what --clean cannot drop where there is nothing
        session.execute("CREATE DOMAIN public.even AS int")
        session.execute("ALTER DOMAIN public.even ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID")
    dumped = dump_to(database, tmp_path / "sample.sql")
    foreign = with_rows(dumped.path, b"\n--\n-- Name: ", b"\nSELECT 1;\n\n--\n-- Name: ")
    restored = empty_database()
    report = load(foreign, layout_of(foreign), restored, deadline=NO_HURRY)
    assert report.how == "psql"
    assert report.reason.startswith("not recognised: ")
    assert body(dump_to(restored, tmp_path / "again.sql").path) == body(dumped.path)


@pytest.mark.parametrize("recognised", [True, False])
def test_a_row_that_the_server_refuses_is_an_error_in_its_words(
    database: DatabaseSettings, empty_database: Empty, tmp_path: Path, recognised: bool
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    rows = dumped.sql.partition(b"COPY public.location ")[2]
    number = re.search(rb"\t-?\d+\.\d{4,}\t", rows)
    assert number is not None
    broken = with_rows(dumped.path, number.group(), b"\tnorth\t")
    layout = layout_of(broken)
    if not recognised:
        layout = replace(layout, unrecognised="SELECT 1")
    with pytest.raises(RestoreFailed, match=r'invalid input syntax for type .*: "north"'):
        load(broken, layout, empty_database(), deadline=NO_HURRY)


def test_a_key_that_is_there_twice_names_the_constraint(
    database: DatabaseSettings, empty_database: Empty, tmp_path: Path
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    found = re.search(rb"COPY public\.organization .*;\n([^\n]+\n)", dumped.sql)
    assert found is not None
    doubled = with_rows(dumped.path, found.group(), found.group() + found.group(1))
    with pytest.raises(RestoreFailed, match=r"^constraint organization organization_pkey could"):
        load(doubled, layout_of(doubled), empty_database(), deadline=NO_HURRY)


def test_the_deadline_ends_a_statement_and_leaves_no_session(
    empty_database: Empty, tmp_path: Path, embedded_server: EmbeddedServer
) -> None:
    slow, restored = slow_dump(empty_database, tmp_path), empty_database()
    began = time.monotonic()
    with pytest.raises(RestoreFailed, match=r"not done within the deadline of 1 s"):
        load(slow, layout_of(slow), restored, deadline=Deadline(1))
    assert time.monotonic() - began < 30, "it waited for the statement"
    assert settled(lambda: sessions_in(embedded_server, restored.dbname)) == 0


def test_a_server_that_ends_the_sessions_is_an_error_at_once(
    empty_database: Empty, tmp_path: Path, embedded_server: EmbeddedServer
) -> None:
    slow, restored = slow_dump(empty_database, tmp_path), empty_database()

    def end() -> None:
        wait_until(lambda: asleep_in(embedded_server, restored.dbname))
        with connect(embedded_server.database_settings("postgres"), autocommit=True) as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [restored.dbname],
            )

    ending = threading.Thread(target=end)
    ending.start()
    with pytest.raises(DatabaseUnreachable, match=r"^lost the session while restoring "):
        load(slow, layout_of(slow), restored, deadline=NO_HURRY)
    ending.join()


def test_an_interrupt_while_a_statement_is_being_started_ends_that_one_too(
    empty_database: Empty,
    tmp_path: Path,
    embedded_server: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, restored = slow_dump(empty_database, tmp_path), empty_database()

    class Interrupted(ThreadPoolExecutor):
        """While its thread is at work, and nobody has been told of it yet."""

        def submit(self, *call: Any, **words: Any) -> Future[Any]:
            future = super().submit(*call, **words)
            wait_until(lambda: future.done() or asleep_in(embedded_server, restored.dbname))
            if not future.done():
                signal.raise_signal(signal.SIGINT)
            return future

    monkeypatch.setattr(scheduler, "ThreadPoolExecutor", Interrupted)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        load(slow, layout_of(slow), restored, deadline=NO_HURRY)
    assert time.monotonic() - began < 30, "it waited for the statement"
    assert settled(lambda: sessions_in(embedded_server, restored.dbname)) == 0


def test_an_interrupt_ends_everything(
    empty_database: Empty, tmp_path: Path, embedded_server: EmbeddedServer
) -> None:
    slow, restored = slow_dump(empty_database, tmp_path), empty_database()

    def interrupt() -> None:
        wait_until(lambda: asleep_in(embedded_server, restored.dbname))
        psutil.Process().send_signal(signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        load(slow, layout_of(slow), restored, deadline=NO_HURRY)
    interrupting.join()
    assert settled(lambda: sessions_in(embedded_server, restored.dbname)) == 0


def test_in_place_replaces_what_is_there_or_nothing(
    nasty_database: DatabaseSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    nasty = dump_to(nasty_database, tmp_path / "nasty.sql")
    layout = layout_of(nasty.path)
    with connect(nasty_database) as session:
        session.execute("DELETE FROM public.service")
        session.commit()
        load_in_transaction(session, nasty.path, layout, deadline=NO_HURRY)
        session.rollback()
        assert session.execute("SELECT count(*) FROM public.service").fetchone() == (0,)
        load_in_transaction(session, nasty.path, layout, deadline=NO_HURRY)
    assert body(dump_to(nasty_database, tmp_path / "again.sql").path) == body(nasty.path)


def test_in_place_keeps_the_deadline_too(empty_database: Empty, tmp_path: Path) -> None:
    slow, target = slow_dump(empty_database, tmp_path), empty_database()
    with (
        pytest.raises(RestoreFailed, match="not done within the deadline of 1 s"),
        connect(target) as session,
    ):
        load_in_transaction(session, slow, layout_of(slow), deadline=Deadline(1))
    with connect(target) as session:
        assert session.execute("SELECT to_regclass('public.slow')").fetchone() == (None,)


def test_in_place_more_objects_than_a_transaction_can_lock_are_told(
    database: DatabaseSettings, tmp_path: Path
) -> None:
    dumped = dump_to(database, tmp_path / "sample.sql")
    with connect(database) as session, connect(database, autocommit=True) as greedy:
        with pytest.raises(OutOfMemory):  # what it has by then, it keeps
            greedy.execute("SELECT pg_advisory_lock(i) FROM generate_series(1, 1000000) i")
        greedy.execute("SELECT pg_advisory_unlock(i) FROM generate_series(1, 30) i")
        with pytest.raises(
            RestoreFailed, match=r"^what is there could not be removed: out of shared memory$"
        ) as refused:
            load_in_transaction(session, dumped.path, layout_of(dumped.path), deadline=NO_HURRY)
    assert "max_locks_per_transaction" in refused.value.hint


def test_a_table_that_cannot_be_read_leaves_the_session_usable(database: DatabaseSettings) -> None:
    with connect(database, autocommit=True) as session:
        with pytest.raises(UndefinedTable):
            list(copied_rows(session, b"COPY nowhere TO stdout"))
        assert session.execute("SELECT 1").fetchone() == (1,)


def slow_dump(empty_database: Empty, folder: Path) -> Path:
    """A dump whose one row takes a minute: its CHECK sleeps, but where it was made."""
    source = empty_database()
    with connect(source, autocommit=True) as session:
        session.execute(SLOW.encode())
    return dump_to(source, folder / "slow.sql").path


def sessions_in(server: EmbeddedServer, name: str) -> int:
    with connect(server.database_settings("postgres")) as session:
        query = "SELECT FROM pg_stat_activity WHERE datname = %s"
        return session.execute(query, [name]).rowcount


def asleep_in(server: EmbeddedServer, name: str) -> bool:
    with connect(server.database_settings("postgres")) as session:
        query = "SELECT FROM pg_stat_activity WHERE datname = %s AND wait_event = 'PgSleep'"
        return session.execute(query, [name]).rowcount > 0
