"""The new database that a restore or a drill fills: made beside the target, never left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ppr_assets.errors import PprError, RestoreFailed
from ppr_assets.operations.verify import VerifiedDump
from ppr_assets.postgres.databases import Maintenance, restoring_name
from ppr_assets.postgres.databases.fitness import collation_for, collation_of
from ppr_assets.postgres.schema_content import Twin
from ppr_assets.settings import DatabaseSettings


@contextmanager
def made_aside(session: Maintenance, verified: VerifiedDump) -> Iterator[tuple[str, list[str]]]:
    """An empty database beside the target, as the target is or as the dump needs it; dropped if
    it is still there in the end."""
    target = session.settings.dbname
    name = session.unused(restoring_name)
    remarks: list[str] = []
    wanted = verified.manifest.database.collation if verified.manifest else ""
    try:
        if session.exists(target):
            session.create(name, like=target)
        else:
            encoding = encoding_of(verified)
            collation = collation_for(session.connection, encoding, wanted)
            session.create(name, encoding=encoding, collation=collation)
            if collation is not None and not wanted:
                remarks.append(
                    f"texts are sorted by the collation {collation} here: the server's own is not "
                    f"for texts in {encoding}"
                )
        have = collation_of(session.connection, name)
        if wanted and have != wanted:
            remarks.append(
                f"texts are sorted by the collation {have} here, by {wanted} where the dump is from"
            )
        yield name, remarks
    except PprError as error:
        try:
            session.drop(name)
        except RestoreFailed as left:  # what went wrong before it says more
            error.hint += f" A half-made database is still there: {left.message}."
        raise
    except BaseException:
        session.drop(name)
        raise
    session.drop(name)


def twin_of(session: Maintenance, verified: VerifiedDump, name: str) -> Twin:
    """Makes another empty database as ``name`` was made, with the settings that it has by now."""

    @contextmanager
    def twin() -> Iterator[DatabaseSettings]:
        with made_aside(session, verified) as (other, _):
            session.copy_settings(name, other)
            yield replace(session.settings, dbname=other)

    return twin


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
            except RestoreFailed as error:
                remarks.append(f"a half-made database is still there: {error.message}")
    return remarks
