"""What nobody expected: one line on the terminal, the story in a file of one's own, no secret."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline

BROKEN_LIBRARY = """
import os, subprocess
class Popen(subprocess.Popen):
    def __init__(self, words, *others, **more):
        if "git" in words:
            raise RuntimeError(
                "what nobody thought of, with " + os.environ["DATA_REPO_TOKEN"]
                + " and postgresql://somebody:hunter2@db/records"
            )
        super().__init__(words, *others, **more)
subprocess.Popen = Popen
"""


@pytest.fixture
def library_that_fails(ppr_assets: CommandLine, tmp_path: Path) -> Path:
    """Python's own way to start git, but broken in a way that is nobody's plan; the folder for
    temporary files."""
    library, temporary = tmp_path / "library", tmp_path / "temporary"
    library.mkdir()
    temporary.mkdir()
    (library / "sitecustomize.py").write_text(BROKEN_LIBRARY)
    ppr_assets.variables |= {
        "PYTHONPATH": str(library),
        "TMPDIR": str(temporary),
        "DATA_REPO_TOKEN": "ghp_secret",
    }
    return temporary


@pytest.mark.parametrize("verb", [["list"], ["dump"], ["dump", "--without-record"]], ids=" ".join)
def test_it_is_one_line_and_the_story_is_in_a_file(
    ppr_assets: CommandLine, library_that_fails: Path, verb: list[str]
) -> None:
    said = ppr_assets(*verb)
    assert said.code == 1
    assert "what nobody thought of" in said.error
    assert said.err.count("\n") == 2, said.err
    told = re.search(r"\nHINT: the whole story is in `(\S+)`; please report it", said.err)
    assert told is not None
    story = Path(told[1])
    assert story.is_relative_to(library_that_fails)
    assert stat.S_IMODE(story.stat().st_mode) == 0o600
    text = story.read_text()
    assert "Traceback (most recent call last)" in text or "Stack Trace" in text
    assert "sitecustomize.py" in text
    assert not re.search("ghp_secret|hunter2", text + said.err)


def test_doctor_goes_on_with_its_other_lines(
    ppr_assets: CommandLine, library_that_fails: Path
) -> None:
    examined = ppr_assets("doctor")
    assert examined.code == 1
    assert re.search(r"FIX  data repository +this was not expected: RuntimeError", examined.out)
    assert re.search(r"ok   dagster ", examined.out)
    assert examined.err == ""


@pytest.mark.parametrize("verb", [["list"], ["list", "--json"], ["status", "--json"]], ids=" ".join)
def test_who_reads_no_further_is_no_failure(
    pipeline: Pipeline, ppr_assets: CommandLine, verb: list[str]
) -> None:
    """As ``| head`` does; the exit code is that of the verb's work."""
    pipeline.first_night()
    unread, stdout = os.pipe()
    os.close(unread)
    with os.fdopen(stdout, "wb") as behind_head:
        done = _run(ppr_assets, verb, stdout=behind_head, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert re.fullmatch(r"(looking at commit [^\n]+\n)?", done.stderr), done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_failure_and_no_file_of_ours_takes_their_place(
    pipeline: Pipeline, ppr_assets: CommandLine, closed: str
) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    call = ["sh", "-c", f"exec {PROGRAM} status {closed}"]
    done = _run(ppr_assets, call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, program=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert pipeline.picture() == before


def _run(
    ppr_assets: CommandLine, words: list[str], *, program: bool = True, **streams: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *words] if program else words,
        cwd=ppr_assets.folder,
        env=ppr_assets.environment({}),
        text=True,
        check=False,
        **streams,
    )


def test_a_full_disk_behind_stdout_is_one_line(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    pipeline.first_night()
    with Path("/dev/full").open("w") as full:
        done = _run(ppr_assets, ["list"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert re.search(r"No space left on device\nHINT: [^\n]+\n\Z", done.stderr), done.stderr
    assert not re.search("Traceback|Exception ignored", done.stderr)
