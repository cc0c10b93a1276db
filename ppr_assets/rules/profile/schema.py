"""What changed in the schema from one dump to the next, in words.

A column, a constraint or a function that goes on a night is seldom an accident of the data, and
explains most of what the numbers do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from ppr_assets.rules.profile.columns import Profile


class Schema(Struct, frozen=True):
    """``tables``: columns by table key, each with its definition, which may be unknown (empty); a
    table without columns is one of which nobody wrote them down.
    ``objects``: everything else by kind and name, as in ``function normalized_name(text)``, with a
    digest of its definition."""

    tables: Mapping[str, Mapping[str, str]]
    objects: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_profile(cls, profile: Profile) -> Schema:
        """As far as a profile knows it: names of tables and columns."""
        return cls({key: dict.fromkeys(table.columns, "") for key, table in profile.items()})


NOTHING = Schema({})


def reworded(written: Schema, restored: Schema) -> Schema:
    """What of ``written`` is defined in other words in ``restored``, a database that was made by
    it and holds the same: PostgreSQL words some definitions anew when it reads them."""
    columns = {
        table: _other(names, restored.tables.get(table, {}))
        for table, names in written.tables.items()
    }
    objects = _other(written.objects, restored.objects)
    return Schema({table: names for table, names in columns.items() if names}, objects)


def _other(written: Mapping[str, str], restored: Mapping[str, str]) -> dict[str, str]:
    both = written.keys() & restored.keys()
    return {name: restored[name] for name in sorted(both) if written[name] != restored[name]}


def schema_changes(before: Schema, now: Schema, again: Schema = NOTHING) -> list[str]:
    """Tables, then columns of tables that stayed, then everything else, each by name. Definitions
    themselves are not repeated: what is in them need not be meant for a message. ``again``: of
    ``before``, see :func:`reworded`."""
    return [
        *_changes("table", dict.fromkeys(before.tables, ""), dict.fromkeys(now.tables, ""), {}),
        *(
            said
            for table in sorted(before.tables.keys() & now.tables.keys())
            if before.tables[table] and now.tables[table]
            for said in _changes(
                f"column {table}.",
                before.tables[table],
                now.tables[table],
                again.tables.get(table, {}),
            )
        ),
        *_changes("", before.objects, now.objects, again.objects),
    ]


def _changes(
    what: str, before: Mapping[str, str], now: Mapping[str, str], again: Mapping[str, str]
) -> Iterator[str]:
    kind = f"{what} " if what and not what.endswith(".") else what
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield f"{kind}{name} is gone"
        elif name not in before:
            yield f"{kind}{name} is new"
        elif before[name] and now[name] and now[name] not in (before[name], again.get(name)):
            yield f"{kind}{name} is defined in another way"
