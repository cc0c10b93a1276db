"""How a replay is printed: the report of its files, its table and lines, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ppr_assets.cli.shared.console import out, print_columns
from ppr_assets.operations.replaying.accounts import Accounts
from ppr_assets.operations.replaying.gathered import OnLine, unseen
from ppr_assets.operations.replaying.replay import ReplayOutcome

_SHOWN = 12


@contextmanager
def reported(path: Path | None) -> Iterator[OnLine]:
    """What writes each file's line to ``path``, which has its name when all is done, so that it
    never says loaded of what was taken back."""
    if path is None:
        yield unseen
        return
    beside = path.with_name(f"{path.name}.partial")
    try:
        with beside.open("w", encoding="utf-8") as file:
            yield lambda line: print(json.dumps(line.to_json()), file=file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def print_replay(outcome: ReplayOutcome, database: str) -> None:
    _print_table(outcome.accounts)
    for word, text in _lines(outcome, database):
        out.print(f"{word:<10} {text}", markup=False)


def _print_table(accounts: Accounts) -> None:
    heading = ["scraper", "loaded", "empty", "rejected"]
    rows = [
        [scraper, *(str(counts[one]) for one in heading[1:])]
        for scraper, counts in sorted(accounts.by_scraper.items())
    ]
    print_columns([heading, *rows], numbers={1, 2, 3})


def _lines(outcome: ReplayOutcome, database: str) -> Iterator[tuple[str, str]]:
    accounts = outcome.accounts
    yield "files", str(accounts)
    for became in ("empty", "rejected"):
        yield from _most(became, _reasons(accounts, became))
    if accounts.truncated:
        yield "cut short", f"{accounts.truncated} answers were cut off: locations may be missing"
    organizations, locations = outcome.merged
    yield "merged", f"{organizations} organizations and {locations} locations told more than once"
    yield from _most("no place", outcome.no_place)
    yield from _most("filled", outcome.filled)
    yield from _most("unknown", accounts.without_place)
    if outcome.changed:
        shown = ", ".join(f"{count} {table}" for table, count in outcome.changed.items() if count)
        yield "replayed", f"{database}: {shown or 'nothing changed'}"
    else:
        yield "dry run", "the server was left alone"


def _most(word: str, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The most frequent, and how many others there are."""
    often = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    for name, count in often[:_SHOWN]:
        yield word, f"{count}: {name}"
    if beside := len(often[_SHOWN:]):
        yield word, f"and {beside} more, which --json lists"


def _reasons(accounts: Accounts, outcome: str) -> Mapping[str, int]:
    return {
        reason: count
        for (became, reason), count in accounts.by_reason.most_common()
        if became == outcome
    }


def replay_json(outcome: ReplayOutcome) -> dict[str, object]:
    accounts = outcome.accounts
    return {
        "files": accounts.files,
        **{one: accounts.by_outcome[one] for one in ("loaded", "empty", "rejected")},
        "reasons": {one: _reasons(accounts, one) for one in ("empty", "rejected")},
        "merged": dict(zip(("organization", "location"), outcome.merged, strict=True)),
        "changed": dict(outcome.changed),
        "no_place": dict(outcome.no_place),
        "filled": dict(outcome.filled),
        "unknown": dict(accounts.without_place),
        "truncated": accounts.truncated,
    }
