"""What an audit found, for people: a line for each commit, and a summary of hundreds of a kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import chain

from ppr_assets.data_repo.history.message import signed_by
from ppr_assets.operations.audit import Audited

SHOWN = 20
"""Remarks of one kind that are shown; a data repository may hold hundreds of old dumps."""

_NAMES = re.compile(r"pantry_pirate_radio_[\w-]+(\.\w+)*")


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


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
