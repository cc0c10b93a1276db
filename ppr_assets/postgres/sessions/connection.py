"""Sessions with the server that the settings name, and with no other one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.postgres.sessions.failures import (
    SESSIONS_TAKEN,
    UNREADABLE,
    first_words,
    server_failure,
    taken,
    tells_of_damage,
)
from ppr_assets.postgres.sessions.libpq import parameters
from ppr_assets.postgres.sessions.patience import PatientConnection
from ppr_assets.postgres.sessions.pooler import (
    BEHIND_A_POOLER,
    NONE_FREE,
    is_pooled,
    require_own_sessions,
)
from ppr_assets.settings import DatabaseSettings, forget_libpq

NO_LIMITS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}
"""No limit of the server's may end our work: a deadline is ours."""


def milliseconds(seconds: float) -> str:
    """A limit as a session sets it; never none, which 0 would be."""
    return f"{max(1, round(seconds * 1000))}ms"


_PINNED = {
    "search_path": "",  # first of all: nothing that we say may mean what somebody else has made
    **NO_LIMITS,
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
}
"""Settings of a database or a role (``ALTER … SET``) that would end our work early, or make other
bytes of the same data. Set by statement and not when connecting, as poolers refuse the latter."""

_KNOWN_SINCE = {
    "client_connection_check_interval": 14,
    "idle_session_timeout": 14,
    "transaction_timeout": 17,
}
"""PostgreSQL's version that knows them, where an older one is still met."""

_OWN_SESSIONS_ONLY = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "row_security": "off",  # a table whose policies would hide rows, or call functions, is refused
    "constraint_exclusion": "off",  # nor does a plan call what is in constraints
}
"""The same for what the driver and psql read; pg_dump sets these, and the search path, itself."""

_NO_EVENT_TRIGGERS = "-c event_triggers=off"
"""For PostgreSQL 17 and newer, as a role that may: a login trigger is not run."""

_REFUSED_OPTIONS = ("event_triggers", "options", "startup parameter")
"""What is in a server's or a pooler's words, in whatever language, that refuse it."""

_refusing: set[tuple[str, int, str]] = set()
"""Hosts, ports and roles that may not have that option, so that they are asked once."""

