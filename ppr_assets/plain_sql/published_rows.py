"""What is done to every row on its way from pg_dump into a dump that is to be published.

Withheld values are taken out first, so that nothing after it ever has them, on the disk or in
memory; what is left is searched for secrets and persons, and profiled. Statements are searched too,
and what they make is noted by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ppr_assets.errors import PolicyRefused
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.plain_sql.profile import TableProfiler
from ppr_assets.plain_sql.schema import SchemaReader
from ppr_assets.plain_sql.searched_values import Scanner
from ppr_assets.plain_sql.withheld_values import Withholding
from ppr_assets.rules.finds.judgement import Finds
from ppr_assets.rules.naming import column_name
from ppr_assets.rules.profile.columns import Profile, TableProfile
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.publication.policy import LARGE_OBJECTS
from ppr_assets.rules.publication.withholding import Plan

_VALUES = re.compile(
    rb"(?P<rows>INSERT INTO) |(?P<large_objects>SELECT pg_catalog\.lowrite)\("
    rb"|(?P<statistics>SELECT \* FROM pg_catalog\.pg_restore_\w+_stats)\("
)
"""How pg_dump begins statements that hold values; statistics have the most common ones."""


class PublishedRows:
    """The rows of one dump, held to ``plan``."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        keys = {key: table.primary_key for key, table in plan.tables.items()}
        self._scanner = Scanner({key: names for key, names in keys.items() if names})
        self._withholdings: dict[str, Withholding] = {}
        self._profile: dict[str, TableProfile] = {}
        self._schema = SchemaReader()

    def line(self, line: Line) -> None:
        """Take the lines of statements in their order. Raises :class:`PolicyRefused` for one that
        holds values, out of which none is taken; large objects are published whole or not at
        all."""
        if line.begins and (found := _VALUES.match(line.text)):
            objects = self._plan.tables.get(LARGE_OBJECTS)
            if not found["large_objects"] or objects is None or not objects.rows:
                what = (found.lastgroup or "").replace("_", " ")
                raise _undecided(f"{what} in statements")
        self._scanner.line(line)
        self._schema.line(line)

    def rows(self, copy: CopyRows) -> Iterator[bytes]:
        """The rows of ``copy`` as they are published. Raises :class:`PolicyRefused` for a table or
        a column that came into the dump although nobody has decided on it."""
        columns = copy.columns
        table = self._plan.tables.get(copy.key)
        if table is None or not table.rows:
            raise _undecided(copy.key)
        for column in columns:
            if column not in table.columns:
                raise _undecided(column_name(copy.key, column))
        self._schema.copy(copy)
        withholding = self._withholdings[copy.key] = Withholding(copy.key, columns, table.changed)
        return self._scanner.rows(copy.key, columns, withholding.rows(copy.rows))

    def profiled(self, copy: CopyRows, rows: SortedRows) -> Iterator[list[bytes]]:
        """The same sorted rows, each list of them looked at first."""
        columns = copy.columns
        profiler = TableProfiler(copy.key, columns, rows=rows.count, size=rows.size)
        for some in rows.lists():
            profiler.add(some)
            yield some
        self._profile[copy.key] = profiler.finished()

    @property
    def withheld_values(self) -> Mapping[tuple[str, str], int]:
        """How many values were taken out, by table and column."""
        return {
            (key, column): count
            for key, withholding in self._withholdings.items()
            for column, count in withholding.counts.items()
        }

    @property
    def finds(self) -> Finds:
        return self._scanner.finds

    @property
    def profile(self) -> Profile:
        return self._profile

    def schema(self) -> Schema:
        """Once, after the last line."""
        return self._schema.finished()


def _undecided(name: str) -> PolicyRefused:
    return PolicyRefused(
        f"pg_dump wrote {name}, whose values are not to be published",
        hint="was it made or altered at this moment? Run again; nothing was published.",
    )
