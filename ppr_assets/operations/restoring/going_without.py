"""What a proof or a restore goes without, because it cannot be made where it is needed.

Nothing is left out by itself but what nobody misses: a comment for which one has to own an
extension, a schema that is there already, no rows for a table that the role may not fill. All else
needs a rule that somebody has set, and is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from ppr_assets.plain_sql.parsing.entries import Key
from ppr_assets.plain_sql.tables.shortened import Shortened
from ppr_assets.postgres.compare.schema_objects import Objects
from ppr_assets.postgres.rehearsal.rehearsal import RefusedObject
from ppr_assets.rules.gate.replacement import DEPENDENTS

LET_BY = "SQL_DUMP_PROOF_WITHOUT"
"""Who usually says what may be gone without."""
ON_REQUEST = "--without-extensions"
"""Who says so of what needs them as well."""


class Without(Struct, frozen=True):
    """``keys`` of entries that are not made. ``named``: what a rule has let go, for the record;
    ``remarks`` are for a human. ``definitions``: what the dump's statements gave where they were
    tried, and all of them were taken. ``shortened``: tables that are made without a part."""

    keys: frozenset[Key] = frozenset()
    named: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    definitions: Objects | None = None
    shortened: Shortened = field(default_factory=Shortened)


def going_without(
    refused: Sequence[RefusedObject], rule: Sequence[str]
) -> tuple[Without, list[RefusedObject]]:
    """What can be gone without, and what stands in the way. With :data:`DEPENDENTS` in the
    ``rule``, what needs something that goes, goes too, rows included."""
    nobody_misses = [one for one in refused if _is_free(one)]
    let_go = [one for one in refused if one not in nobody_misses and _is_named(one, rule)]
    gone = {one.name for one in let_go if one.kind == "EXTENSION"}
    rest = [one for one in refused if one not in nobody_misses and one not in let_go]
    rows = [one for one in rest if gone and one.kind == "TABLE DATA"]
    let_go += rows
    comments = [one for one in nobody_misses if one.kind == "COMMENT" and one.reason == "role"]
    let_by = ON_REQUEST if DEPENDENTS in rule else LET_BY
    return (
        Without(
            frozenset((one.kind, one.schema, one.name) for one in (*nobody_misses, *let_go)),
            tuple(one.what for one in let_go),
            tuple(
                [f"not set, which only an owner may: {one.what}" for one in comments]
                + [f"left out, as {let_by} lets it: {one}" for one in let_go]
            ),
        ),
        [one for one in rest if one not in rows],
    )


def covers(rule: Sequence[str], kind: str, name: str) -> bool:
    """Whether one of the rule's items names this kind, or this object; functions also without
    their arguments."""
    names = {f"{kind} {name}".lower(), f"{kind} {name.partition('(')[0]}".lower(), kind.lower()}
    return any(item.lower() in names for item in rule)


def _is_free(one: RefusedObject) -> bool:
    if one.kind == "COMMENT":
        return one.reason in ("role", "needs another")
    no_rows = one.kind == "TABLE DATA" and one.reason == "role" and not one.rows
    return one.reason == "there" or no_rows


def _is_named(one: RefusedObject, rule: Sequence[str]) -> bool:
    if one.reason == "needs another" and DEPENDENTS in rule:
        return True
    return one.reason != "database" and covers(rule, one.kind, one.name)
