"""A patch as plain SQL that a human reads and psql takes.

Each UPDATE and DELETE names the values that it found, so that what somebody has changed since ends
the transaction and is never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ppr_assets.rules.patch.changes import PatchColumn, PatchTable, Row, RowChange

_READING = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "lc_monetary": "C",
}
"""What the values were written under, so that they are read so too."""


class Trigger(Struct, frozen=True):
    """One that somebody has made for a table, with both names as SQL has them; ``always``: it runs
    on a replica too."""

    table: str
    name: str
    quoted_table: str
    quoted: str
    always: bool = False

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def disable(self) -> str:
        return f"ALTER TABLE {self.quoted_table} DISABLE TRIGGER {self.quoted};"

    @property
    def enable(self) -> str:
        how = "ENABLE ALWAYS" if self.always else "ENABLE"
        return f"ALTER TABLE {self.quoted_table} {how} TRIGGER {self.quoted};"


class Frame(Struct, frozen=True):
    """What stands around the statements. ``deferred``: some constraints are looked at when all is
    done; ``without``: triggers that do not run."""

    deferred: bool = False
    without: Sequence[Trigger] = ()

    def before(self) -> Iterator[str]:
        yield from (one.disable for one in self.without)
        if self.deferred:
            yield "SET CONSTRAINTS ALL DEFERRED;"

    def after(self) -> Iterator[str]:
        yield "SET CONSTRAINTS ALL IMMEDIATE;"
        yield from (one.enable for one in self.without)


def patch_text(heading: Sequence[str], changes: Sequence[RowChange], frame: Frame) -> str:
    """The patch as a file: one transaction, ``changes`` in their order."""
    return "\n".join([*_text_lines(heading, changes, frame), ""])


def _text_lines(
    heading: Sequence[str], changes: Sequence[RowChange], frame: Frame
) -> Iterator[str]:
    for line in heading:
        yield f"-- {_on_one_line(line)}"
    yield ""
    yield "BEGIN READ WRITE;"
    yield from (f"SET LOCAL {name} TO '{value}';" for name, value in _READING.items())
    yield from frame.before()
    before = None
    for change in changes:
        if (change.table, change.kind) != before:
            before = change.table, change.kind
            yield f"\n-- {change.kind} {_on_one_line(change.table.key)}"
        yield statement(change)
    yield ""
    yield from frame.after()
    yield "COMMIT;"


def _on_one_line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)


def statement(change: RowChange) -> str:
    """In SQL, on as many lines as its values have. Of an UPDATE and a DELETE, an error that says
    so where the row is not as it was."""
    table = change.table
    if change.after is None:
        what = f"DELETE FROM {table.only} AS it WHERE {_as_it_was(change)};"  # noqa: S608
    elif change.before is None:
        return _insert(table, change.after)
    else:
        new = ((table.columns[at].quoted, change.after[at]) for at in change.set)
        values = ", ".join(f"{name} = {value}" for name, value in new)
        what = f"UPDATE {table.only} AS it SET {values} WHERE {_as_it_was(change)};"  # noqa: S608
    message = f"{change.name} is not as it was when this patch was made"
    said = "E'" + message.replace("\\", "\\\\").replace("'", "''") + "'"
    text = (
        f"{what}\n  IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = {said}; "
        "END IF;"
    )
    tag = next(tag for at in range(len(text)) if (tag := f"$row{at or ''}$")[:-1] not in text)
    return f"DO {tag} BEGIN\n  {text}\nEND {tag};"


def _insert(table: PatchTable, row: Row) -> str:
    given = [(table.columns[at].quoted, value) for at, value in enumerate(row) if value is not None]
    names = ", ".join(name for name, _ in given)
    values = ", ".join(value for _, value in given)
    over = "OVERRIDING SYSTEM VALUE " if table.identity else ""
    return f"INSERT INTO {table.quoted} ({names}) {over}VALUES ({values});"


def _as_it_was(change: RowChange) -> str:
    table, row = change.table, change.row
    places = [*table.known_by, *sorted(change.guarded.difference(table.known_by))]
    return holds(table, row, [at for at in places if at not in table.private])


def holds(table: PatchTable, row: Row, places: Sequence[int]) -> str:
    """The condition that ``it`` has the values of ``row`` at ``places``."""
    return " AND ".join(
        _equals(table.columns[at], value) for at in places if (value := row[at]) is not None
    )


def _equals(column: PatchColumn, value: str) -> str:
    name = f"it.{column.quoted}"
    if value == "NULL":
        return f"{name} IS NULL"
    if column.plain:
        return f"{name} = {value}"
    # read and written by the same session, whatever names it knows without their schema
    texts = (f"pg_catalog.format('%s', {one})" for one in (name, f"CAST({value} AS {column.type})"))
    return f"{name} IS NOT NULL AND {' = '.join(texts)}"
