"""What the publication policy means for the database, and deciding on what it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import tomlkit
from msgspec import Struct
from tomlkit import TOMLDocument

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.history.dump_folder import DumpFolder
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import PolicyRefused, PushFailed, SettingsError
from ppr_assets.operations.deciding.named import named
from ppr_assets.operations.deciding.policy_change import PolicyChange, allow, change_policy
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.operations.publishing.publication import additions_at, merged_with_remote, plan_at
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.finds.judgement import Spot
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.planning import idle_decisions, plan
from ppr_assets.rules.publication.policy import (
    OF_COLUMNS,
    OF_TABLES,
    REPLACED_BY,
    WHOLE,
    Decision,
    Policy,
    Rule,
    shipped_policy,
)
from ppr_assets.rules.publication.relations import Relation
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.rules.wording import few
from ppr_assets.settings import Settings

_LOCK_SECONDS = 5.0
_PROBLEMS = 5
_OF_DECISIONS = (
    "`ppr-assets policy check` names what is there and unknown; a table of another schema than "
    f"public has its schema before it. On what is yet to come, decide in `{PUBLICATION}` by hand."
)
_OF_FINDS = "the refusal of a dump names the column, with the command that allows it."


class Wish(Struct, frozen=True):
    """``target``: a table, or a column of one, as messages name it. ``text`` stands in the place of
    values that are replaced."""

    target: str
    rule: Rule
    reason: str
    text: str = REPLACED_BY


class Decided(Struct, frozen=True):
    """What was committed, and what the policy means for the database since."""

    change: PolicyChange
    plan: Plan


class CheckedPolicy(Struct, frozen=True):
    """What the policy means for the database, and what is ``added`` to the shipped one to withhold
    what is not there, in words."""

    plan: Plan
    idle: Sequence[str]


def check_policy(settings: Settings) -> CheckedPolicy:
    """For the database as it is now. Raises what :func:`judged_tip`, :func:`merged_with_remote` and
    :func:`plan_at` raise."""
    with (
        open_data_repo(settings.data_repo) as repo,
        open_snapshot(settings.database, exclusive=False, lock_seconds=_LOCK_SECONDS) as snapshot,
    ):
        with suppress(PushFailed):  # offline, by what the clone knows
            fetch(repo)
        commit, relations = judged_tip(repo), snapshot.relations()
        added = additions_at(repo, merged_with_remote(repo, commit), settings.dump)
        found = snapshot.with_checks(plan_at(repo, commit, settings.dump, relations))
        return CheckedPolicy(found, [*idle_decisions(added, relations)])


def decide(settings: Settings, wish: Wish) -> Decided:
    """Commit the decision that somebody wishes.

    Raises :class:`SettingsError` for what is not in the database and for a rule that is not one of
    a table or of a column, :class:`PolicyRefused` for a rule that cannot be kept there, and what
    :func:`change_policy` raises.
    """
    with open_snapshot(settings.database, exclusive=False, lock_seconds=_LOCK_SECONDS) as snapshot:
        return _decided(settings, wish, snapshot)


def _decided(settings: Settings, wish: Wish, snapshot: Snapshot) -> Decided:
    relations = snapshot.relations()
    relation, column = named(wish.target, relations, snapshot, hint=_OF_DECISIONS)
    _require_decidable(wish, relation, column)
    plans: list[Plan] = []

    def planned(added: Policy) -> Plan:
        return snapshot.with_checks(plan(shipped_policy().with_additions(added), relations))

    def edit(document: TOMLDocument, folder: DumpFolder) -> None:
        before = planned(folder.additions or Policy())
        write_decision(document, relation, column, wish)
        after = planned(Policy.parse(tomlkit.dumps(document), source=folder.path(PUBLICATION)))
        if broken := [one for one in after.impossible if one not in before.impossible]:
            broken.sort(
                key=lambda one: not one.startswith((f"{relation.key} ", f"{relation.key}."))
            )
            said = few(broken, _PROBLEMS, between="; ", rest="; and {} more")
            raise PolicyRefused(
                f"{wish.target} cannot be {wish.rule}: {said}",
                hint="choose another rule; nothing was committed.",
            )
        plans[:] = [after]

    subject = f"Publish {wish.target} as {wish.rule}"
    if wish.rule == "structure":
        subject = f"Publish {wish.target} without its rows"
    elif wish.rule == "public":
        subject = f"Publish {wish.target}"
    change = change_policy(settings, edit, subject=subject, reason=wish.reason)
    return Decided(change, plans[-1])


def _require_decidable(wish: Wish, relation: Relation, column: str | None) -> None:
    if column == WHOLE:
        raise SettingsError(
            f"{wish.target} has the name that stands for a whole table in a policy",
            hint="give the column another name, or publish the table without its rows.",
        )
    if any(one.computed for one in relation.columns if one.name == column):
        raise SettingsError(
            f"{wish.target} is generated from other columns, and no dump holds its values",
            hint="decide on those that it is made from.",
        )
    allowed = OF_TABLES if column is None else OF_COLUMNS
    if wish.rule not in allowed:
        what = "a table" if column is None else "a column"
        raise SettingsError(
            f"{wish.target} is {what}, whose rule must be {' or '.join(allowed)}, not {wish.rule}",
            hint="a column is named with its table: TABLE.COLUMN.",
        )


def allow_there(settings: Settings, spot: Spot, *, reason: str) -> PolicyChange:
    """:func:`allow`, which raises :class:`SettingsError` for a column that is not in the database;
    nothing tells whether a statement is."""
    if spot.column:
        with open_snapshot(
            settings.database, exclusive=False, lock_seconds=_LOCK_SECONDS
        ) as snapshot:
            relations = snapshot.relations()
            _, column = named(spot.place, relations, snapshot, need="TABLE.COLUMN", hint=_OF_FINDS)
        if column is None:
            raise SettingsError(f"{spot.place} is a table, must be TABLE.COLUMN", hint=_OF_FINDS)
    return allow(settings, spot, reason=reason)


def write_decision(
    document: TOMLDocument, relation: Relation, column: str | None, wish: Wish
) -> None:
    """Write into a policy file what ``wish`` says of a table, or of its ``column``."""
    decision = Decision(
        wish.rule, wish.text if wish.rule == "replaced" else "", wish.reason.strip()
    ).to_toml()
    if column is None and wish.rule == "structure":
        section = tomlkit.table()
        section[WHOLE] = _inline(decision)
        document[relation.key] = section
        return
    if relation.key not in document or _is_structure(document[relation.key].get(WHOLE)):
        document[relation.key] = tomlkit.table()  # where it is opened, column by column
    lines = document[relation.key]
    if column is not None:
        lines[column] = _inline(decision)
        return
    lines[WHOLE] = _inline(decision)
    decided = shipped_policy().tables.get(relation.key, {})
    for one in relation.columns:
        if one.name not in {*lines, *decided, WHOLE} and not one.computed:
            lines[one.name] = wish.rule


def _is_structure(line: Any) -> bool:
    return "structure" in (line, line.get("rule") if isinstance(line, dict) else None)


def _inline(decision: str | dict[str, str]) -> object:
    if isinstance(decision, str):
        return decision
    table = tomlkit.inline_table()
    table.update(decision)
    return table
