"""What roles may do with the objects of a database that a restore replaces: said, and given again.

Dumps hold no privileges: they are public, and restored under other roles. So an application that
could read a table finds that it may not, unless somebody has given it that again before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from ppr_assets.errors import DatabaseUnreachable
from ppr_assets.postgres.databases.grants import (
    Grants,
    GrantStep,
    give,
    in_words,
    missing_grants,
    read_grants,
)
from ppr_assets.postgres.databases.maintenance import Maintenance
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings

_MOST = 5


def carried_over(session: Maintenance, aside: DatabaseSettings, *, wanted: bool) -> list[str]:
    """Give to the database ``aside`` the privileges of the one that it is to replace, if that is
    ``wanted``; where that one lacks none itself, those of the newest one that it replaced in turn.

    Returns remarks: what roles would lose, or what was given, and what could not be.
    """
    target = session.settings
    former = [one.name for one in session.leftovers(target.dbname) if one.kind == "before"]
    with connect(aside, autocommit=True) as new:
        for name in [target.dbname, *(former[-1:] if wanted else [])]:
            try:
                with connect(replace(target, dbname=name)) as connection:
                    steps = missing_grants(read_grants(connection), read_grants(new))
            except (DatabaseUnreachable, psycopg.errors.InsufficientPrivilege) as error:
                said = error.message if isinstance(error, DatabaseUnreachable) else str(error)
                return [f"nobody knows which privileges database {name} has given: {said}"]
            if steps:
                return given(new, steps) if wanted else lost(steps)
    return []


def again_in_place(connection: Connection, before: Grants, *, wanted: bool) -> list[str]:
    """The same in the transaction that has replaced the objects."""
    steps = missing_grants(before, read_grants(connection))
    if not steps:
        return []
    keeps = "no former database has them, --grants-from-former keeps them"
    return given(connection, steps) if wanted else lost(steps, keeps)


def lost(
    steps: Sequence[GrantStep], way_out: str = "--grants-from-former gives them again"
) -> list[str]:
    said = "privileges are not in a dump, so some are missing now"
    return [f"{said}: {in_words(steps)}; {way_out}"]


def given(connection: Connection, steps: Sequence[GrantStep]) -> list[str]:
    refused = give(connection, steps)
    said = [f"privileges given again: {in_words(steps)}"] if len(refused) < len(steps) else []
    if refused:
        said.append(f"privileges that could not be given: {few(refused, _MOST, between='; ')}")
    return said
