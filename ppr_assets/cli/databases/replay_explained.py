"""How the explanation of a replayed record is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ppr_assets.cli.shared.console import out
from ppr_assets.cli.shared.json_document import print_json
from ppr_assets.operations.replaying.explain import Explained, Explanation, Word


def print_explanation(found: Explanation, *, as_json: bool) -> None:
    if as_json:
        print_json(_json(found))
        return
    for line in _lines(found):
        out.print(line, markup=False)


def _lines(found: Explanation) -> Iterator[str]:
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


def _json(found: Explanation) -> dict[str, Any]:
    return {
        "files": [line.to_json() for line in found.files],
        "records": [asdict(one) for one in found.records],
    }
