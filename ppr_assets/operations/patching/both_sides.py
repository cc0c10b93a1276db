"""The tables of the living database beside those of a dump: which of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.looking.dump_tables import DumpTables
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.patching.living_tables import LivingTables
from ppr_assets.rules.patch.changes import PatchTable
from ppr_assets.rules.wording import few

_SHOWN = 8


class BothSides:
    """The living tables and the dump's: ``tables`` with what is withheld, and ``dumped``, the
    columns by table key of what is compared. ``apart`` says of others why they are not.
    ``unproven``: the dump has no manifest, which would say what is withheld."""

    def __init__(self, living: LivingTables, dump: DumpTables, found: FoundDump) -> None:
        self.dump, self.living = dump, living
        self.unproven = found.manifest is None
        self.withheld = _withheld(found, dump)
        self.tables = {
            key: replace(table, private=_places(table, self.withheld.get(key, ())))
            for key, table in living.tables.items()
        }
        self.dumped: dict[str, Sequence[str]] = {}
        self.apart: dict[str, str] = {}
        for key, table in self.tables.items():
            columns = self._columns(key)
            if (why := self._why_apart(key, table, columns)) is None:
                self.dumped[key] = columns
            elif key in dump.tables:
                self.apart[key] = why

    def _columns(self, key: str) -> Sequence[str]:
        if key not in self.dump.tables:
            return ()
        copies = [columns for columns, _ in self.dump.copied(key)]
        return [*dict.fromkeys(name for columns in copies for name in columns)]

    def _why_apart(self, key: str, table: PatchTable, columns: Sequence[str]) -> str | None:
        if not columns or "" in self.withheld.get(key, ()):
            return "the dump has no rows of it"
        if not table.known_by:
            return "it has no primary key here, so that nothing tells its rows apart"
        names = {table.columns[at].name for at in table.known_by if at not in table.private}
        if len(names) < len(table.known_by) or not names <= {*columns}:
            return "the dump lacks columns of its primary key"
        return None

    def require(self, key: str) -> None:
        if key in self.living.partitions:
            raise PreconditionFailed(
                f"{key} is a partition here, and the table that it is part of is needed",
                hint="name that one, and choose the rows with --where.",
            )
        if key not in self.tables or key not in self.dump.tables:
            where = "the dump" if key in self.tables else "the database"
            common = few(sorted(self.dumped), _SHOWN)
            raise PreconditionFailed(
                f"there is no table `{key}` in {where}, both have {common or 'none'}",
                hint="`ppr-assets query` shows the tables of a dump; a whole dump is restored by "
                "`ppr-assets restore`.",
            )
        if key in self.apart:
            raise PreconditionFailed(
                f"rows of {key} cannot be compared: {self.apart[key]}",
                hint="`ppr-assets restore --into OTHER` brings the whole dump beside the database.",
            )


def _withheld(found: FoundDump, dump: DumpTables) -> Mapping[str, frozenset[str]]:
    """By table key, the columns that the policy withholds, ``""`` for all rows; of a partition
    they are those of the table that it is part of."""
    told: dict[str, set[str]] = {}
    for one in found.manifest.withheld if found.manifest else ():
        told.setdefault(one.table, set()).add(one.column)
    for key, table in dump.tables.items():
        for part in table.partitions:
            if not dump.tables[part].inherits and part in told:
                told.setdefault(key, set()).update(told[part])
    return {key: frozenset(columns) for key, columns in told.items()}


def _places(table: PatchTable, names: frozenset[str] | tuple[()]) -> frozenset[int]:
    return frozenset(at for at, one in enumerate(table.columns) if one.name in names)
