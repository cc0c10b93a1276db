"""``ppr-assets audit``: was what is published what it says, night by night?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import click
from msgspec.structs import replace

from ppr_assets.cli.dumps.audit_report import AuditReport, plural
from ppr_assets.cli.shared.chosen_dump import Moment
from ppr_assets.cli.shared.console import out, progress
from ppr_assets.cli.shared.context import Invocation, bundled, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.audit import GAP_HOURS, Audited, Scope
from ppr_assets.operations.audit import audit as audited
from ppr_assets.operations.audit.policy import NOT_ALLOWED


@click.command()
@bundled(
    "scope",
    Scope,
    click.argument("commit", metavar="[COMMIT]", required=False),
    click.option("--since", type=Moment(), help="All commits from this date on (UTC)."),
    click.option("--all", "every", is_flag=True, help="The whole history."),
    click.option(
        "--gap-hours",
        type=click.FloatRange(min=0, min_open=True),
        default=GAP_HOURS,
        show_default=True,
        help="Report a time without dumps that is longer.",
    ),
    offline_option,
    click.option(
        "--policy",
        is_flag=True,
        help="Name what a dump holds that the publication policy would not allow, the one of today "
        "and the one of then.",
    ),
)
@json_option("A JSON array, for programs.")
@pass_invocation
def audit(invocation: Invocation, scope: Scope, *, as_json: bool) -> None:
    """Audit published dumps: does everything that is recorded of them hold?

    Needs the clone alone, and no database; a partial clone fetches old dumps that it goes without.
    Without options: the latest dump, as published at COMMIT (the newest if not given), and what
    happened since it came. Each dump's manifest, bytes and commit message must agree; its rows are
    counted from the SQL, and the gate is judged again from the mark of that time. The mark may
    only sink by a recorded reset, latest.sql must name the newest dump, and no dump may change
    after it was published.

    A dump of other scripts has no manifest: it is called unverifiable, as is what they did to
    their own dumps and mark, which is not a finding, and neither is a commit that nobody signed. Of
    hundreds of remarks of a kind some are shown, and --json has all.

    A gap is a time without dumps; nights without changes leave none either, so the number of
    publications in between is shown.

    \b
    Examples:
      ppr-assets audit
      ppr-assets audit 4f2a91c03d
      ppr-assets audit --since 2026-01-01
      ppr-assets audit --all --policy
      ppr-assets audit --all --json | jq '.[] | select(.status == "broken")'

    \b
    Exit codes:
      0    everything holds
      4    something does not: all of it is shown
      6    data repository unusable, or no dump was published
    """
    if scope.since is not None and scope.every:
        raise click.UsageError("--all is the whole history, so no --since can be given")
    scope = replace(scope, policy_file=invocation.settings.dump.policy_file)
    with progress("auditing"):
        found = audited(invocation.settings.data_repo, scope, print_view)
        results = [*found] if as_json else [*_reported(found)]
    if as_json:
        print_json([one.to_json() for one in results])
    _raise_first_finding(results)


def _reported(found: Iterable[Audited]) -> Iterator[Audited]:
    """Each as it comes, with its lines printed, and what is said of all at the end."""
    report = AuditReport()
    for one in found:
        _print(report.lines(one))
        yield one
    _print(report.summary())


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        out.print(line, markup=False)


def _raise_first_finding(results: Sequence[Audited]) -> None:
    findings = [*chain.from_iterable([(one, text) for text in one.findings] for one in results)]
    if findings:
        one, text = findings[0]
        subject = one.dump or f"commit {one.commit.sha[:10]}"
        hint = "`git show COMMIT` tells who did what; restore from a dump that holds."
        if any(NOT_ALLOWED in said for _, said in findings):
            hint = (
                "take it for read: change what is a key, withhold the rest from now on, and tell "
                "whose it is; docs/what-is-published.md has all steps."
            )
        raise DumpDamaged(
            f"{plural(len(findings), 'finding')}, the first: {subject}: {text}", hint=hint
        )
