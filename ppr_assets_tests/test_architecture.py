"""The map of docs/architecture.md leads to what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ppr_assets.cli import VERBS
from ppr_assets_tests.places import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGE, TESTS = ROOT / "ppr_assets", ROOT / "ppr_assets_tests"


def test_every_file_on_the_walks_exists() -> None:
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", TEXT))
    assert len(named) > 20
    assert {name for name in named if not (PACKAGE / name).is_file()} == set()


def test_every_room_is_on_the_map_and_no_other() -> None:
    lines = TEXT.partition("```\n")[2].partition("```")[0].splitlines()
    there: set[str] = set()
    path: list[str] = []
    for line in lines:
        depth = (len(line) - len(line.lstrip())) // 2
        for name in re.findall(r"(?:^ *|  )([a-z_]+)/(?= )", line):
            path[depth:] = [name]
            there.add("/".join(path))
    folders = {
        path.parent.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.glob("*/**/__init__.py")
        if path.parent.relative_to(PACKAGE).parts[0:1] != ()
    }
    inner = {"demo/sample", "postgres/load/work"} | {
        f"rules/replay/{name}" for name in ("words", "merging", "rows")
    }  # rooms within a room
    assert there == folders - inner


def _said_in(package: Path) -> str:
    """Its docstring, in one line."""
    text = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split())


@pytest.mark.parametrize("room", sorted({room for room, _ in VERBS.values()}))
def test_a_room_of_verbs_is_described_with_all_of_them(room: str) -> None:
    verbs = {verb for verb, (of, _) in VERBS.items() if of == room}
    line = re.search(rf"^  {room}/ .*: (.*)$", TEXT, re.MULTILINE)
    assert line is not None and set(line[1].split(", ")) == verbs
    written = re.search(r": ([a-z, ]+)\.", _said_in(PACKAGE / "cli" / room / "__init__.py"))
    assert written is not None and set(written[1].split(", ")) == verbs


def test_every_folder_says_what_belongs_there_and_what_does_not() -> None:
    beyond = re.compile(
        r"``[a-z_./]+``|\b(?:no|not|nothing|nobody|never|above|outside|other|belongs|decide[sd])\b",
        re.IGNORECASE,
    )
    silent = {
        path.parent.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.glob("*/**/__init__.py")
        if not beyond.search(_said_in(path))
    }
    assert silent == set()


def test_every_test_that_the_documents_name_is_there() -> None:
    named = {
        name
        for path in (ROOT / "docs").rglob("*.md")
        for name in re.findall(
            r"`(?:ppr_assets_tests/)?([a-z_/]*(?:test|fix)_\w+\.py)`", path.read_text()
        )
    }
    assert len(named) > 30
    assert {name for name in named if not (TESTS / name).is_file()} == set()


OF_WHOLE_NIGHTS = {"operations/test_policy.py", "operations/test_profile.py"}


def test_a_modules_test_lies_where_the_module_does() -> None:
    """Where one is named after a module, in a room below its own."""
    modules = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    tests = [path.relative_to(TESTS) for path in TESTS.rglob("*/test_*.py")]
    elsewhere = {
        str(test)
        for test in tests
        for named in [[one for one in modules if one.stem == test.stem.removeprefix("test_")]]
        if not any(one.parent == test.parent for one in named)
        and any(test.parent in one.parents for one in named)
    }
    assert len(tests) > 200
    assert elsewhere == OF_WHOLE_NIGHTS


def test_every_decision_has_its_page() -> None:
    folder = ROOT / "docs" / "decisions"
    linked = re.findall(r"\(([a-z0-9-]+\.md)\)", (folder / "README.md").read_text())
    assert sorted(linked) == sorted({path.name for path in folder.iterdir()} - {"README.md"})
