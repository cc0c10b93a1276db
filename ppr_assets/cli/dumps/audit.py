"""``ppr-assets audit``: was what is published what it says, night by night?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import chain

import click
from msgspec.structs import replace

from ppr_assets.cli.shared.chosen_dump import Moment
from ppr_assets.cli.shared.console import out, progress
from ppr_assets.cli.shared.context import Invocation, bundled, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view
from ppr_assets.data_repo.history.message import signed_by
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.audit import GAP_HOURS, Audited, Scope
from ppr_assets.operations.audit import audit as audited
from ppr_assets.operations.audit.policy import NOT_ALLOWED
from ppr_assets.rules.wording import plural

SHOWN = 20
"""Remarks of one kind that are shown; a data repository may hold hundreds of old dumps."""

_NAMES = re.compile(r"pantry_pirate_radio_[\w-]+(\.\w+)*")


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
        out.print(line)


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


class AuditReport:
    """Gives the lines of each commit as it comes, and at the end those that tell of all."""

    def __init__(self) -> None:
        self._results: list[Audited] = []
        self._kinds: Counter[tuple[str, str]] = Counter()

    def lines(self, one: Audited) -> Iterator[str]:
        """None for a commit of which there is only what was shown often enough before."""
        self._results.append(one)
        shown = [*self._remarks(one)]
        if not shown and one.status != "holds":
            return
        yield _headline(one)
        if one.reset:
            by = signed_by(one.commit.message)
            yield f"            reset{f' by {by}' if by else ''}: {one.reset}"
        yield from shown
        yield from _gap(one)

    def summary(self) -> Iterator[str]:
        """By kind, where not all were shown, and the verdict on everything."""
        if any(count > SHOWN for count in self._kinds.values()):
            yield f"by kind, of which {SHOWN} are shown each (--json has all):"
            for (word, kind), count in self._kinds.most_common():
                yield f"{count:>8}  {word:<7}  {kind}"
        yield _verdict(self._results)

    def _remarks(self, one: Audited) -> Iterator[str]:
        findings = (("FINDING", "   FINDING  ", text) for text in one.findings)
        notes = (("note", "            ", text) for text in one.notes)
        for word, before, text in chain(notes, findings):
            kind = word, _kind(text)
            self._kinds[kind] += 1
            if self._kinds[kind] <= SHOWN or (word == "note" and one.status == "holds"):
                yield f"{before}{text}"


def _kind(text: str) -> str:
    """What a remark says, without of which dump, table or number it says so."""
    start = _NAMES.sub("a dump", text.partition(": ")[0])
    return re.sub(r"`[^`]*`", "…", re.sub(r"\b\d[\d-]*\b", "N", start))


def _headline(one: Audited) -> str:
    commit = one.commit
    what = [one.dump or ("mark reset" if one.reset else "other commit")]
    if one.manifest is not None:
        what.append(f"{one.manifest.rows.get('organization', 0)} organizations")
        what.append(f"{sum(one.manifest.rows.values())} rows")
    if one.mark is not None:
        what.append(f"mark {one.mark}")
    if one.manifest is not None and one.manifest.proof is not None and one.manifest.proof.proven:
        what.append(f"proven on {one.manifest.proof}")
    if one.signature.state != "unsigned":
        what.append(_signed(one))
    what.append(one.status.upper() if one.findings else one.status)
    return f"{commit.sha[:10]}  {commit.date.astimezone(UTC):%Y-%m-%d %H:%M}  {'  '.join(what)}"


def _signed(one: Audited) -> str:
    if one.signature.state == "good":
        return f"signed by {one.signature.signer}"
    return "signature not checked" if one.signature.state == "unknown" else "bad signature"


def _gap(one: Audited) -> Iterator[str]:
    if one.gap is not None:
        between = plural(one.gap.publications, "publication") if one.gap.publications else ""
        told = f"with {between or 'no publication'} in between"
        yield f"            gap: {one.gap.hours:.0f} h after the dump before it, {told}"


def _verdict(results: Sequence[Audited]) -> str:
    dumps = [one for one in results if one.dump]
    count = Counter(one.status for one in dumps)
    others = Counter(one.status for one in results if not one.dump)
    facts = [
        f"{plural(len(dumps), 'dump')}: {count['holds']} hold, {count['broken']} broken, "
        f"{count['unverifiable']} unverifiable",
        *(
            f"{plural(others[status], 'other commit')} {status}"
            for status in ("broken", "unverifiable")
            if others[status]
        ),
        plural(sum(bool(one.manifest and one.manifest.override) for one in dumps), "override"),
        plural(sum(one.reset is not None for one in results), "reset"),
        plural(sum(one.gap is not None for one in dumps), "gap"),
        f"{sum(one.signature.state == 'good' for one in results)} of {len(results)} signed by "
        "trusted keys",
    ]
    return "; ".join(facts)
