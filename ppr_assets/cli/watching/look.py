"""``ppr-assets look``: what others get, as they get it, and what waits here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from ppr_assets.alerts.reporting import now, report
from ppr_assets.alerts.state import read_state
from ppr_assets.cli.shared.console import err, print_error, print_lines, progress, size
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.errors import NotAsPublished, PprError
from ppr_assets.failures import told
from ppr_assets.operations.attention import look_around
from ppr_assets.operations.outside.findings import Finding, errors_of
from ppr_assets.operations.outside.look import Looked, finding_json, restore_published
from ppr_assets.operations.outside.look import look as look_outside
from ppr_assets.operations.restoring.drill import DrillOutcome
from ppr_assets.rules.incidents import LOOK, NIGHTLY, Report, news
from ppr_assets.settings import Settings


@click.command()
@click.option(
    "--restore",
    "restoring",
    is_flag=True,
    help="Restore what others get, too, into a scratch database where SQL_DUMP_PROOF says.",
)
@json_option()
@pass_invocation
def look(invocation: Invocation, *, restoring: bool, as_json: bool) -> None:
    """Look at what others get, and at what is staged or pending here.

    As a stranger does: the branch by its public URL, with no token and not from the clone, its
    latest dump whole and as its manifest says, its age, and each place of PPR_COPY_URLS. On the
    machine that dumps also what no run tells: one that was killed, no new dump in time, a dump
    staged or pending for too long, a full disk. Alerts those of PPR_ALERT_URLS, once when
    something begins and once when it is over. For cron, also on another machine, which needs
    DATA_REPO_URL alone. Changes nothing.

    \b
    Examples:
      ppr-assets look
      ppr-assets look --restore
      ppr-assets look --json | jq '.findings[] | select(.error)'

    \b
    Exit codes:
      0    all as it should be, or as it was set up
      1    something is not: each thing on stderr, with what to do
      2    settings: nobody can read DATA_REPO_URL without a key
      5    database unreachable (--restore)
    """
    settings = invocation.settings
    with heard(settings, LOOK), progress("looking at what others get"):
        inside = _inside(settings)
        looked = look_outside(settings, good=_good(settings), at=now())
        findings, outcome = [*looked.findings], None
        _tell(settings, inside, looked)
        if not as_json:
            print_lines(_facts(looked))
        if restoring and looked.error() is None:
            found, outcome = restore_published(settings)
            findings.append(found)
            report(settings, [found.report(now())])
        if as_json:
            print_json(_json(looked, findings, inside, outcome))
        elif outcome is not None:
            print_lines([("restored", f"{outcome.rows} rows, {outcome.proof}")])
        _end([*(NotAsPublished(one.text) for one in _begun(inside)), *errors_of(findings)])


def _good(settings: Settings) -> datetime | None:
    """When the last good night ended, as far as those who were to be told of it know."""
    return read_state(settings.data_repo).known.good.get(NIGHTLY)


def _inside(settings: Settings) -> list[Report]:
    """What waits on the machine that dumps; another one has no clone, and nothing that waits. What
    is wrong with the clone itself, its runs tell of."""
    if wants_clone(settings.data_repo.path):
        return []
    try:
        with told(settings):
            return look_around(settings, _good(settings), now())
    except PprError as error:
        err.print(f"the clone cannot be looked into: {error.render()}")
        return []


def _begun(reports: Sequence[Report]) -> Iterator[Report]:
    return (one for one in reports if not one.over)


def _tell(settings: Settings, inside: Sequence[Report], looked: Looked) -> None:
    known = read_state(settings.data_repo).known
    report(settings, [*news(known, inside), *(one.report(looked.at) for one in looked.findings)])


def _facts(looked: Looked) -> Iterator[tuple[str, str]]:
    if looked.who is not None:
        how = "with the token, since it is private" if looked.who.private else "as a stranger"
        yield "branch", f"{looked.who.where}, {how}"
    dump = looked.dump
    if dump is not None:
        amount = f"{size(dump.manifest.bytes)}, " if dump.manifest else ""
        yield "latest", f"{dump.name}, {amount}{'read' if dump.read else 'known from before'}"
    if looked.since is not None:
        hours = (looked.at - looked.since).total_seconds() / 3600
        yield "since", f"{looked.since:%Y-%m-%d %H:%M} UTC, {hours:.1f} h ago"
    for one in looked.places:
        yield "copies", f"{one.place}: {one.newest or 'none'}"
    for remark in looked.remarks:
        yield "remark", remark


def _json(
    looked: Looked,
    findings: Sequence[Finding],
    inside: Sequence[Report],
    outcome: DrillOutcome | None,
) -> dict[str, Any]:
    return {
        **looked.to_json(),
        "findings": [finding_json(one) for one in findings],
        "waiting": [{"kind": one.kind, "error": one.text} for one in _begun(inside)],
        "restored": str(outcome.proof) if outcome else None,
    }


def _end(errors: Sequence[PprError]) -> None:
    """All of them on stderr, the first as what the verb ends with."""
    for error in errors[1:]:
        print_error(error)
    if errors:
        raise NotAsPublished(errors[0].message, hint=errors[0].hint) from errors[0]
