"""What holds rows in a database, as a publication policy speaks of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class RelationColumn(Struct, frozen=True):
    """``computed``: generated from other columns, and in no dump. ``takes_text``: by its type and
    its keys, any text may stand for all its values."""

    name: str
    nullable: bool
    computed: bool = False
    takes_text: bool = False


class Reference(Struct, frozen=True):
    """A foreign key ``name``: ``columns`` lead to ``target_columns`` of the table ``target``.
    ``full``: MATCH FULL, which holds a row of which only some are NULL."""

    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    full: bool = False


class Relation(Struct, frozen=True):
    """What holds rows: a table or partition, a materialized view, or a foreign table; by its table
    key, with those that it inherits from, the nearest first. ``sequences``: those that its columns
    count with, by key, each with its column. ``listed``: the columns of its parent of which its
    definition names values, as a partition of a list. The large objects are one of the kind of
    their own, without columns."""

    key: str
    kind: Literal["table", "materialized view", "foreign table", "large objects"]
    columns: tuple[RelationColumn, ...] = ()
    parents: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    primary_key: tuple[str, ...] = ()
    sequences: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ()
