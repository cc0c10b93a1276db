"""psql takes what lies in the work tree: ``verify`` and ``status`` say when it is another."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline


def _grown(dumps: Path, dump: str) -> None:
    with (dumps / dump).open("a") as file:
        file.write("-- and more\n")


def _relinked(dumps: Path, dump: str) -> None:  # one like the others
    (dumps / "latest.sql").unlink()
    (dumps / "latest.sql").symlink_to("README.md")


def _with_windows_line_ends(dumps: Path, dump: str) -> None:
    content = (dumps / dump).read_bytes()
    (dumps / dump).write_bytes(content.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("change", [_grown, _relinked, _with_windows_line_ends])
def test_another_file_in_the_work_tree_is_told_with_the_command_that_brings_it_back(
    pipeline: Pipeline, ppr_assets: CommandLine, change: Callable[[Path, str], None]
) -> None:
    pipeline.first_night()
    assert ppr_assets("verify").code == 0
    change(pipeline.dumps, pipeline.latest())
    git(pipeline.clone, "config", "core.autocrlf", "true")  # by which git itself would see nothing

    verified = ppr_assets("verify")
    assert verified.code == 4
    assert "in the work tree, `sql_dumps/" in verified.error
    shown = facts(ppr_assets("status").out)
    assert "work" in shown and "is not what the commit has" in shown["work"]
    assert json.loads(ppr_assets("status", "--json").out)["other_files"] != []

    command = verified.err.split("`")[-2]
    assert verified.err.strip().endswith(
        f"HINT: psql would load what lies there; `{command}` brings back what was committed. "
        "A restore takes that in any case."
    )
    assert command in shown["work"]
    subprocess.run(shlex.split(command), check=True)
    assert ppr_assets("verify").code == 0
    assert "work" not in facts(ppr_assets("status").out)


def test_a_work_tree_without_the_folder_or_on_another_branch_says_nothing(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    git(pipeline.clone, "checkout", "-q", "-b", "data-update", "main^")
    assert ppr_assets("verify").code == 0
    git(pipeline.clone, "checkout", "-q", "main")
    git(pipeline.clone, "sparse-checkout", "set", "--no-cone", "/*", "!/sql_dumps/")
    assert ppr_assets("verify").code == 0
