"""Start, find again and stop the server of a data folder. It outlives the process that did it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from psycopg import sql

from ppr_assets.postgres.embedded.accounts import account_for, require_own
from ppr_assets.postgres.embedded.data_folder import (
    SUPERUSER,
    clear_leftovers,
    ensure_initialized,
    locked,
)
from ppr_assets.postgres.embedded.launching import launch, settled, shut_down
from ppr_assets.postgres.embedded.postmaster import Postmaster, running_postmaster
from ppr_assets.postgres.embedded.socket_folder import PORT, remove_socket_folder
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import DatabaseSettings, Secret


class EmbeddedServer(Struct, frozen=True):
    """A server that takes sessions on a socket in ``socket_dir``, from its owner and root only."""

    data_dir: Path
    socket_dir: Path
    port: int
    started_here: bool
    superuser: str = SUPERUSER

    def database_settings(self, dbname: str, user: str = SUPERUSER) -> DatabaseSettings:
        """Settings for a session with ``dbname``; the password is set, and empty."""
        return DatabaseSettings(
            host=str(self.socket_dir),
            port=self.port,
            user=user,
            dbname=dbname,
            sslmode=None,
            password=Secret(""),
        )

    def url(self, dbname: str) -> str:
        """``postgresql://postgres@/dbname?host=/socket/folder``, for libpq and SQLAlchemy."""
        folder = quote(str(self.socket_dir), safe="/")
        return f"postgresql://{self.superuser}@/{quote(dbname, safe='')}?host={folder}"

    def create_database(self, dbname: str, owner: str | None = None) -> None:
        """Create ``dbname`` unless it is there, and its owner, a role that may log in, likewise."""
        with connect(self.database_settings(self.superuser), autocommit=True) as session:
            role = sql.Identifier(owner or self.superuser)
            known = session.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", [owner])
            if owner is not None and known.fetchone() is None:
                session.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            query = "SELECT FROM pg_catalog.pg_database WHERE datname = %s"
            there = session.execute(query, [dbname])
            if there.fetchone() is None:
                name = sql.Identifier(dbname)
                session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))

    def stop(self) -> None:
        """End the server; sessions are cut off, transactions rolled back. See :func:`stop`."""
        stop(self.data_dir)


def find(data_dir: Path) -> EmbeddedServer | None:
    """The server of ``data_dir`` if it takes sessions, else None. Changes nothing.

    Raises :class:`PreconditionFailed` when the folder belongs to somebody else.
    """
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return None
    require_own(data_dir)
    found = running_postmaster(data_dir)
    return _server(data_dir, found, started_here=False) if found and found.ready else None


def start(data_dir: Path) -> EmbeddedServer:
    """Return the running server of ``data_dir``, after making the folder and starting it if needed.

    The parent folder is made as well. A file that a killed server left is survived, a server that
    is just recovering is waited for. Raises :class:`PreconditionFailed` when the folder cannot be
    used and :class:`DatabaseUnreachable`, with the end of the server's log, when it does not start.
    """
    data_dir = data_dir.resolve()
    with locked(data_dir):
        account = account_for(data_dir)
        ensure_initialized(data_dir, account)
        found = settled(data_dir)
        if found is not None:
            return _server(data_dir, found, started_here=False)
        clear_leftovers(data_dir)
        return _server(data_dir, launch(data_dir, account), started_here=True)


def stop(data_dir: Path) -> bool:
    """Stop the server of ``data_dir`` and wait for its end; False when none was running.

    Raises :class:`PreconditionFailed` when it is still there after five minutes.
    """
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return False
    with locked(data_dir):
        account = account_for(data_dir)
        found = running_postmaster(data_dir)
        if found is None:
            return False
        shut_down(data_dir, found, account)
        if found.socket_dir is not None:
            remove_socket_folder(found.socket_dir, data_dir)
        return True


def _server(data_dir: Path, found: Postmaster, *, started_here: bool) -> EmbeddedServer:
    return EmbeddedServer(
        data_dir=data_dir,
        socket_dir=found.socket_dir or data_dir,
        port=found.port or PORT,
        started_here=started_here,
    )
