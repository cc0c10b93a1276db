"""One session that works on whole databases, and lets nobody else restore the same one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from ppr_assets.errors import Busy, DatabaseFailed, RestoreFailed
from ppr_assets.postgres.databases import making
from ppr_assets.postgres.databases.beside import connect_beside
from ppr_assets.postgres.databases.comment import comment_of, comment_on, dated
from ppr_assets.postgres.databases.questions import Questions
from ppr_assets.postgres.databases.swap import swap
from ppr_assets.postgres.sessions.advisory_lock import lock_number, take_lock
from ppr_assets.postgres.sessions.connection import connect, pinned
from ppr_assets.postgres.sessions.failures import hint_for, is_servers_own, server_failures
from ppr_assets.postgres.sessions.live_sessions import staying, terminate
from ppr_assets.postgres.sessions.session import WITHOUT_LIMITS, prepare
from ppr_assets.settings import DatabaseSettings

_DROP_ATTEMPTS = 5


class Maintenance(Questions, frozen=True):
    """What is done to them. Valid until its context ends."""

    def create(
        self,
        name: str,
        *,
        like: str | None = None,
        encoding: str | None = None,
        collation: str | None = None,
        template: str = "template0",
    ) -> None:
        """Make an empty database: ``like`` an existing one, or with this encoding and collation
        (the server's own where not given). Raises :class:`RestoreFailed`."""
        options: list[sql.Composable] = [_template(template)]
        if like is not None:
            options += making.options_like(self.connection, like)
        elif encoding is not None:
            options += making.options_for(self.connection, encoding, collation)
        self._execute(
            sql.SQL("CREATE DATABASE {} {}").format(
                sql.Identifier(name), sql.SQL(" ").join(options)
            ),
            f"could not make database {name}",
        )

    def create_as(self, name: str, locale: Mapping[str, str], encoding: str, template: str) -> bool:
        """Make an empty database with a locale that was recorded elsewhere; False where this server
        does not have it."""
        options = [_template(template), *making.options_of(self.connection, locale, encoding)]
        statement = sql.SQL("CREATE DATABASE {} {}").format(
            sql.Identifier(name), sql.SQL(" ").join(options)
        )
        try:
            self._execute(statement, f"could not make database {name}")
        except RestoreFailed:
            return False
        return True

    def set_all(self, name: str, settings: Mapping[str, str]) -> Sequence[str]:
        """Set them for the database. Returns what the server does not take, in words."""
        return making.set_all(self.connection, name, settings)

    def copy_settings(self, source: str, to: str) -> Sequence[str]:
        """Give ``to`` the grants, settings and comment of ``source``.

        Returns what the role may not copy, in words, for a human who may.
        """
        return making.copied(self.connection, source, to)

    def note(self, name: str, text: str) -> list[str]:
        """Add a line with the moment to the database's comment. Returns what was in the way, in
        words: what is noted is done by then."""
        try:
            comment = "\n".join(filter(None, [comment_of(self.connection, name), dated(text)]))
            self._execute(comment_on(name, comment), "no comment")
        except (RestoreFailed, DatabaseFailed) as error:
            return [f"that could not be noted at database {name}: {error.message}"]
        except psycopg.Error as error:
            return [f"that could not be noted at database {name}: {error}"]
        return []

    def copy_limit(self, source: str, to: str) -> None:
        """Allow as many sessions in ``to`` as in ``source``: apart from the settings, since
        filling a database may take more sessions than it is to serve."""
        try:
            making.copy_limit(self.connection, source, to)
        except psycopg.Error as error:
            raise self._failed(f"could not limit the sessions of database {to}", error) from error

    def drop_unused(self, name: str) -> None:
        """Drop it unless somebody is in it. Raises :class:`Busy` naming who."""
        try:
            self._execute(
                sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)),
                f"could not drop database {name}",
            )
        except RestoreFailed as error:
            refused = error.__cause__
            if not isinstance(refused, psycopg.errors.ObjectInUse):
                raise
            # no session may be it: a subscription or a replication slot, say
            said = (refused.diag.message_primary, refused.diag.message_detail)
            who = "; ".join(map(str, self.sessions(name) or filter(None, said)))
            raise Busy(
                f"busy: database {name} is in use: {who}", hint="run again when they have left."
            ) from error

    def drop(self, name: str) -> None:
        """Drop it with the sessions in it; no matter if it is not there, whatever else is wrong.

        Not by ``WITH (FORCE)``: that wants the right to end the server's own workers too, which
        only superusers have, while a plain DROP sends autovacuum away by itself.
        """
        query = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        if not self.exists(name):
            return
        for remaining in reversed(range(_DROP_ATTEMPTS)):
            try:
                self._empty(name)
                self.connection.execute(query)
            except psycopg.errors.ObjectInUse as error:  # somebody came in between the two
                if not remaining:
                    raise self._failed(f"could not drop database {name}", error) from error
            except psycopg.Error as error:
                raise self._failed(f"could not drop database {name}", error) from error
            else:
                return

    def _empty(self, name: str) -> None:
        try:
            terminate(self.connection, name)
        except psycopg.errors.InsufficientPrivilege:  # some hosts let nobody, and nobody may be in
            if staying(self.connection, name):
                raise

    def swap(self, target: str, new: str, former: str, *, disconnect: bool) -> float:
        """Put ``new`` in the place of ``target``, which is ``former`` then, if it was there.

        Returns the seconds for which nobody could connect. Raises :class:`Busy` naming the
        sessions on the target that ``disconnect`` would have ended.
        """
        names = {"target": target, "new": new, "former": former}
        if not disconnect:
            return swap(self.connection, None, **names)
        with connect(replace(self.settings, dbname=self.connection.info.dbname)) as helper:
            helper.autocommit = True
            return swap(self.connection, helper, **names)

    def _execute(self, statement: sql.Composed, failure: str) -> None:
        try:
            self.connection.execute(statement)
        except psycopg.Error as error:
            raise self._failed(failure, error) from error

    def _failed(self, failure: str, error: psycopg.Error) -> Exception:
        """The restore's failure; a lost session stays what it is, see :func:`maintenance`."""
        if self.connection.closed:
            return error
        message = f"{failure}: {error.diag.message_primary}"
        if is_servers_own(error):
            return DatabaseFailed(message, hint=f"the database serves as before. {hint_for(error)}")
        return RestoreFailed(
            message,
            hint=error.diag.message_hint or "the database serves as before.",
        )


@contextmanager
def maintenance(settings: DatabaseSettings, *, home: str = "") -> Iterator[Maintenance]:
    """Open the session for restores of ``settings.dbname``, at ``home`` where a role may enter no
    database of the server's own.

    Raises :class:`DatabaseUnreachable`, also when it is lost on the way, and :class:`Busy` naming
    the session that restores the same database.
    """
    with (
        server_failures(settings.describe(), "working on its databases"),
        connect_beside(settings, home=home) as connection,
    ):
        prepare(connection, WITHOUT_LIMITS, local=False)
        number = lock_number("restore", settings.dbname)
        take_lock(connection, number, f"restoring database {settings.dbname}")
        yield Maintenance(pinned(settings, connection), connection)


def _template(name: str) -> sql.Composed:
    return sql.SQL("TEMPLATE {}").format(sql.Identifier(name))
