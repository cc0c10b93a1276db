"""``ppr-assets policy``: what is published, what is not, and deciding on what is new.

Only what looks at the database imports its driver, which takes as long as all else.
"""

from __future__ import annotations

from datetime import UTC, datetime

import click
from click.core import ParameterSource
from msgspec import Struct

from ppr_assets.cli.deciding.policy_json import (
    change_json,
    checked_json,
    policy_json,
    revision_json,
)
from ppr_assets.cli.shared.console import out, print_columns
from ppr_assets.cli.shared.context import Invocation, bundled, by_option, pass_invocation, worded
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view
from ppr_assets.data_repo.history.message import signed_by
from ppr_assets.errors import SettingsError
from ppr_assets.operations.deciding.decisions import policy_in_force, review_policy
from ppr_assets.operations.deciding.policy_change import PolicyChange
from ppr_assets.operations.deciding.policy_change import review as review_finds
from ppr_assets.rules.finds.decisions import spot_at
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import (
    REPLACED_BY,
    RULES,
    WHOLE,
    Decisions,
    Rule,
)
from ppr_assets.rules.publication.withholding import plan_lines, said

reason_option = click.option(
    "--reason", required=True, callback=worded, help="Why; it is committed for everybody to read."
)


class _Fate(Struct, frozen=True):
    """What becomes of a table or a column in a dump."""

    rule: Rule
    text: str


@click.group()
def policy() -> None:
    """Show what is published and what is withheld, or decide on what is new.

    The policy says of every table and column what a dump has of it. What it does not know stops the
    dump. What ppr_assets ships is in force with what the data repository adds in
    `.publication.toml` in its dump folder, committed like everything else there.
    """


@policy.command()
@click.argument("table", required=False)
@offline_option
@json_option()
@pass_invocation
def show(invocation: Invocation, table: str | None, *, offline: bool, as_json: bool) -> None:
    """Show the policy in force: all tables, or each column of one."""
    found = policy_in_force(invocation.settings, print_view, offline=offline)
    if table is not None and table not in found.whole.tables:
        table = table.removeprefix("public.")
    if table is not None and table not in found.whole.tables:
        raise SettingsError(
            f"the policy does not know `{table}`",
            hint="`ppr-assets policy check` names what is unknown in the database.",
        )
    if as_json:
        print_json(policy_json(found, table))
        return
    if table is None:
        rows = [
            (name, _summary(lines), found.source if name in found.added.tables else "shipped")
            for name, lines in found.whole.tables.items()
        ]
        print_columns([("table", "what is published", "decided by"), *rows])
        return
    lines = found.whole.tables[table]
    own = found.added.tables.get(table, {})
    print_columns(
        [("column", "rule", "decided by", "reason")]
        + [
            (
                "the table" if column == WHOLE else column,
                said(one),
                found.source if column in own else "shipped",
                " ".join(one.reason.split()),
            )
            for column, one in lines.items()
        ]
    )


@policy.command()
@json_option()
@pass_invocation
def check(invocation: Invocation, *, as_json: bool) -> None:
    """Hold the database to the policy, as a dump does before it begins.

    Prints what would be withheld, what the data repository withholds and is not in the database,
    and each table and column that nobody has decided on, with the command that decides. Ends with
    exit code 8 where a dump would be refused.
    """
    from ppr_assets.operations.deciding.against_database import check_policy

    found = check_policy(invocation.settings)
    if as_json:
        print_json(checked_json(found))
        if found.plan.refusal is not None:
            raise found.plan.refusal
        return
    file = invocation.settings.dump.policy_file or PUBLICATION
    for line in plan_lines(found.plan, file):
        out.print(line)
    for name in found.idle:
        out.print(f"not in the database: {name}, which {file} withholds")
    if found.plan.refusal is not None:
        raise found.plan.refusal
    out.print("everything in the database is decided on: a dump would not be refused")


