"""A dump's entries in the groups that they are loaded in.

pg_dump writes in three sections: what tables need to take rows, the rows, and what is faster or
safer to make when the rows are in. Within them two settings count for all that follows,
``default_tablespace`` and ``default_table_access_method``; an entry that is run out of its place
takes along what held there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import CopyBlock, Entry, Layout
from ppr_assets.rules.naming import QUOTED_NAME

_ROWS = "TABLE DATA"
_ASIDE = frozenset({"SEQUENCE SET", "BLOB", "BLOB METADATA", "BLOBS"})
"""Written among the rows, and touching no table."""

_SAID_OF = frozenset({"COMMENT", "SECURITY LABEL", "ACL"})
"""Whose names begin with the kind of what they are about."""

_COMPUTED = frozenset({"MATERIALIZED VIEW DATA", "STATISTICS DATA"})
"""What is made of the rows."""

_SETTING = re.compile(
    rb"^SET (default_tablespace|default_table_access_method) = "
    rb"(?:" + QUOTED_NAME.encode() + rb'|[^;"\n]*);$',
    re.MULTILINE,
)


class Step(Struct, frozen=True):
    """An entry without rows: its statements, and the settings that they stand under."""

    kind: str
    name: str
    start: int
    end: int
    settings: bytes

    @property
    def what(self) -> str:
        return described(self.kind, self.name)

    @property
    def streamed(self) -> bool:
        """Whether the statements may be larger than what memory should hold."""
        return self.kind in _ASIDE


class Sections(Struct, frozen=True):
    before: Sequence[Step]
    rows: Sequence[CopyBlock]
    aside: Sequence[Step]
    """Sequences' values and large objects, with their comments."""
    after: Sequence[Step]
    last: Sequence[Step]
    """What :func:`comes_last`."""


def sections(layout: Layout, file: DumpFile) -> Sections:
    entries = layout.entries
    data = [i for i, e in enumerate(entries) if e.kind == _ROWS or e.kind in _ASIDE]
    first, end = (data[0], data[-1] + 1) if data else (len(entries), len(entries))
    all_steps = list(steps(layout, file))
    among = [s for e, s in zip(entries[first:end], all_steps[first:end], strict=True) if not e.copy]
    aside = [step for step in among if _belongs_aside(step)]
    after = [step for step in among if not _belongs_aside(step)] + all_steps[end:]
    before = all_steps[:first]
    return Sections(
        before=[step for step in before if not comes_last(step)],
        rows=[*layout.blocks.values()],
        aside=aside,
        after=[step for step in after if not comes_last(step)],
        last=[step for step in (*before, *after) if comes_last(step)],
    )


def described(kind: str, name: str) -> str:
    return f"{kind.lower()} {name}"


def is_data(part: Step | Entry) -> bool:
    """Whether it holds what the database is filled with, and defines nothing."""
    return part.kind == _ROWS or part.kind in _COMPUTED or _belongs_aside(part)


def _belongs_aside(part: Step | Entry) -> bool:
    said_of_one = part.kind in _SAID_OF and part.name.startswith("LARGE OBJECT ")
    return part.kind in _ASIDE or said_of_one


def comes_last(step: Step) -> bool:
    """Whether the dump has it in its place, or too early, and the end is as good a place.

    Event triggers would fire at whatever comes after them. A comment on a domain's constraint that
    is not valid stood before the constraint until pg_dump was mended in August 2025.
    """
    if step.kind == "EVENT TRIGGER" or step.name.startswith("EVENT TRIGGER "):
        return True
    on_constraint = step.kind == "COMMENT" and step.name.startswith("CONSTRAINT ")
    return on_constraint and " ON DOMAIN " in step.name


def steps(layout: Layout, file: DumpFile) -> Iterator[Step]:
    """One step for each entry, in the dump's order."""
    settings: dict[bytes, bytes] = {}
    before = file.read(*layout.header)  # where a SET stands for the first entry without --clean
    position = layout.prologue[1]
    for entry in layout.entries:
        for found in _SETTING.finditer(before + file.read(position, entry.start)):
            settings[found.group(1)] = found.group()
        text = b"\n".join(settings[name] for name in sorted(settings))
        yield Step(entry.kind, entry.name, entry.start, entry.end, text)
        before, position = b"", entry.end
