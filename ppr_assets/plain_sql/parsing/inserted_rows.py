"""Rows that a dump brings by INSERT (``pg_dump --inserts`` and its like), counted as it is read.

Their values cannot be compared: COPY says what a table holds in one way, INSERT in many.
"""

from __future__ import annotations

import re

from ppr_assets.plain_sql.parsing.pieces import TABLE, Line, key_of

_INSERT = re.compile(rb"INSERT INTO (?:ONLY )?" + TABLE + rb"\s")
_NEXT_ROW = b"\t("
"""How pg_dump begins each row of a statement that has several (``--rows-per-insert``)."""


class InsertedRows:
    """Takes the lines of statements in their order; ``counts`` is by table key."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._rows = 0

    def line(self, line: Line) -> None:
        if line.begins:
            self._rows = 0
        elif not line.quoted and line.text.startswith(_NEXT_ROW):
            self._rows += 1

    def finished(self, statement: bytes) -> None:
        """``statement`` is the beginning of what the lines since the last one were."""
        if found := _INSERT.match(statement):
            key = key_of(*found.group(1, 2))
            self.counts[key] = self.counts.get(key, 0) + max(self._rows, 1)