@policy.command()
@click.argument("target", metavar="TABLE[.COLUMN]")
@reason_option
@by_option
@bundled(
    "fate",
    _Fate,
    click.argument("rule", type=click.Choice(RULES)),
    click.option(
        "--text",
        default=REPLACED_BY,
        show_default=True,
        help="What stands where a text is replaced.",
    ),
)
@json_option()
@pass_invocation
def add(invocation: Invocation, target: str, fate: _Fate, *, reason: str, as_json: bool) -> None:
    """Decide on a table or a column, in a commit that says why.

    A table is `structure` (published without its rows) or `public`, which lists the columns that it
    has now; a column is `public`, `null` (published as NULL) or `replaced` (by a fixed text).

    \b
    Examples:
      ppr-assets policy add change_log structure --reason "who changed what"
      ppr-assets policy add organization.updated_by null --reason "names of keys"
    """
    from ppr_assets.operations.deciding.against_database import Wish, decide

    given = click.get_current_context().get_parameter_source("text")
    if given is not ParameterSource.DEFAULT and fate.rule != "replaced":
        raise click.UsageError(f"--text is for what is replaced, and {target} is to be {fate.rule}")
    wish = Wish(target, fate.rule, reason, fate.text)
    decided = decide(invocation.settings, wish)
    if as_json:
        unknown = [one.name for one in decided.plan.to_decide]
        print_json({**change_json(decided.change), "unknown": unknown})
    else:
        _print_change(f"{target} is {fate.rule}", decided.change)
        for one in decided.plan.to_decide:
            out.print(f"still unknown: {one.name}: {one.choice}")
    _raise_undelivered(decided.change)


@policy.command()
@click.argument("place", metavar="TABLE.COLUMN")
@click.argument("kind")
@reason_option
@by_option
@json_option()
@pass_invocation
def allow(invocation: Invocation, place: str, kind: str, *, reason: str, as_json: bool) -> None:
    """Allow what only looks like a secret, by column and kind as the refusal names them.

    \b
    Example:
      ppr-assets policy allow service.url "URL with a password" \\
        --reason "a public calendar"
    """
    from ppr_assets.operations.deciding.against_database import allow_there

    try:
        spot = spot_at(place, kind)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    change = allow_there(invocation.settings, spot, reason=reason)
    if as_json:
        print_json(change_json(change))
    else:
        _print_change(f"{kind} is allowed in {spot.place}", change)
    _raise_undelivered(change)


@policy.command()
@reason_option
@by_option
@json_option()
@pass_invocation
def baseline(invocation: Invocation, *, reason: str, as_json: bool) -> None:
    """Take what the latest dump has that leads to persons for reviewed.

    A night warns where a column has some that had none, or twice as many as were reviewed.
    """
    change, found = review_finds(invocation.settings, reason=reason)
    if as_json:
        reviewed = [{**spot._asdict(), "values": values} for spot, values in found.items()]
        print_json({**change_json(change), "reviewed": reviewed})
    else:
        for spot, values in found.items():
            out.print(f"{spot.place}: {values} of the kind {spot.kind}")
        _print_change("reviewed", change)
    _raise_undelivered(change)


@policy.command()
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="A day (UTC); without it, all that was ever decided.",
)
@offline_option
@json_option("A JSON array, for programs.")
@pass_invocation
def review(invocation: Invocation, since: datetime | None, *, offline: bool, as_json: bool) -> None:
    """List what the data repository decided since a day: when, who, what and why."""
    day = since.replace(tzinfo=UTC) if since else None
    revisions = review_policy(invocation.settings, print_view, day, offline=offline)
    if as_json:
        print_json([revision_json(one) for one in revisions])
        return
    if not revisions:
        out.print("nothing was decided in the data repository")
    for one in revisions:
        commit = one.commit
        when = f"{commit.date.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        out.print(f"{commit.sha[:10]}  {when}  {signed_by(commit.message) or commit.author}")
        out.print(f"  {commit.subject}")
        if one.unreadable:
            out.print(f"  {one.unreadable}")
        for table, column, before, after in one.changes:
            name = table if column == WHOLE else f"{table}.{column}"
            why = f" ({' '.join(after.reason.split())})" if after and after.reason else ""
            out.print(f"  {name}: {said(before)} → {said(after)}{why}")


def _print_change(what: str, change: PolicyChange) -> None:
    if change.commit is None:
        out.print(f"{what}, as it was already")
        return
    where = "which the remote has" if change.delivery.pushed else "not pushed"
    out.print(f"{what}, in commit {change.commit[:10]}, {where}")


def _raise_undelivered(change: PolicyChange) -> None:
    if change.delivery.failure is not None:
        raise change.delivery.failure


def _summary(lines: Decisions) -> str:
    if WHOLE in lines and lines[WHOLE].rule == "structure":
        return "no rows"
    withheld = [f"{name} {said(one)}" for name, one in lines.items() if one.rule != "public"]
    columns = len(lines) - (WHOLE in lines)
    published = f"{columns - len(withheld)} columns"
    return f"{published}; withheld: {', '.join(withheld)}" if withheld else published
