"""A dump's rows in temporary tables beside the living ones, and which of both belong together.

All of it happens in one transaction that cannot write to any other table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from ppr_assets.postgres.patching.rows_in_sql import quoted, row_in_sql, same, same_values, sql
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import key_names
from ppr_assets.rules.patch.changes import PatchReference, PatchTable, Row

Copied = Callable[[str], Iterable[tuple[Sequence[str], Iterable[bytes]]]]
"""The rows of a table key, as COPY has them: the columns, and what it sends."""


class StagedRows:
    """``dumped``: by table key, the columns that the dump has of the tables that are compared: not
    of those whose rows the publication policy keeps out, or that nothing tells apart here."""

    def __init__(
        self,
        connection: Connection,
        tables: Mapping[str, PatchTable],
        dumped: Mapping[str, Sequence[str]],
        references: Sequence[PatchReference],
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._dumped = dumped
        self._references = [one for one in references if one.child in dumped]
        self.filling = ""
        self._number = {key: at for at, key in enumerate(dumped)}
        self._run("".join(self._made(key, columns) for key, columns in dumped.items()))
        self._run("SET TRANSACTION READ ONLY")  # of all tables but the temporary ones

    def _made(self, key: str, columns: Sequence[str]) -> str:
        """What has no column here, and what is withheld, is a text."""
        table = self._tables[key]
        types = {
            one.name: one.type for at, one in enumerate(table.columns) if at not in table.private
        }
        listed = ", ".join(f"{quoted(name)} {types.get(name, 'text')}" for name in columns)
        keys = ", ".join(f"k{at} {table.columns[at].type}" for at in table.known_by)
        names = ", ".join(f"k{at}" for at in table.known_by)
        return (
            f"CREATE TEMPORARY TABLE {self._name('dump', key)} ({listed}) ON COMMIT DROP;"
            f"CREATE TEMPORARY TABLE {self._name('chosen', key)} ({keys}, UNIQUE ({names})) "
            "ON COMMIT DROP;"
        )

    def fill(self, copied: Copied, encoding: str) -> None:
        """Bring the rows of the dump, in ``encoding``. Raises psycopg's errors where they do not
        fit the living table's types; ``filling`` is then the table's key."""
        for key in self._dumped:
            self.filling = key
            for columns, chunks in copied(key):
                names = ", ".join(map(quoted, columns))
                statement = f"COPY {self._name('dump', key)} ({names}) FROM STDIN"
                if encoding not in ("", "SQL_ASCII"):
                    statement += f" WITH (ENCODING '{encoding}')"
                with self._connection.cursor() as cursor, cursor.copy(sql(statement)) as copy:
                    for chunk in chunks:
                        copy.write(chunk)

    def choose_where(self, key: str, condition: str | None) -> tuple[int, int]:
        """Choose the rows, of the dump and of the living table, for which the condition holds: all,
        without one. How many of the dump, and how many that it lacks. The condition is read as the
        database's own sessions read it, and is no more than a condition."""
        alias, holds = quoted(key_names(key)[1]), condition or "true"
        self._run("SET LOCAL search_path TO DEFAULT")
        dump, here = (
            self._connection.execute(
                # with a parameter, a server takes one statement alone
                sql(
                    f"INSERT INTO {self._name('chosen', key)} "  # noqa: S608
                    f"SELECT {self._keys(key, alias)} FROM {rows} AS {alias} "
                    f"WHERE ({holds}\n) ".replace("%", "%%")
                    + "AND %s ON CONFLICT DO NOTHING"
                ),
                [True],
            ).rowcount
            for rows in (self._name("dump", key), self._tables[key].only)
        )
        self._run("SET LOCAL search_path TO ''")
        return dump, here

    def choose_key(self, key: str, value: str) -> bool:
        """Choose one row; whether the dump has it."""
        type_ = self._tables[key].columns[self._tables[key].known_by[0]].type
        self._connection.execute(
            sql(f"INSERT INTO {self._name('chosen', key)} SELECT CAST(%s AS {type_})"),
            [value],
        )
        return self._count(f"{self._name('dump', key)} AS it JOIN {self._chosen(key, 'it')}") > 0

    def follow_down(self, key: str) -> None:
        """Choose what hangs on the chosen rows of this table, in the dump and here, and what hangs
        on that."""
        waiting = [key]
        while waiting:
            parent = waiting.pop()
            for one in self._references:
                if one.parent != parent:
                    continue
                found = 0
                for side in (self._dump_side, self._here_side):
                    if (child := side(one.child, one.columns)) and (of := side(parent, one.there)):
                        found += self._choose(
                            one.child,
                            f"SELECT DISTINCT {self._keys(one.child, 'child')} "  # noqa: S608
                            f"FROM {child} AS child JOIN {of} AS parent ON {self._refers(one)} "
                            f"JOIN {self._chosen(parent, 'parent')}",
                        )
                if found and one.child not in waiting:
                    waiting.append(one.child)

    def follow_up(self) -> None:
        """Choose what chosen rows of the dump refer to, where the living table lacks it."""
        waiting = [*self._dumped]
        while waiting:
            child = waiting.pop()
            for one in self._references:
                if one.child != child or not self._in_dump(one):
                    continue
                found = self._choose(
                    one.parent,
                    f"SELECT DISTINCT {self._keys(one.parent, 'parent')} "  # noqa: S608
                    f"FROM {self._name('dump', child)} AS child "
                    f"JOIN {self._chosen(child, 'child')} "
                    f"JOIN {self._name('dump', one.parent)} AS parent ON {self._refers(one)} "
                    f"WHERE NOT EXISTS (SELECT FROM {self._tables[one.parent].only} AS parent "
                    f"WHERE {self._refers(one)})",
                )
                if found and one.parent not in waiting:
                    waiting.append(one.parent)

    def dangling(self) -> Iterator[tuple[PatchReference, int]]:
        """How many chosen rows of the dump refer to what neither the dump nor the database has,
        and would do so anew: what refers to nothing here already goes on doing so."""
        for one in self._references:
            if not self._dump_side(one.child, one.columns):
                continue
            table = self._tables[one.child]
            parents = [self._tables[one.parent].only]
            if self._in_dump(one):
                parents.append(self._name("dump", one.parent))
            found = [f"{rows} AS parent WHERE {self._refers(one)}" for rows in parents]
            same = same_values(table, "here", "child", {*table.known_by, *one.columns})
            found.append(f"{table.only} AS here WHERE {same}")
            columns = [self._column(one.child, at, "child") for at in one.columns]
            conditions = [f"{name} IS NOT NULL" for name in columns]
            conditions += [f"NOT EXISTS (SELECT FROM {rows})" for rows in found]
            count = self._count(
                f"{self._name('dump', one.child)} AS child JOIN {self._chosen(one.child, 'child')} "
                f"WHERE {' AND '.join(conditions)}"
            )
            if count:
                yield one, count

    def held(self, references: Iterable[PatchReference]) -> Iterator[tuple[PatchReference, int]]:
        """How many rows of tables that are not in the dump refer to chosen rows that it lacks."""
        for one in references:
            if one.child in self._dumped or one.parent not in self._dumped:
                continue
            count = self._count(
                f"{self._tables[one.child].only} AS child "
                f"JOIN {self._tables[one.parent].only} AS parent ON {self._refers(one)} "
                f"JOIN {self._chosen(one.parent, 'parent')} WHERE NOT EXISTS (SELECT FROM "
                f"{self._name('dump', one.parent)} AS it WHERE "
                f"{self._same_key(one.parent, 'it', 'parent')})"
            )
            if count:
                yield one, count

    def differing(self) -> Iterator[tuple[PatchTable, Row | None, Row | None]]:
        """The chosen rows that are not the same: as they are here, and as the dump has them."""
        for key in self._dumped:
            table = self._tables[key]
            there = {*self._dumped[key]}
            own = [at for at, one in enumerate(table.columns) if one.name in there]
            compared = [at for at in own if at not in table.private]
            here, dump = table.only, self._name("dump", key)
            statement = (
                f"SELECT {row_in_sql(table, 'here', range(len(table.columns)))}, "  # noqa: S608
                f"{row_in_sql(table, 'dump', own)}, "
                f"here.tableoid IS NOT NULL, dump.tableoid IS NOT NULL "
                f"FROM {self._name('chosen', key)} AS chosen "
                f"LEFT JOIN {here} AS here ON {self._same_key(key, 'here', 'chosen', chosen=True)} "
                f"LEFT JOIN {dump} AS dump ON {self._same_key(key, 'dump', 'chosen', chosen=True)} "
                f"WHERE (here.tableoid IS NULL) <> (dump.tableoid IS NULL) OR "
                f'{row_in_sql(table, "here", compared)} COLLATE pg_catalog."C" '
                f"IS DISTINCT FROM {row_in_sql(table, 'dump', compared)} "
                f"ORDER BY {', '.join(f'chosen.k{at}' for at in table.known_by)}"
            )
            for living, dumped, is_here, is_dumped in self._connection.execute(sql(statement)):
                yield (
                    table,
                    tuple(living) if is_here else None,
                    tuple(dumped) if is_dumped else None,
                )

    def _choose(self, key: str, query: str) -> int:
        statement = f"INSERT INTO {self._name('chosen', key)} {query} ON CONFLICT DO NOTHING"
        return self._connection.execute(sql(statement)).rowcount

    def _in_dump(self, one: PatchReference) -> bool:
        return bool(
            self._dump_side(one.child, one.columns) and self._dump_side(one.parent, one.there)
        )

    def _dump_side(self, key: str, places: Collection[int]) -> str:
        """The dump's rows of a table; empty where it lacks one of its columns, or all."""
        table, there = self._tables[key], self._dumped.get(key, ())
        names = {table.columns[at].name for at in places if at not in table.private}
        return self._name("dump", key) if len(names) == len(places) and names <= {*there} else ""

    def _here_side(self, key: str, _: Collection[int]) -> str:
        return self._tables[key].only if key in self._dumped else ""

    def _name(self, what: str, key: str) -> str:
        return f"pg_temp.{what}_{self._number[key]}"

    def _column(self, key: str, at: int, alias: str) -> str:
        return f"{alias}.{self._tables[key].columns[at].quoted}"

    def _keys(self, key: str, alias: str) -> str:
        return ", ".join(self._column(key, at, alias) for at in self._tables[key].known_by)

    def _chosen(self, key: str, alias: str) -> str:
        """What a join goes on with for the chosen ones of the rows ``alias``."""
        name = f"chosen_{alias}"
        same = self._same_key(key, alias, name, chosen=True)
        return f"{self._name('chosen', key)} AS {name} ON {same}"

    def _same_key(self, key: str, one: str, other: str, *, chosen: bool = False) -> str:
        table = self._tables[key]
        return same_values(table, one, other, table.known_by, numbered=chosen)

    def _refers(self, one: PatchReference) -> str:
        child, parent = self._tables[one.child], self._tables[one.parent]
        return " AND ".join(
            same(
                self._column(one.child, at, "child"),
                self._column(one.parent, there, "parent"),
                plain=child.columns[at].plain and parent.columns[there].plain,
            )
            for at, there in zip(one.columns, one.there, strict=True)
        )

    def _count(self, what: str) -> int:
        query = f"SELECT pg_catalog.count(*) FROM {what}"  # noqa: S608
        row = self._connection.execute(sql(query)).fetchone()
        assert row is not None
        return int(row[0])

    def _run(self, statement: str) -> None:
        self._connection.execute(sql(statement))