_WHO: LiteralString = (
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.to_char("
    "pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), "
    "pg_catalog.current_database()::pg_catalog.text, session_user::pg_catalog.text"
)
"""Who serves this session. No two servers have started in the same microsecond."""

_WHO_AT_ALL: LiteralString = (
    "SELECT pg_catalog.pg_backend_pid(), '', "
    "pg_catalog.current_database()::pg_catalog.text, session_user::pg_catalog.text"
)
"""The same where a host does not tell when its server started."""

_AT_REST = (TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR)


class Session(PatientConnection):
    """A connection that leaves nothing behind in a pooler's session, which others get next."""

    server = ""
    dbname = ""
    user = ""
    pooled = False
    leaves_traces = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        finally:
            self.close()  # also where the server has refused to commit

    def close(self) -> None:
        if self.leaves_traces and self.pgconn.transaction_status in _AT_REST:
            with suppress(psycopg.Error):  # what is lost leaves nothing either
                self.rollback()
                self.autocommit = True
                self.execute("DISCARD ALL")
        super().close()


def connect(settings: DatabaseSettings, **options: Any) -> Session:
    """Open a session, in which nothing that a database or a role is set to changes our work.

    Its search path is empty, so that a name without its schema is one of pg_catalog or of nothing.

    ``options`` go to :func:`psycopg.connect`. Raises :class:`DatabaseUnreachable` with the
    server's own words, which hold no password, and :class:`PreconditionFailed` where a pooler
    shares its sessions, or another server answers than the one that did before.
    """
    try:
        session = opened(settings, options)
        try:
            _require_server(session, settings)
            session.leaves_traces = session.pooled
            session.execute(pinning_statements(session.info.server_version))
        except BaseException:
            session.close()
            raise
        session.autocommit = options.get("autocommit", False)
        return session
    except psycopg.Error as error:
        if "query_wait_timeout" in str(error):
            raise DatabaseUnreachable(
                f"no session with {settings.describe()}: a pooler has none free for us",
                hint=NONE_FREE,
            ) from error
        if error.sqlstate is not None:  # the server let us in, and then did not do what we asked
            failure = server_failure(error, settings.describe(), "opening a session")
            raise failure from failure.__cause__
        raise DatabaseUnreachable(
            f"no session with {settings.describe()}: {first_words(str(error))}",
            hint=_hint(settings, str(error)),
        ) from None


def pinned(settings: DatabaseSettings, session: Session) -> DatabaseSettings:
    """``settings`` for the very server that ``session`` is with: a name may stand for several, and
    only one of them has what this session sees. TLS still asks for the name."""
    info = session.info
    return replace(
        settings,
        host=info.host,
        hostaddr=info.hostaddr or None,
        server=session.server,
        pooled=session.pooled,
    )


def require_named(settings: DatabaseSettings, session: Session) -> None:
    """Raise :class:`PreconditionFailed` where a pooler has led to another database or role than the
    one that was named, or PPR_DIRECT_HOST to another server than POSTGRES_HOST."""
    # Supavisor's names of roles go on behind a dot, Azure's behind an @, with whose they are
    tenant = session.pooled and re.match(rf"{re.escape(session.user)}[.@]", session.info.user)
    if session.dbname != session.info.dbname or not (session.user == session.info.user or tenant):
        raise PreconditionFailed(
            f"{settings.describe()} is database {session.dbname} and role {session.user} in truth: "
            "what is behind a pooler has other names there",
            hint="set POSTGRES_DB and POSTGRES_USER to these, and PPR_DIRECT_HOST and _PORT to the "
            "server itself; nothing was changed.",
        )
    if settings.named is None:
        return
    host, port = settings.named
    named = replace(settings, host=host, port=port, named=None, hostaddr=None, server=None)
    try:
        other = opened(replace(named, dbname=session.info.dbname), {})
    except psycopg.OperationalError:  # a pooler need not know the database, nor be up
        return
    with other:
        if other.server != session.server:
            raise PreconditionFailed(
                f"PPR_DIRECT_HOST leads to another server ({settings.describe()}) than "
                f"POSTGRES_HOST ({named.describe()})",
                hint="set them to the same server, or PPR_DIRECT_HOST and _PORT to nothing; "
                "nothing was changed.",
            )


def pinning_statements(server_version: int) -> bytes:
    """What each session begins with, also one that psql opens."""
    wanted = pinned_settings(server_version) | _OWN_SESSIONS_ONLY
    return "".join(f"SET {name} TO '{value}';" for name, value in wanted.items()).encode()


def opened(settings: DatabaseSettings, options: dict[str, Any]) -> Session:
    """A session that has set nothing yet, and who it is with."""
    forget_libpq()
    given = {"prepare_threshold": None} | parameters(settings) | options | {"autocommit": True}
    asked = (settings.host, settings.port, settings.user)
    session: Session | None = None
    # of several hosts, what the first one refuses the next one may take
    if asked not in _refusing and "options" not in options and "," not in settings.host:
        try:
            session = Session.connect(**given, options=_NO_EVENT_TRIGGERS)
        except psycopg.OperationalError as error:
            if not any(word in str(error) for word in _REFUSED_OPTIONS):
                raise
            _refusing.add(asked)
    session = session or Session.connect(**given)
    session.patience_seconds = settings.patience_seconds
    try:
        row = _who(session)
        assert row is not None
        pid, session.server, session.dbname, session.user = row
        session.pooled = is_pooled(session, pid)
    except BaseException:
        session.close()
        raise
    return session


def _who(session: Session) -> tuple[Any, ...] | None:
    try:
        return session.execute(_WHO).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.NotSupportedError):
        return session.execute(_WHO_AT_ALL).fetchone()


def _require_server(session: Session, settings: DatabaseSettings) -> None:
    """Before anything is set in it: that the session is ours alone, and with the same server."""
    told = settings.server and session.server  # a host may keep it to itself, in one database
    if told and settings.server != session.server:
        raise PreconditionFailed(
            f"another server answers at {settings.describe()} than a moment ago, or it was started "
            "anew",
            hint="if a load balancer is there, or a pooler with several servers, PPR_DIRECT_HOST "
            "and _PORT name one of them; else run again.",
        )
    if session.pooled and settings.server is None:
        with opened(settings, {}) as second:
            require_own_sessions(session, second, settings)


def _hint(settings: DatabaseSettings, said: str) -> str:
    if taken(said):
        return SESSIONS_TAKEN
    if tells_of_damage(said):
        return UNREADABLE
    if settings.pooled:
        return BEHIND_A_POOLER
    if "PL/" in said:  # where in its code a function has raised an error
        return (
            f"a trigger on login of that database refuses role {settings.user}: have it let the "
            "role in (psql lists event triggers by `\\dy`)."
        )
    if settings.server is not None:
        return (
            "there was a session a moment ago. Is the server still up, and may the role enter that "
            "database? If a load balancer is there, PPR_DIRECT_HOST and _PORT name one server."
        )
    where = f"{settings.variables}_HOST, _PORT, _USER, _DB and _PASSWORD"
    if settings.named is not None:
        where = "PPR_DIRECT_HOST and _PORT, and POSTGRES_USER, _DB and _PASSWORD,"
    return f"is the server up, and are {where} right? `ppr-assets doctor` looks at each."


def pinned_settings(server_version: int) -> dict[str, str]:
    """What a server of this version knows of what is to be set."""
    return known_settings(server_version, _PINNED)


def known_settings(server_version: int, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of ``wanted`` that a server of this version knows."""
    version = server_version // 10000
    return {name: value for name, value in wanted.items() if _KNOWN_SINCE.get(name, 0) <= version}
