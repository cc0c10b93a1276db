"""What a database has and a dump leaves out on purpose: said before it goes, and how to save it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace
from psycopg.conninfo import make_conninfo

from ppr_assets.errors import GateRefused
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.postgres.snapshot.records import count_records, count_values
from ppr_assets.postgres.snapshot.relations import read_relations
from ppr_assets.rules.naming import column_name, key_names, quote_identifier
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings

ROWS_FILE = "withheld_rows.sql"
VALUES_FILE = "withheld_values.sql"
_SHOWN = 20


class OnlyHere(Struct, frozen=True):
    """``number`` rows of a table (``column`` is empty), or values in a column of it, and the
    ``sequences`` that they count with."""

    table: str
    column: str
    number: int
    sequences: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.column:
            return f"{self.number} rows of {self.table}"
        return f"{self.number} values of {column_name(self.table, self.column)}"


def only_here(connection: Connection, manifest: Manifest | None) -> tuple[OnlyHere, ...]:
    """What a database has of what a dump with this ``manifest`` withholds, or its database did not
    have; a dump without one does not tell. Raises psycopg's errors for what cannot be read."""
    if manifest is None:
        return ()
    whole = {one.table for one in manifest.withheld if not one.column} | {*manifest.without_rows}
    rows = count_records(connection, whole) if whole else {}
    found = [OnlyHere(table, "", rows[table]) for table in sorted(rows)]
    columns = sorted((one for one in manifest.withheld if one.column), key=lambda one: one.table)
    for table, some in groupby(columns, lambda one: one.table):
        wanted = {one.column: one.text if one.rule == "replaced" else None for one in some}
        values = count_values(connection, table, wanted)
        found += [OnlyHere(table, column, number) for column, number in values.items()]
    sequences = {one.key: one.sequences for one in read_relations(connection)}
    return tuple(
        replace(one, sequences=tuple(
            name for name, column in sequences.get(one.table, ()) if one.column in ("", column)
        ))
        for one in found
        if one.number
    )  # fmt: skip


def require_saved(settings: DatabaseSettings, here: Sequence[OnlyHere], *, then: str) -> None:
    """Raise :class:`GateRefused` where a restore would leave nothing of what only the database at
    ``settings`` has; ``then`` says what to do once it is saved."""
    if here:
        raise GateRefused(
            f"the restore would take away what the dump withholds and only database "
            f"{settings.dbname} has: {few(here, _SHOWN)}; a copy of that is needed first",
            hint=f"nothing was replaced. {_saved_by(settings, here)} {then}",
        )


def kept_in(former: DatabaseSettings, here: Sequence[OnlyHere]) -> list[str]:
    """What whoever restored has to know while the former database is there."""
    if not here:
        return []
    return [
        f"only the former database has what the dump withholds: {few(here, _SHOWN)}; "
        f"{_saved_by(former, here)} `ppr-assets cleanup` drops it with that database"
    ]


def _saved_by(settings: DatabaseSettings, here: Sequence[OnlyHere]) -> str:
    commands = " and ".join(f"`{command}`" for command in _saving(settings, here))
    return f"{commands} saves it, and docs/restore.md says how it comes back."


def _saving(settings: DatabaseSettings, here: Sequence[OnlyHere]) -> Iterator[str]:
    """Rows come back as they were saved, values into rows that are there: a file for each."""
    host, port = settings.named or (settings.host, settings.port)
    address = make_conninfo("", host=host, port=port, user=settings.user, dbname=settings.dbname)
    for file, of_rows in ((ROWS_FILE, True), (VALUES_FILE, False)):
        some = [one for one in here if (not one.column) == of_rows]
        tables = dict.fromkeys(key for one in some for key in (one.table, *one.sequences))
        if tables:
            chosen = [f"--table={_pattern(table)}" for table in tables]
            yield shlex.join(
                ["pg_dump", "--data-only", *chosen, f"--file={file}", f"--dbname={address}"]
            )


def _pattern(table: str) -> str:
    """A name as pg_dump's own patterns have it: with its schema, since none is searched."""
    return ".".join(map(quote_identifier, key_names(table)))
