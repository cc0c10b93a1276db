"""How a replay is printed: the report of its files, its table and lines, JSON for programs, and the
explanation of one record."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import to_builtins

from ppr_assets.cli.shared.console import out, print_columns, print_lines
from ppr_assets.cli.shared.json_document import print_json
from ppr_assets.cli.shared.target_lines import former_lines
from ppr_assets.operations.replaying.explain import Explained, Explanation, Word
from ppr_assets.operations.replaying.gathered import (
    OUTCOMES,
    Accounts,
    FileLine,
    OnLine,
    ReplayOutcome,
    unseen,
)
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.terms import RebuildOutcome
from ppr_assets.progress import stage
from ppr_assets.rules.replay.rows.fitting import COUNTED_TO_ANOTHER

Outcome = ReplayOutcome | RebuildOutcome
"""Of a dry run, or of one that filled a database."""

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
            yield lambda line: print(json.dumps(to_builtins(line)), file=file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def followed(given: Input, then: OnLine = unseen, *, watched: bool) -> Iterator[OnLine]:
    """``then``, and where somebody looks on how far it is, by files and bytes."""
    if not watched:
        yield then
        return
    files, held, read = len(given.files), given.bytes(), 0
    with stage("reading", held, then=f"replaying what {files:,} files tell") as reading:

        def told(line: FileLine) -> None:
            nonlocal read
            then(line)
            read += 1
            reading.done = reading.done + line.bytes if read < files else held
            reading.beside = f"{read:,} of {files:,} files"

        yield told


def print_replay(outcome: Outcome) -> None:
    read = _read(outcome)
    _print_table(read.accounts)
    print_lines([*_lines(read), *became_lines(outcome)])


def _read(outcome: Outcome) -> ReplayOutcome:
    return outcome.replayed if isinstance(outcome, RebuildOutcome) else outcome


def became_lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What became of the database."""
    if isinstance(outcome, ReplayOutcome):
        yield "dry run", "the server was left alone"
        return
    changed = outcome.replayed.changed
    shown = ", ".join(f"{count} {table}" for table, count in changed.items() if count)
    yield "replayed", f"{outcome.database}: {shown or 'nothing changed'}"
    if outcome.schema:
        yield "schema", f"that of {outcome.schema}, without its rows"
    if outcome.former is not None:
        yield from former_lines(outcome.database, outcome.former)
    for remark in outcome.remarks:
        yield "remark", remark


def _print_table(accounts: Accounts) -> None:
    """By scraper and reason, with the days of each from the first to the last."""
    days: defaultdict[tuple[str, int, str], Counter[str]] = defaultdict(Counter)
    for kind, count in accounts.counted.items():
        days[kind.scraper, OUTCOMES.index(kind.outcome), kind.reason][kind.day] += count
    rows = [
        [scraper, _days(counts), str(counts.total()), OUTCOMES[became], reason]
        for (scraper, became, reason), counts in sorted(days.items())
    ]
    total = ["all", _days({kind.day for kind in accounts.counted}), str(accounts.files), "", ""]
    print_columns([["scraper", "days", "files", "outcome", "reason"], *rows, total], numbers={2})


def _days(days: Iterable[str]) -> str:
    known = sorted(day for day in days if day)
    if len(known) < 2:
        return known[0] if known else "unknown"
    return f"{known[0]} … {known[-1]} ({len(known)})"


def _lines(outcome: ReplayOutcome) -> Iterator[tuple[str, str]]:
    accounts = outcome.accounts
    yield "files", str(accounts)
    for became in ("empty", "rejected"):
        yield from _most(became, _reasons(accounts, became))
    if accounts.truncated:
        yield "cut short", f"{accounts.truncated} answers were cut off: locations may be missing"
    organizations, locations = outcome.merged
    yield "merged", f"{organizations} organizations and {locations} locations told more than once"
    joined = {name for name in outcome.no_place if COUNTED_TO_ANOTHER in name}
    for name in sorted(joined):
        yield "merged", f"{outcome.no_place[name]}: {name}"
    if outcome.changed:
        yield "recorded", _recorded(outcome)
    no_place = {name: count for name, count in outcome.no_place.items() if name not in joined}
    yield from _most("no place", no_place)
    yield from _most("filled", outcome.filled)
    yield from _most("unknown", accounts.without_place)


def _recorded(outcome: ReplayOutcome) -> str:
    """Where the reasons of what was merged are found."""
    if lost := _unrecorded(outcome):
        return f"no reasons of what was merged ({lost}): --explain tells them"
    return "the reasons of what was merged, in record_version; tables by source have no column"


def _unrecorded(outcome: ReplayOutcome) -> str:
    return next((why for why in outcome.no_place if why.startswith("record_version")), "")


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


def replay_json(outcome: Outcome) -> dict[str, object]:
    return _read_json(_read(outcome)) | _became_json(outcome)


def _read_json(outcome: ReplayOutcome) -> dict[str, object]:
    accounts = outcome.accounts
    return {
        "files": accounts.files,
        **{one: accounts.by_outcome[one] for one in OUTCOMES},
        "reasons": {one: _reasons(accounts, one) for one in ("empty", "rejected")},
        "merged": dict(zip(("organization", "location"), outcome.merged, strict=True)),
        "changed": dict(outcome.changed),
        "reasons_recorded": bool(outcome.changed) and not _unrecorded(outcome),
        "no_place": dict(outcome.no_place),
        "filled": dict(outcome.filled),
        "unknown": dict(accounts.without_place),
        "truncated": accounts.truncated,
        "table": [
            {**kind._asdict(), "files": count} for kind, count in sorted(accounts.counted.items())
        ],
    }


def _became_json(outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, ReplayOutcome):
        return {}
    return {
        "database": outcome.database,
        "schema": outcome.schema or None,
        "former": outcome.former,
        "override": outcome.override.reason if outcome.override else None,
        "remarks": list(outcome.remarks),
    }


def print_explanation(found: Explanation, *, as_json: bool) -> None:
    if as_json:
        files = to_builtins(found.files)
        print_json({"files": files, "records": to_builtins(found.records)})
        return
    for line in _explanation_lines(found):
        out.print(line)


def _explanation_lines(found: Explanation) -> Iterator[str]:
    for line in found.files:
        where = f" at {line.json_path}" if line.json_path else ""
        yield f"{line.file}: {line.outcome}{f': {line.reason}' if line.reason else ''}{where}"
    for one in found.records:
        name = one.values.get("name")
        yield f"{one.table} {one.id}{f' {name}' if name else ''}"
        yield from (f"  {word:<5} {text}" for word, text in _of(one))


def _of(one: Explained) -> Iterator[tuple[str, str]]:
    if one.of:
        yield "of", one.of
    if one.rows:
        yield "rows", ", ".join(f"{len(ids)} {table}" for table, ids in sorted(one.rows.items()))
    for word in one.told:
        yield "told", _word(word)
    for file in dict.fromkeys(one.word_of.values()):
        columns = ", ".join(name for name, by in one.word_of.items() if by == file)
        yield "word", f"{columns}: {file}"


def _word(word: Word) -> str:
    told = f"{word.at} {word.scraper} {word.file} at {word.json_path}"
    if not word.reason:
        return told
    return f"{told}: {word.reason}{f', as {word.same_as[0]}' if word.same_as else ''}"
