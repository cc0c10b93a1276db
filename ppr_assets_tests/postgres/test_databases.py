"""Databases beside a target: made alike, swapped by name, found again, and never in two hands."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from ppr_assets.errors import Busy, DatabaseUnreachable, RestoreFailed
from ppr_assets.postgres.databases.comment import dated, without_notes
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.databases.names import former_name, parse, restoring_name
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.rules.gate.difference import Accepted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_restore import slowness

Empty = Callable[[], DatabaseSettings]

MOMENT = datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC)


@contextmanager
def as_superuser(database: DatabaseSettings) -> Iterator[Maintenance]:
    with maintenance(replace(database, user="postgres")) as session:
        yield session


@contextmanager
def marked(work: Maintenance, target: DatabaseSettings) -> Iterator[tuple[str, str]]:
    """A new database that can be told from the target, and the names of both."""
    new, former = restoring_name(target.dbname, MOMENT), former_name(target.dbname, MOMENT)
    work.create(new, like=target.dbname)
    with connect(replace(target, dbname=new, user="postgres"), autocommit=True) as session:
        session.execute("CREATE TABLE public.is_new ()")
    try:
        yield new, former
    finally:
        for name in (new, former):
            work.drop(name)


def is_new(database: DatabaseSettings) -> bool:
    with connect(replace(database, user="postgres")) as session:
        return session.execute("SELECT to_regclass('public.is_new')").fetchone() != (None,)


@pytest.mark.parametrize("target", ["ppr", "x" * 63, "ü" * 31, 'a "quoted" name'])
def test_names_fit_and_are_read_again(target: str) -> None:
    for kind, make in (("restoring", restoring_name), ("before", former_name)):
        name = make(target, MOMENT)
        assert len(name.encode()) <= 63
        assert parse(target, name) == (kind, MOMENT)
        assert parse(target + "y", name) is None


@pytest.mark.parametrize(
    "name", ["ppr", "ppr_restoring_", "ppr_restoring_2026112202000", "ppr_before_20260231000000"]
)
def test_what_only_looks_alike_is_nobodys(name: str) -> None:
    assert parse("ppr", name) is None


def test_what_somebody_accepted_in_a_database_is_not_said_of_another_one() -> None:
    accepted = Accepted(["index one is missing"], Override("made anew", "command line"))
    note, other = dated(accepted.note("d.sql")), dated("`e.sql` was put back by Ann Lee")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: `d.sql` was restored here, ", note)
    assert without_notes(f"the records\n{note}\n{other}\n{note}") == f"the records\n{other}"
    assert without_notes(note) == ""


def test_what_cannot_be_noted_any_more_is_said_and_fails_nothing(empty_database: Empty) -> None:
    target = empty_database()
    with as_superuser(target) as work:
        assert work.note(target.dbname, "restored by Ann Lee") == []
        work.connection.close()
        assert work.note(target.dbname, "restored") == [
            f"that could not be noted at database {target.dbname}: the connection is closed"
        ]


def test_a_second_restore_of_the_same_database_is_told_who_is_at_it(empty_database: Empty) -> None:
    target, other = empty_database(), empty_database()
    with maintenance(target) as first:
        pid = first.connection.info.backend_pid
        with (
            pytest.raises(Busy, match=rf"^busy: session {pid} of pantry_pirate_radio .* is rest"),
            maintenance(target),
        ):
            pass
        with maintenance(other):
            pass
    with maintenance(target):
        pass


def test_whether_the_role_may_make_databases_is_known_before(empty_database: Empty) -> None:
    target = empty_database()
    with maintenance(target) as work:
        assert not work.may_create()
        with pytest.raises(RestoreFailed, match=r"^could not make database x: permission denied"):
            work.create("x")
    with as_superuser(target) as work:
        assert work.may_create()


def test_a_database_is_made_like_another_and_gets_what_that_was_given(
    embedded_server: EmbeddedServer,
) -> None:
    admin = embedded_server.database_settings("postgres")
    like, new = "like 'this\"", "new 'one\""
    settings = {"search_path": '"$user", "Odd ""one", public', "work_mem": "7MB"}
    with connect(admin, autocommit=True) as session:
        session.execute("CREATE ROLE like_owner")
        name = sql.Identifier(like)
        for statement in (
            "CREATE DATABASE {} TEMPLATE template0 OWNER like_owner ENCODING 'LATIN1' "
            "LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C'",
            "REVOKE ALL ON DATABASE {} FROM PUBLIC",
            "GRANT CREATE ON DATABASE {} TO pg_monitor WITH GRANT OPTION",
            f"ALTER DATABASE {{}} SET search_path TO {settings['search_path']}",
            "ALTER ROLE like_owner IN DATABASE {} SET work_mem TO '7MB'",
            "ALTER DATABASE {} SET application.name TO 'it''s'",
            "ALTER DATABASE {} CONNECTION LIMIT 7",
            "COMMENT ON DATABASE {} IS 'it''s'",
        ):
            session.execute(sql.SQL(statement).format(name))
    with maintenance(replace(admin, dbname=like)) as work:
        work.create(new, like=like)
        assert work.copy_settings(like, new) == []
        work.copy_limit(like, new)
        described = work.connection.execute(
            "SELECT to_jsonb(d) - 'oid' - 'datname' - 'datacl' - 'datfrozenxid' - 'datminmxid', "
            "ARRAY(SELECT a::text FROM unnest(d.datacl) a ORDER BY 1), "
            "ARRAY(SELECT (setrole, setconfig)::text FROM pg_db_role_setting "
            "WHERE setdatabase = d.oid ORDER BY 1), shobj_description(d.oid, 'pg_database') "
            "FROM pg_database d WHERE datname = ANY(%s)",
            [[like, new]],
        ).fetchall()
        assert described[0] == described[1]
        assert "Odd" in str(described[0][2])
        work.drop(new)
        work.drop(like)
        assert not work.exists(new)


def test_a_setting_that_the_server_no_longer_takes_is_told_and_the_others_are_copied(
    empty_database: Empty,
) -> None:
    """As one that went with an update: the server keeps what it was once given."""
    source, to = empty_database(), empty_database()
    with as_superuser(source) as work:
        work.connection.execute(
            "INSERT INTO pg_db_role_setting SELECT oid, 0, "
            "ARRAY['vacuum_defer_cleanup=1', 'work_mem=7MB'] FROM pg_database WHERE datname = %s",
            [source.dbname],
        )
        (told,) = work.copy_settings(source.dbname, to.dbname)
        assert told.startswith("setting vacuum_defer_cleanup: unrecognized ")
        row = work.connection.execute(
            "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase "
            "WHERE datname = %s",
            [to.dbname],
        ).fetchone()
        assert row == (["work_mem=7MB"],)


def test_a_swap_leaves_the_former_one_beside(empty_database: Empty) -> None:
    target = empty_database()
    with as_superuser(target) as work, marked(work, target) as (new, former):
        seconds = work.swap(target.dbname, new, former, disconnect=False)
        assert seconds < 0.5 * slowness(target)
        assert is_new(target)
        assert not is_new(replace(target, dbname=former))
        left = work.leftovers(target.dbname)
        assert [(one.name, one.kind, one.made_at) for one in left] == [(former, "before", MOMENT)]
        assert left[0].bytes


def test_a_target_that_is_not_there_is_only_named(empty_database: Empty) -> None:
    target = replace(empty_database(), dbname="never made")
    with as_superuser(target) as work:
        new = restoring_name(target.dbname, MOMENT)
        work.create(new, encoding="UTF8", collation="C")
        work.swap(target.dbname, new, former_name(target.dbname, MOMENT), disconnect=False)
        assert work.exists(target.dbname)
        assert not work.leftovers(target.dbname)
        work.drop(target.dbname)


def test_a_live_session_is_named_and_keeps_its_database(empty_database: Empty) -> None:
    target = empty_database()
    with (
        as_superuser(target) as work,
        marked(work, target) as (new, former),
        connect(target, autocommit=True) as client,
    ):
        pid = client.info.backend_pid
        with pytest.raises(Busy, match=rf"is in use: session {pid} of pantry_pirate_radio \(ppr_a"):
            work.swap(target.dbname, new, former, disconnect=False)
        assert client.execute("SELECT to_regclass('public.is_new')").fetchone() == (None,)
        assert work.exists(new)


def test_clients_that_come_back_at_once_do_not_keep_a_swap_away(empty_database: Empty) -> None:
    target = empty_database()
    over = threading.Event()
    answers: list[bool] = []

    def insist() -> None:
        while not over.is_set():
            try:
                with connect(target, autocommit=True) as client:
                    while not over.is_set():
                        found = client.execute("SELECT to_regclass('public.is_new')").fetchone()
                        answers.append(found != (None,))
            except (psycopg.Error, DatabaseUnreachable):
                continue

    clients = [threading.Thread(target=insist) for _ in range(4)]
    with as_superuser(target) as work, marked(work, target) as (new, former):
        for client in clients:
            client.start()
        while not answers:
            over.wait(0.01)
        try:
            seconds = work.swap(target.dbname, new, former, disconnect=True)
            while True not in answers:
                over.wait(0.01)
        finally:
            over.set()
            for client in clients:
                client.join()
        assert seconds < 5, "the server's own patience with sessions that stay"
        assert is_new(target)
        assert answers == sorted(answers), "the old database was seen after the new one"


def test_a_swap_that_fails_half_way_changes_nothing(empty_database: Empty) -> None:
    target = empty_database()
    with as_superuser(target) as work, marked(work, target) as (new, former):
        work.drop(new)  # so that the second rename fails
        with pytest.raises(psycopg.errors.InvalidCatalogName):
            work.swap(target.dbname, new, former, disconnect=False)
        assert not is_new(target)
        assert not work.exists(former)


@contextmanager
def autovacuum_in(server: EmbeddedServer, dbname: str) -> Iterator[None]:
    """One of the server's own workers is in the database, and stays there for long."""
    eager = {"autovacuum": "on", "autovacuum_naptime": "1s"}
    query = "SELECT FROM pg_stat_activity WHERE datname = %s AND backend_type = 'autovacuum worker'"
    with connect(server.database_settings("postgres"), autocommit=True) as session:
        for name, value in eager.items():
            session.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        session.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 240
        while session.execute(query, [dbname]).fetchone() is None:
            assert time.monotonic() < deadline, "no autovacuum came"
            time.sleep(0.05)
        yield
        for name in eager:
            session.execute(f"ALTER SYSTEM RESET {name}")
        session.execute("ALTER SYSTEM SET autovacuum TO off")  # as for all other tests
        session.execute("SELECT pg_reload_conf()")


def test_a_role_drops_its_database_also_while_the_server_cleans_up_in_it(
    empty_database: Empty, embedded_server: EmbeddedServer
) -> None:
    database = empty_database()
    with connect(database, autocommit=True) as session:
        session.execute(
            "CREATE TABLE t "
            "WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1) "
            "AS SELECT g, repeat('x', 500) FROM generate_series(1, 9999) g"
        )
        session.execute("DELETE FROM t WHERE g % 2 = 0")
    with autovacuum_in(embedded_server, database.dbname), maintenance(database) as work:
        work.drop(database.dbname)
        assert not work.exists(database.dbname)


def test_a_server_that_is_lost_is_said_so(empty_database: Empty) -> None:
    target = empty_database()

    def lose() -> None:
        with as_superuser(target) as work:
            pid = work.connection.info.backend_pid
            with connect(replace(target, user="postgres"), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            work.exists("x")

    with pytest.raises(DatabaseUnreachable, match=r"^lost the session with "):
        lose()
