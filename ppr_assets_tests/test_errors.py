from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from ppr_assets import errors
from ppr_assets.errors import PprError

DRAWN = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>\d+)\b", re.MULTILINE)


def _drawn() -> Iterator[tuple[int, str, int]]:
    """Depth, name and exit code of each line of the drawing; four columns are one level."""
    for line in DRAWN.finditer(inspect.getdoc(errors) or ""):
        yield len(line["branch"]) // 4, line["name"], int(line["code"])


def _real(error: type[PprError] = PprError, depth: int = 0) -> Iterator[tuple[int, str, int]]:
    yield depth, error.__name__, error.exit_code
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _real(child, depth + 1)


def test_the_drawn_tree_is_the_real_one() -> None:
    assert list(_drawn()) == list(_real())


def test_the_exit_codes_are_the_documented_ones() -> None:
    assert {name: code for _, name, code in _real()} == {
        "PprError": 1,
        "SettingsError": 2,
        "GateRefused": 3,
        "NoRecords": 3,
        "RatchetFileError": 3,
        "DumpDamaged": 4,
        "DumpUnproven": 4,
        "DatabaseFailed": 5,
        "DatabaseUnreachable": 5,
        "DataRepoError": 6,
        "DumpMissing": 6,
        "GitTimeout": 6,
        "PushFailed": 6,
        "Busy": 7,
        "PolicyRefused": 8,
        "PolicyUnreadable": 8,
        "DumpFailed": 1,
        "RestoreFailed": 1,
        "FilesUnaccounted": 1,
        "PreconditionFailed": 1,
        "StorageFailed": 1,
        "QueryFailed": 1,
        "CopyFailed": 1,
        "NotAsPublished": 1,
        "Unexpected": 1,
        "Cancelled": 130,
    }


def test_an_error_is_shown_with_its_way_out() -> None:
    assert PprError("a is 1, 2 needed", hint="Add one.").render() == (
        "a is 1, 2 needed\nHINT: Add one."
    )


def test_an_error_without_a_way_out_is_one_line() -> None:
    assert PprError("a is 1, 2 needed").render() == "a is 1, 2 needed"
