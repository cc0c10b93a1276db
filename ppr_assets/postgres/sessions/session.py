"""One session that loads: its settings, and the server's words when something fails."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus

from ppr_assets.errors import DatabaseFailed, DatabaseUnreachable, RestoreFailed
from ppr_assets.postgres.sessions.computing import AS_SET
from ppr_assets.postgres.sessions.connection import NO_LIMITS, Session, connect, known_settings
from ppr_assets.postgres.sessions.copy_out import copied_rows
from ppr_assets.postgres.sessions.failures import hint_for, is_lost, is_servers_own, server_words
from ppr_assets.postgres.sessions.patience import LONG_SECONDS, PatientConnection
from ppr_assets.settings import DatabaseSettings

Connection = PatientConnection

WITHOUT_LIMITS = NO_LIMITS | {
    # a backend notices within seconds that its client was killed, and in two minutes that the
    # whole machine is gone
    "client_connection_check_interval": "5s",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
"""For any session whose work takes its time."""

_SETTINGS = WITHOUT_LIMITS | {
    # what pg_dump writes at the head of a dump, and what else its texts rely on
    "search_path": "",
    "standard_conforming_strings": "on",
    "check_function_bodies": "off",
    "xmloption": "content",
    "client_min_messages": "warning",
    "row_security": "off",
    "lc_monetary": "C",
    "default_tablespace": "",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    # as pg_dump reads, for the comparison afterwards
    "synchronize_seqscans": "off",
}

_FAST = {"maintenance_work_mem": "256MB", "synchronous_commit": "off"}
"""Nobody reads the new database yet, so a crash may lose its last commits: it is made anew."""


class _NameLoader(Loader):
    """Names as the layout of a dump has them, whatever encoding it is in."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "surrogateescape")


class Stopped(Exception):
    """Raised in a session's thread when the work as a whole was given up."""


class LoadingSession:
    """A connection, and what cancels it when all stop."""

    def __init__(
        self, connection: Connection, stop: threading.Event, search_path: str = ""
    ) -> None:
        self.connection = connection
        self._stop = stop
        self._search_path = search_path
        self._settings = b""

    def stand_under(self, settings: bytes, what: str) -> None:
        """Run a dump's own settings, unless they are those of the statement before. Not for
        sessions in which what is set is rolled back."""
        if settings not in (b"", self._settings):
            self.execute(settings, what)
            self._settings = settings

    @contextmanager
    def as_dumped(self) -> Iterator[None]:
        """What a dump's own statements run in: the search path that stands at its head. Ours have
        an empty one."""
        if not self._search_path:
            yield
            return
        self._set_path(self._search_path)
        try:
            yield
        finally:
            state = self.connection.info.transaction_status
            if state in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
                self._set_path("")

    def _set_path(self, path: str) -> None:
        statement = "SELECT pg_catalog.set_config('search_path', %s, false)"
        try:
            self.connection.execute(statement, [path])
        except psycopg.Error as error:
            raise failed(f"the search path {path}", error) from error

    def execute(self, statements: bytes, what: str) -> None:
        """Run the bytes as they are. Raises :class:`RestoreFailed` naming ``what``."""
        self.require_going_on()
        try:
            self.connection.execute(statements, prepare=False)
        except psycopg.Error as error:
            raise failed(what, error) from error

    def copy_in(self, statement: bytes, chunks: Iterable[bytes], what: str) -> None:
        """Send rows as they stand in the dump. Raises :class:`RestoreFailed` naming ``what``."""
        self.require_going_on()
        try:
            with (
                self.as_dumped(),
                self.connection.cursor() as cursor,
                cursor.copy(statement) as copy,
            ):
                for chunk in chunks:
                    self.require_going_on()
                    copy.write(chunk)
        except psycopg.Error as error:
            raise failed(what, error) from error

    def copy_out(self, statement: bytes, what: str) -> Iterator[bytes]:
        """Rows in chunks, as the server writes them. Raises :class:`RestoreFailed`."""
        try:
            for chunk in copied_rows(self.connection, statement):
                self.require_going_on()
                yield chunk
        except psycopg.Error as error:
            raise failed(what, error) from error

    def require_going_on(self) -> None:
        if self._stop.is_set():
            raise Stopped


def open_session(settings: DatabaseSettings, encoding: str) -> Session:
    """A connection of its own for loading a dump in ``encoding``, each statement for itself.

    Raises :class:`DatabaseUnreachable`.
    """
    connection = connect(settings, autocommit=True, prepare_threshold=None)
    connection.patience_seconds = LONG_SECONDS
    try:
        _read_names(connection)
        connection.execute(AS_SET)
        prepare(connection, _SETTINGS | _FAST | {"client_encoding": encoding}, local=False)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare_transaction(connection: Connection, encoding: str) -> None:
    """The same for the transaction that is open on ``connection``, and no longer than it."""
    connection.patience_seconds = LONG_SECONDS
    _read_names(connection)
    connection.execute(AS_SET)
    wanted = _SETTINGS | _FAST | {"client_encoding": encoding}
    prepare(connection, {k: v for k, v in wanted.items() if k != "synchronous_commit"}, local=True)


def _read_names(connection: Connection) -> None:
    for kind in ("text", "name", '"char"'):
        connection.adapters.register_loader(kind, _NameLoader)


def prepare(connection: Connection, wanted: Mapping[str, str], *, local: bool) -> None:
    """Set what a server of this version knows of these settings."""
    statement = sql.SQL("SET LOCAL {} TO {};" if local else "SET {} TO {};")
    known = known_settings(connection.info.server_version, wanted)
    connection.execute(
        sql.SQL("").join(
            statement.format(sql.Identifier(name), sql.Literal(value))
            for name, value in known.items()
        )
    )


def failed(what: str, error: psycopg.Error) -> RestoreFailed | DatabaseFailed:
    """The error for a statement that the server refused, with the server's own words.

    A lost session, or a server without room or memory, is not a fault of the dump.
    """
    if is_lost(error):
        return DatabaseUnreachable(
            f"lost the session while restoring {what}: {_words(error)}",
            hint="look at the server's log; the database serves as before.",
        )
    message = f"{what} could not be restored: {_words(error)}"
    if is_servers_own(error):
        # of resources the server knows the name of the setting; of statements, what their author
        # can do
        hint = f"the database serves as before. {error.diag.message_hint or hint_for(error)}"
        return DatabaseFailed(message, hint=hint)
    return RestoreFailed(message, hint="nothing was put in place; the database serves as before.")


def _words(error: psycopg.Error) -> str:
    context = (error.diag.context or "").splitlines()
    copied = (line for line in context if line.startswith("COPY "))
    return server_words(error, error.diag.message_detail, *copied)
