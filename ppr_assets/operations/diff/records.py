"""What a comparison of two dumps has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.rules.publication.withholding import Withheld

EXAMPLES = 3
"""Rows that are shown of each kind of difference in a table."""

Row = Mapping[str, str | None]
"""By column, as COPY writes it; None for NULL."""


def row_values(columns: Sequence[str], row: bytes) -> Row:
    values = row.rstrip(b"\n").decode("utf-8", "replace").split("\t")
    return {
        column: None if value == "\\N" else value
        for column, value in zip(columns, values, strict=False)
    }


class Example(Struct, frozen=True):
    """A row before and after, by column; None where it was not there. Values are as COPY writes
    them, None for NULL."""

    before: Row | None
    after: Row | None


@dataclass
class TableDiff:
    """``before`` and ``after``: how many rows, None where there is no such table. ``key``: the
    columns that tell rows apart. ``verified``: removed or changed rows that somebody had verified.
    ``most``: examples of each kind that are kept.
    """

    table: str
    before: int | None
    after: int | None
    key: tuple[str, ...]
    added: int = 0
    removed: int = 0
    changed: int = 0
    verified: int = 0
    examples: list[Example] = field(default_factory=list)
    most: int = field(default=EXAMPLES, repr=False)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def to_json(self) -> dict[str, Any]:
        told = {name: value for name, value in vars(self).items() if name != "most"}
        return {**told, "key": list(self.key), "examples": [*map(asdict, self.examples)]}

    def count(self, before: Row | None, after: Row | None) -> None:
        kind = "added" if before is None else "removed" if after is None else "changed"
        number = getattr(self, kind) + 1
        setattr(self, kind, number)
        if before is not None and before.get("verified_by") is not None:
            self.verified += 1
        if number <= self.most:
            self.examples.append(Example(before, after))


class SchemaDiff(Struct, frozen=True):
    """An object of the dump, by pg_dump's words for it; ``how``: added, removed or changed."""

    how: str
    kind: str
    schema: str
    name: str


class WithheldDiff(Struct, frozen=True):
    """What the publication policy has come to keep out, or has let out; ``how`` in words."""

    how: Literal["withheld since", "withheld no longer", "withheld otherwise"]
    what: Withheld

    def __str__(self) -> str:
        return f"{self.how}: {self.what.name if self.how == 'withheld no longer' else self.what}"

    def to_json(self) -> dict[str, Any]:
        return {"how": self.how, **asdict(self.what)}


class OtherIds(Struct, frozen=True):
    """So many ``rows`` of the ``removed`` ones of a table came again under another id, ``by`` what
    they tell."""

    table: str
    rows: int
    removed: int
    by: str

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.rows} of {self.removed} that were removed came again under "
            f"another id, {self.by}"
        )


class DumpDiff(Struct, frozen=True):
    """From dump ``before`` to dump ``after``: what differs, and how many tables do not. No row
    differs in what is ``withheld`` from one of the two."""

    before: str
    after: str
    tables: tuple[TableDiff, ...]
    same: int
    schema: tuple[SchemaDiff, ...]
    server_versions: tuple[str, str]
    withheld: tuple[WithheldDiff, ...] = ()
    other_ids: tuple[OtherIds, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.schema or self.withheld)

    def to_json(self) -> dict[str, Any]:
        return {
            "before": self.before,
            "after": self.after,
            "server_versions": list(self.server_versions),
            "tables": [table.to_json() for table in self.tables],
            "unchanged_tables": self.same,
            "schema": [asdict(one) for one in self.schema],
            "withheld": [one.to_json() for one in self.withheld],
            "other_ids": [asdict(one) for one in self.other_ids],
        }
