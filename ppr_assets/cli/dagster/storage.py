"""Dagster's own storage, looked at before Dagster does: it tries for long and tells little.

What fails in it later, while a run is recorded in it, is put into words here as well.
"""

from __future__ import annotations

import os
import select
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ppr_assets.cli.dagster.files import EMERGENCY, broken, broken_file, storage_folder
from ppr_assets.errors import DatabaseUnreachable, PprError, SettingsError, StorageFailed
from ppr_assets.settings import Secret, without_secrets

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from sqlalchemy import URL, Engine

_CONNECT_TIMEOUT = 15

_SESSION_SECONDS = 10
"""So old, a kept session is replaced: what lies between may have forgotten it without a word."""
_LOCKED_SECONDS = 30
"""As long as Dagster's own sessions with files wait for another process that writes."""
_MORE_SESSIONS = 5
"""Beside the one that each of Dagster's storages keeps, for statements inside of others."""
_OF_ITS_TABLES = (
    "has_table",
    "has_asset_key_col",
    "has_run_stats_index_cols",
    "has_backfill_id_column",
)
"""What Dagster asks of its tables, a hundred times a night; a migration alone changes it."""
_SESSIONS = ("connect", "index_connection", "run_connection")
"""How Dagster's storages come to a session; the last names the run whose file it is."""


def require_storage(url: Secret) -> None:
    """Raise :class:`DatabaseUnreachable` if DAGSTER_POSTGRES_URL leads to no database, and
    :class:`SettingsError` if it is no URL."""
    conninfo = url.reveal().replace("postgresql+psycopg2://", "postgresql://", 1)
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:  # its text quotes the URL, and with it the password
        raise SettingsError(
            "DAGSTER_POSTGRES_URL is set to a value not shown here, must be a URL that libpq reads",
            hint="Write what is special in user and password as %XX: a per cent sign is %25.",
        ) from None
    try:
        psycopg.connect(conninfo, connect_timeout=_CONNECT_TIMEOUT).close()
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"no session with Dagster's storage: {' '.join(str(error).split())}",
            hint="is the server of DAGSTER_POSTGRES_URL up, and is its database there? Runs and "
            f"lineage are kept in it. To back up at once, {EMERGENCY}.",
        ) from None


def require_home(home: Path) -> None:
    """Raise :class:`SettingsError` if DAGSTER_HOME is not a folder, and :class:`StorageFailed` if
    it cannot be written to."""
    if not home.is_dir():
        raise SettingsError(
            f"DAGSTER_HOME is `{home}`, must be a folder that is there",
            hint="make it and put this project's dagster.yaml into it, or unset the variable.",
        )
    if not os.access(home, os.W_OK | os.X_OK):
        raise StorageFailed(
            f"DAGSTER_HOME is `{home}`, must be a folder that can be written to",
            hint="let the user that runs this write there, or name another one; Dagster keeps what "
            f"it does in it. To back up at once, {EMERGENCY}.",
        )


@contextmanager
def storage_failures(home: Path) -> Iterator[None]:
    """Turn what Dagster's storage fails of into :class:`StorageFailed`, or, where that is a server,
    :class:`DatabaseUnreachable`. Its drivers are nobody's else, nor are the files in its folder."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and _is_file_of(home, error):
            raise StorageFailed(
                f"Dagster's storage `{error.filename}` cannot be used: {error.strerror}",
                hint="look at that file, its folder and the disk, or name another folder in "
                f"DAGSTER_HOME. To back up at once, {EMERGENCY}.",
            ) from error
        if type(error).__module__.partition(".")[0] not in _DRIVERS:
            raise
        raise _failure(home, error) from error


@contextmanager
def kept_sessions(instance: DagsterInstance) -> Iterator[None]:
    """Let Dagster keep its sessions for the block: with a server as it does in its web server, and
    with files in the same way. Otherwise it opens one for each of the 250 statements of a night.

    A session that has ended meanwhile is noticed before it is used, and another one is opened.
    """
    from sqlalchemy import event
    from sqlalchemy.pool import Pool, QueuePool

    opened: list[Any] = []

    def keep(session: Any, _record: object) -> None:
        opened.append(session)

    instance.optimize_for_webserver(
        statement_timeout=0, pool_recycle=_SESSION_SECONDS, max_overflow=_MORE_SESSIONS
    )
    event.listen(Pool, "connect", _wait_seldom)
    event.listen(QueuePool, "connect", keep)
    event.listen(QueuePool, "checkout", _require_alive)
    storages = (instance.event_log_storage, instance.run_storage)
    try:
        with ExitStack() as kept:
            for storage in storages:
                kept.enter_context(_asked_once(storage))
                kept.enter_context(_kept_files(storage))
            yield
    finally:
        event.remove(QueuePool, "checkout", _require_alive)
        event.remove(QueuePool, "connect", keep)
        event.remove(Pool, "connect", _wait_seldom)
        for session in opened:
            session.close()


def _wait_seldom(session: Any, _record: object) -> None:
    """Have no statement of a session wait for the disk, which each of 200 of a night would do: a
    server writes within a second what it has promised, and SQLite where it moves what is written
    ahead into its file, as when that is closed. A power failure may take the last moments of a run,
    and damages nothing. A run's new file is written ahead at once, and not when Dagster says so."""
    if isinstance(session, sqlite3.Connection):
        if session.execute("PRAGMA page_count").fetchone() == (0,):
            session.execute("PRAGMA journal_mode = WAL")
        session.execute("PRAGMA synchronous = NORMAL")
    elif type(session).__module__.partition(".")[0] == "psycopg2":
        with session, session.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")


