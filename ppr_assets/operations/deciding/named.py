"""What of a database somebody means who decides on a table or a column of it, by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from ppr_assets.errors import SettingsError
from ppr_assets.postgres.snapshot.relations import holds_no_rows
from ppr_assets.postgres.snapshot.snapshot import Snapshot
from ppr_assets.rules.naming import PUBLICATION, column_name
from ppr_assets.rules.publication.relations import Relation

_PUBLIC = "public."


def named(
    target: str,
    relations: Collection[Relation],
    snapshot: Snapshot,
    *,
    need: str = "a table or TABLE.COLUMN",
    hint: str,
) -> tuple[Relation, str | None]:
    """The one of ``relations`` that ``target`` names, and its column if it names one. Raises
    :class:`SettingsError`, which says what is nearest, for anything else."""
    found = [*_meant(target, relations)]
    if not found and target.startswith(_PUBLIC):
        found = [*_meant(target.removeprefix(_PUBLIC), relations)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(
            f"`{target}` is the name of a table and of a column",
            hint=f"write the decision into `{PUBLICATION}` by hand, and commit it.",
        )
    if what := holds_no_rows(snapshot.connection, target.removeprefix(_PUBLIC)):
        raise SettingsError(
            f"`{target}` is a {what}, which holds no rows and needs no decision",
            hint="a dump has it as it is defined, whatever it names; decide on the tables whose "
            "values it shows or counts.",
        )
    near = _nearest(target, relations)
    raise SettingsError(
        f"`{target}` is not in the database, must be {need}",
        hint=f"is it `{near}`? {hint}" if near else hint,
    )


def _meant(target: str, relations: Collection[Relation]) -> Iterator[tuple[Relation, str | None]]:
    yield from ((one, None) for one in relations if one.key == target)
    for one in relations:
        for column in one.columns:
            if target in (column_name(one.key, column.name), f"{one.key}.{column.name}"):
                yield one, column.name


def _nearest(target: str, relations: Collection[Relation]) -> str | None:
    names = {one.key.lower(): one.key for one in relations}
    for one in relations:
        for column in one.columns:
            name = column_name(one.key, column.name)
            names.setdefault(name.lower(), name)
    close = get_close_matches(target.lower(), names, n=1, cutoff=0.8)
    return names[close[0]] if close else None
