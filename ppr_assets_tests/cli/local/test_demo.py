"""``ppr-assets demo``: the story it tells is true, and what it proposes to type works."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from ppr_assets.postgres import embedded
from ppr_assets_tests.cli.shared.test_json_document import documented_keys
from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.places import ROOT

CHAPTERS = [
    "1  A database, and the repository that its backups go to",
    "2  The sensor sees the publishing, the pipeline dumps, commits and pushes",
    "3  Again, with nothing changed",
    "4  A scraper fails, and a third of the organizations vanish",
    "Summary",
    "What to type next",
]


def test_the_demo_tells_a_true_story_twice_and_leads_on(
    server_folder: Path, git_environment: None
) -> None:
    """In one test, since each telling costs ten seconds. Twice: it can be run again at once."""
    program = CommandLine(server_folder)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, server_folder)
    started = time.monotonic()
    first = program("demo", "--organizations", "300", "--json")
    assert first.code == 0, first.err
    document = json.loads(first.out)
    assert document.keys() == documented_keys()["demo"]
    assert document["nights"] == ["published", "unchanged", "refused"]
    assert document["refusal"].startswith("record-count ratchet refused the dump: organization has")
    assert document["rows"]["organization"] == document["mark"] == 300
    told = program("demo", "--organizations", "300")
    assert (told.code, told.err) == (0, "")
    assert time.monotonic() - started < 600  # two tellings on a very busy machine
    assert "\x1b" not in told.out
    assert [line for line in told.out.splitlines() if line and line[0] != " "] == CHAPTERS

    clone, remote = server_folder / ".local" / "data-repo", server_folder / ".local" / "remote.git"
    subjects = git(clone, "log", "--format=%s").splitlines()
    assert len(subjects) == 2, "one publishing commit, one dump, nothing of the refused one"
    assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD")
    latest = (clone / "sql_dumps" / "latest.sql").readlink().name
    assert f"unchanged  since {latest}: " in told.out
    assert (
        "record-count ratchet refused the dump: organization has 200 records, at least 270 needed "
        "(90% of mark 300)"
    ) in told.out
    assert "HINT: did the last scraper run finish?" in told.out
    assert f"latest.sql still {latest}, the mark still 300" in told.out
    assert git(clone, "status", "--porcelain") == ""
    assert embedded.find(server_folder / ".local" / "postgres") is None, "PostgreSQL still runs"

    _type_what_it_proposes(program, told.out, latest)


def _type_what_it_proposes(program: CommandLine, out: str, latest: str) -> None:
    proposed = re.findall(r"^   (\S.*?)  +\S.*$", out.split("What to type next\n")[1], re.MULTILINE)
    assert len(proposed) == 5
    assert proposed[0].endswith("ppr-assets dev")  # there is no Makefile in that folder
    for line in proposed:
        if line.startswith("make "):
            planned = subprocess.run(
                ["make", "--dry-run", *line.split()[1:]], cwd=ROOT, capture_output=True, check=False
            )
            assert planned.returncode == 0, planned.stderr
            continue
        if line.endswith(" dev"):  # which goes on until Ctrl-C, and has tests of its own
            line = f"{line} --help"
        done = subprocess.run(
            line,
            shell=True,
            cwd=program.folder,
            env=program.environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "not found" not in done.stderr, line
        if line.endswith(" doctor"):
            assert done.returncode == 2
            assert "POSTGRES_PASSWORD is not set" in done.stdout
        else:
            assert done.returncode == 0, f"{line}: {done.stderr}"
            assert done.stdout
        if line.endswith(" list"):
            assert latest in done.stdout


def test_a_second_demo_in_the_same_folder_is_told_busy(tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    with (tmp_path / ".local" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = CommandLine(tmp_path)("demo")
        assert (said.code, said.out) == (7, "")
        assert said.error == "busy: another demo or `make dev` works in `.local`"
        program = json.loads(CommandLine(tmp_path)("demo", "--json").out)
    assert program["error"]["exit_code"] == 7


def test_the_program_of_these_tests_is_the_installed_one() -> None:
    assert PROGRAM.is_file(), f"{PROGRAM} is missing: install the project (make does)"
