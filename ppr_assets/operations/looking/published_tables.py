"""A dump's tables as the publication policy of today lets them out: a dump of ours holds nothing
else, an older one may."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from ppr_assets.operations.looking.dump_tables import DumpTables, Rows
from ppr_assets.operations.published.policy_file import named_policy
from ppr_assets.operations.published.view import looked_at
from ppr_assets.operations.publishing.publication import policy_at
from ppr_assets.plain_sql.tables.definitions import TableDefinition
from ppr_assets.plain_sql.tables.values import Value
from ppr_assets.rules.naming import column_name
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import Policy, shipped_policy
from ppr_assets.rules.publication.relations import Relation, RelationColumn
from ppr_assets.settings import Settings


def todays_policy(settings: Settings, *, elsewhere: bool, offline: bool) -> Policy:
    """What is shipped, with what the data repository (or SQL_DUMP_POLICY_FILE) adds today. Of a
    dump from ``elsewhere`` no repository is asked, so what only that one would allow is withheld.

    Raises :class:`PolicyUnreadable`.
    """
    if not elsewhere and settings.dump.policy_file is None:
        with looked_at(settings.data_repo, offline=offline) as (repo, commit):
            return policy_at(repo, commit, settings.dump)
    file = settings.dump.policy_file
    return shipped_policy().with_additions(named_policy(file) if file else Policy())


class PublishedTables:
    """``withheld`` says what was in the dump and was left out of the rows so far, by name, with how
    often; ``tables`` are those of the dump, by key. Without a policy nothing is left out."""

    def __init__(self, dump: DumpTables, policy: Policy | None) -> None:
        self._dump = dump
        self.tables: Mapping[str, TableDefinition] = dump.tables
        self.views = dump.views
        self.withheld: Counter[str] = Counter()
        self._without_rows: set[str] = set()
        self._replaced: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
        if policy is not None:
            self._plan(policy)

    def _plan(self, policy: Policy) -> None:
        planned = plan(policy, [*_relations(self.tables)])
        self._without_rows = {key for key, table in planned.tables.items() if not table.rows}
        for one in planned.unknown:
            if one.column is None:
                self._without_rows.add(one.table)
            else:
                self._replaced[one.table][one.column] = None
        for key, table in planned.tables.items():
            for column, decision in table.changed.items():
                text = None if decision.rule == "null" else decision.text
                self._replaced[key][column] = text

        for key in self.tables:
            for part in self._dump.standing_with(key):  # nobody can tell their rows apart
                self._replaced[key] |= self._replaced[part]
                if part in self._without_rows:
                    self._without_rows.add(key)

    def count(self, table: str) -> int:
        """How many rows of the table with this key are shown."""
        return sum(self._dump.own_count(one) for one in self._shown(table))

    def rows(self, table: str, names: Collection[str] | None = None) -> Rows:
        """As :meth:`DumpTables.rows`, without what is withheld, also by a partition's own policy.
        What two tables show is counted once."""
        if table in self._without_rows:
            if count := self._dump.count(table):
                self.withheld |= Counter({f"rows of {table}": count})
            return
        columns = [one for one in self.tables[table].columns if names is None or one in names]
        replaced = self._replaced[table].items()
        places = {columns.index(name): text for name, text in replaced if name in columns}
        called = {at: f"values of {column_name(table, columns[at])}" for at in places}
        seen: Counter[str] = Counter()
        for rows in self._dump.rows(table, names, self.rows):
            yield [self._row(row, places, called, seen) for row in rows] if places else rows
        self.withheld |= seen

    def said(self) -> Sequence[str]:
        """What ``withheld`` tells, in words."""
        return [f"{count} {what}" for what, count in self.withheld.items()]

    def keyed(self, table: str) -> bool:
        """Whether the primary key still tells apart the rows that are shown: none of its columns is
        replaced, and no table inherits that has keys of its own."""
        key = {*self.tables[table].primary_key}
        return (
            bool(key)
            and key <= self.tables[table].columns.keys()
            and not any(key & self._replaced[one].keys() for one in self._shown(table))
            and not any(self.tables[one].inherits for one in [*self._shown(table)][1:])
        )

    def _shown(self, table: str) -> Iterator[str]:
        """The table and those whose rows it shows too."""
        if table in self._without_rows:
            return
        yield table
        for part in self.tables[table].partitions:
            yield from self._shown(part)

    @staticmethod
    def _row(
        row: tuple[Value, ...],
        places: Mapping[int, str | None],
        names: Mapping[int, str],
        withheld: Counter[str],
    ) -> tuple[Value, ...]:
        values = [*row]
        for at, text in places.items():
            if values[at] is not None and values[at] != text:
                values[at] = text
                withheld[names[at]] += 1
        return tuple(values)


def _relations(tables: Mapping[str, TableDefinition]) -> Collection[Relation]:
    parents: defaultdict[str, list[str]] = defaultdict(list)
    for key, table in tables.items():
        for part in table.partitions:
            parents[part].append(key)
    return [
        Relation(
            key,
            "table",
            tuple(RelationColumn(name, nullable=True) for name in table.columns),
            tuple(parents[key]),
        )
        for key, table in tables.items()
    ]