def _require_alive(session: Any, _record: object, _proxy: object) -> None:
    """Look at a session before it is used. Nobody has asked it anything, so that whatever it has to
    say is its end. SQLAlchemy replaces one that is disconnected."""
    from sqlalchemy.exc import DisconnectionError

    if not hasattr(session, "fileno"):  # that is with a file, which nobody ends
        return
    said = select.poll()
    try:
        said.register(session, select.POLLIN)
    except session.Error as error:  # it is closed already
        raise DisconnectionError from error
    if said.poll(0):
        raise DisconnectionError


@contextmanager
def _asked_once(storage: Any) -> Iterator[None]:
    """Keep the answers about its tables for the block; Dagster keeps none of them."""
    with ExitStack() as at_the_end:
        for name in _OF_ITS_TABLES:
            if (question := getattr(storage, name, None)) is not None:
                setattr(storage, name, cache(question))
                at_the_end.callback(delattr, storage, name)
        yield


@contextmanager
def _kept_files(storage: Any) -> Iterator[None]:
    """Keep each file open that the storage opens in the block, and what SQLAlchemy has made of its
    statements. A storage with a server has its own way for that."""
    engines: dict[tuple[str, ...], Engine] = {}

    @contextmanager
    def session(open_file: Callable[..., Any], *run: str) -> Iterator[Any]:
        if run in engines:
            with engines[run].begin() as kept:
                yield kept
            return
        with open_file(*run) as first:  # which makes the tables, where they are not there
            if first.dialect.name == "sqlite":
                engines[run] = _keeping(first.engine.url)
            yield first

    with ExitStack() as at_the_end:
        for name in _SESSIONS:
            if (open_file := getattr(storage, name, None)) is not None:
                setattr(storage, name, partial(session, open_file))
                at_the_end.callback(delattr, storage, name)
        try:
            yield
        finally:
            for engine in engines.values():
                engine.dispose()


def _keeping(url: URL) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import QueuePool

    return create_engine(url, poolclass=QueuePool, connect_args={"timeout": _LOCKED_SECONDS})


def _is_file_of(home: Path, error: OSError) -> bool:
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    folders = (home, storage_folder(home))
    return named is not None and any(named.is_relative_to(one) for one in folders if one)


_DRIVERS = ("sqlalchemy", "sqlite3", "psycopg2", "alembic", "dagster_postgres")


def _failure(home: Path, error: Exception) -> PprError:
    words = " ".join(without_secrets(str(error)).partition("\n[")[0].split())[:300]
    if "psycopg2" in words or storage_folder(home) is None:
        return DatabaseUnreachable(
            f"Dagster's storage failed: {words}",
            hint="look at the log of the server of DAGSTER_POSTGRES_URL; `ppr-assets status` says "
            f"what stands. To back up at once, {EMERGENCY}.",
        )
    if (found := broken_file(home)) is not None:
        return broken(*found)
    return StorageFailed(
        f"Dagster's storage in `{home}` failed: {words}",
        hint="is the disk full, or does another process hold its files? `ppr-assets status` says "
        f"what stands. To back up at once, {EMERGENCY}.",
    )
