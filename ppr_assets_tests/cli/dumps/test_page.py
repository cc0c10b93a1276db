"""``ppr-assets page``: what it writes, and what it leaves as it is."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_git import commit_files, git

pytestmark = pytest.mark.slow


def test_it_writes_the_page_anywhere_and_changes_nothing_else(
    published_twice: CopyWorld, tmp_path: Path
) -> None:
    clone = published_twice.settings.data_repo.path
    program = CommandLine(tmp_path, {"DATA_REPO_PATH": str(clone)})
    head = git(clone, "rev-parse", "HEAD")

    shown = program("page")
    assert (shown.code, shown.beside) == (0, "")
    assert f"The newest dump is [{dump_of(2)}]({dump_of(2)})" in shown.out

    written = program("page", "--out", "there/too")
    assert written.code == 0, written.err
    assert written.out == "wrote README.md, dumps.svg, index.html to there/too\n"
    folder = tmp_path / "there" / "too"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "dumps.svg",
        "index.html",
    ]
    assert (folder / "README.md").read_text() == shown.out
    assert "2,500" in (folder / "index.html").read_text()
    assert ET.parse(folder / "dumps.svg").getroot().get("role") == "img"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert program("page", "--out", "there/too").code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")) == (head, "")


def test_a_file_of_somebody_else_is_left_as_it_is(
    published_twice: CopyWorld, tmp_path: Path, git_environment: None
) -> None:
    world = published_twice.taken_along(tmp_path)
    clone = world.settings.data_repo.path
    program = CommandLine(tmp_path, {"DATA_REPO_PATH": str(clone)})
    (tmp_path / "index.html").write_text("<h1>Mine</h1>\n")
    refused = program("page", "--out", str(tmp_path))
    assert refused.code == 2
    assert (
        refused.error
        == f"`{tmp_path}/index.html` was not written by ppr-assets, and stays as it is"
    )
    assert not (tmp_path / "README.md").exists()

    commit_files(clone, "Theirs", {"sql_dumps/README.md": "# Theirs\n"})
    told = program("page")
    assert told.code == 0
    assert told.beside.startswith("`sql_dumps/README.md` is not ours and stays as it is: to have")


def test_without_a_dump_it_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "data")
    program = CommandLine(tmp_path, {"DATA_REPO_PATH": str(tmp_path / "data")})
    shown = program("page")
    assert shown.code == 0
    assert "No dump was published yet." in shown.out
