"""The new database that a restore or a drill fills: made beside the target, never left behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ppr_assets.errors import (
    DatabaseFailed,
    DatabaseUnreachable,
    PprError,
    PreconditionFailed,
    RestoreFailed,
)
from ppr_assets.plain_sql.verify import VerifiedDump
from ppr_assets.postgres.databases.fitness import collation_for, collation_of
from ppr_assets.postgres.databases.maintenance import Maintenance
from ppr_assets.postgres.databases.names import restoring_name
from ppr_assets.postgres.sessions.computing import (
    SETTINGS,
    Connection,
    in_words,
    own_settings,
    read_locale,
    read_settings,
)
from ppr_assets.postgres.sessions.connection import Session, connect
from ppr_assets.postgres.sessions.pooler import no_other_database
from ppr_assets.settings import DatabaseSettings

NOT_SAID = (
    "the manifest is from before it was recorded how the database was set (time zone, text search, "
    "styles), so what it computes may be other here"
)


@contextmanager
def new_database(session: Maintenance, verified: VerifiedDump) -> Iterator[tuple[str, list[str]]]:
    """An empty database beside the target, as the target is or as the dump needs it; dropped if
    it is still there in the end."""
    target = session.settings.dbname
    name = session.unused(restoring_name)
    remarks: list[str] = []
    template = session.template_with(verified.layout.extensions)
    try:
        if session.exists(target):
            session.create(name, like=target, template=template)
        else:
            remarks += _made_as_described(session, name, verified, template)
        with _entered(session, name) as connection:
            remarks += _other_locale(session, name, verified)
            if not session.exists(target):  # else its own are copied first
                if verified.manifest and verified.manifest.computing is None:
                    remarks.append(NOT_SAID)
                remarks += as_set_where_dumped(session, name, verified, connection)
        yield name, remarks
    except PprError as error:
        try:
            session.drop(name)
        except (RestoreFailed, DatabaseFailed) as left:  # what went wrong before it says more
            error.hint += f" A half-made database is still there: {left.message}."
        raise
    except BaseException:
        session.drop(name)
        raise
    session.drop(name)


def twin_maker(
    session: Maintenance, verified: VerifiedDump, name: str, until: ExitStack
) -> Callable[[], DatabaseSettings]:
    """Makes another empty database as ``name`` was made, with the settings that it has by now.

    It is dropped with ``until``, which is to end after ``name`` was dropped or serves: to drop a
    database, the server first writes to its disk what it holds in memory, of all databases.
    """

    def make() -> DatabaseSettings:
        other, _ = until.enter_context(new_database(session, verified))
        session.copy_settings(name, other)
        return replace(session.settings, dbname=other)

    return make


def as_set_where_dumped(
    session: Maintenance, name: str, verified: VerifiedDump, connection: Session
) -> list[str]:
    """Give the new database ``name``, with which ``connection`` is, the settings that decide what
    it computes while it is filled, but for those that somebody has set for the one that it is like.

    Returns in words what was set, what is other all the same, and what this server does not take.
    """
    decided = own_settings(connection)
    said = set_otherwise(connection, verified, decided)
    other = _other(connection, verified)
    here = {key: value for key, (_, value) in other.items() if key not in decided}
    refused = session.set_all(name, here)
    given = [key for key in here if not any(f"setting {key} " in one for one in refused)]
    return [
        *(
            f"{key} is set to {here[key]} for the database, as where the dump is from; for the "
            f"server it is {other[key][0]}"
            for key in given
        ),
        *said,
        *(f"not as where the dump is from: {one}" for one in refused),
    ]


def set_as_target(session: Maintenance, name: str, verified: VerifiedDump) -> list[str]:
    """Give the new database ``name`` the settings of a target that is there: how money is written,
    for one, decides what is loaded. Returns in words what was and what was not set."""
    target = session.settings.dbname
    if not session.exists(target):
        return []
    copied = session.copy_settings(target, name)
    with connect(replace(session.settings, dbname=name), autocommit=True) as connection:
        return [*copied, *as_set_where_dumped(session, name, verified, connection)]


def set_otherwise(
    connection: Connection, verified: VerifiedDump, decided: Collection[str] = SETTINGS
) -> list[str]:
    """In words, which of the settings ``decided`` are other than where the dump is from."""
    return [
        f"{key} is {have} here, {wanted} where the dump is from: what it computes may be other"
        for key, (have, wanted) in _other(connection, verified).items()
        if key in decided
    ]


def _other(connection: Connection, verified: VerifiedDump) -> Mapping[str, tuple[str, str]]:
    """Settings that this database and the dumped one both know, and not alike: here, there."""
    if verified.manifest is None or verified.manifest.computing is None:
        return {}
    have, wanted = read_settings(connection), verified.manifest.computing.settings
    return {
        key: (have[key], wanted[key])
        for key in SETTINGS
        if key in have and key in wanted and have[key] != wanted[key]
    }


def _made_as_described(
    session: Maintenance, name: str, verified: VerifiedDump, template: str
) -> list[str]:
    manifest, encoding = verified.manifest, encoding_of(verified)
    locale = manifest.computing.locale if manifest and manifest.computing else {}
    if locale and session.create_as(name, locale, encoding, template):
        return []
    wanted = manifest.database.collation if manifest else ""
    collation = collation_for(session.connection, encoding, wanted)
    session.create(name, encoding=encoding, collation=collation, template=template)
    if collation is not None and not wanted:
        return [
            f"texts are sorted by the collation {collation} here: the server's own is not "
            f"for texts in {encoding}"
        ]
    return []


def _other_locale(session: Maintenance, name: str, verified: VerifiedDump) -> list[str]:
    manifest = verified.manifest
    if manifest is None:
        return []
    if manifest.computing is None:
        have, wanted = collation_of(session.connection, name), manifest.database.collation
    else:
        have = in_words(read_locale(session.connection, name))
        wanted = in_words(manifest.computing.locale)
    if not wanted or have == wanted:
        return []
    return [f"texts are sorted by the collation {have} here, by {wanted} where the dump is from"]


def _entered(session: Maintenance, name: str) -> Session:
    """A session with the new database. Raises :class:`PreconditionFailed` where the role may make
    databases and not enter them: the server's pg_hba.conf lists those that it may, or a trigger
    refuses logins."""
    try:
        return connect(replace(session.settings, dbname=name), autocommit=True)
    except DatabaseUnreachable as error:
        session.connection.execute("SELECT")  # raises where it is the server that is gone
        role = session.settings.user
        if session.settings.pooled:
            hint = "; SQL_DUMP_PROOF=embedded proves dumps without it, --in-place restores without."
            raise no_other_database(session.settings, hint=hint) from error
        raise PreconditionFailed(
            f"role {role} may make databases on this server, and not enter them: {error.message}",
            hint=f"let it in: a line such as `host all {role} ADDRESS scram-sha-256` in "
            "pg_hba.conf, and no trigger on login that refuses it. SQL_DUMP_PROOF=embedded proves "
            "dumps without that, SQL_DUMP_PROOF=elsewhere on another server; a restore needs it, "
            "or --in-place. If a load balancer is there, PPR_DIRECT_HOST names one server.",
        ) from error


def encoding_of(verified: VerifiedDump) -> str:
    """Of the database that was dumped; a dump without a manifest names that of its own text."""
    described = verified.manifest.database.encoding if verified.manifest else ""
    return described or verified.layout.encoding


def sweep(session: Maintenance) -> list[str]:
    """Drop what killed restores of the same target have left half made.

    Returns what could not be dropped, in words: it may belong to another role, and is in nobody's
    way.
    """
    remarks = []
    for left in session.leftovers(session.settings.dbname):
        if left.kind == "restoring":
            try:
                session.drop(left.name)
            except (RestoreFailed, DatabaseFailed) as error:
                remarks.append(f"a half-made database is still there: {error.message}")
    return remarks
