from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from ppr_assets import errors
from ppr_assets.errors import PprError
from ppr_assets_tests.places import ROOT

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


OF_A_BAD_NIGHT = {name for _, name, code in _real() if code in {3, 4, 6}}


def _raised(text: str) -> Iterator[str]:
    """The words of message and hint, wherever one of these errors is made in ``text``."""
    for node in ast.walk(ast.parse(text)) if any(map(text.__contains__, OF_A_BAD_NIGHT)) else ():
        if isinstance(node, ast.Call) and ast.unparse(node.func) in OF_A_BAD_NIGHT:
            hints = (given.value for given in node.keywords if given.arg == "hint")
            for part in (inner for given in (*node.args[:1], *hints) for inner in ast.walk(given)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_each_text_of_a_refusal_a_bad_dump_or_a_bad_repository_stands_in_a_test() -> None:
    """Clause by clause, as names and numbers stand between them: who changes one changes a test."""
    tests = "".join(path.read_text() for path in (ROOT / "ppr_assets_tests").rglob("*.py"))
    told = re.sub(r"""["']\s+[bfr]{0,2}["']""", "", tests)  # a text over several lines is one
    clauses = {
        (path.name, clause.strip())
        for path in (ROOT / "ppr_assets").rglob("*.py")
        for words in _raised(path.read_text(encoding="utf-8"))
        for clause in re.split(r"[`\".,;:…(){}\\]", words)
        if len(clause.strip()) > 8
    }
    assert len(clauses) > 300
    assert {(name, clause) for name, clause in clauses if clause not in told} == set()
