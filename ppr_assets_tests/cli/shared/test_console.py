"""What is shown on a terminal, and nowhere else; and how far a stage is, in words."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from time import monotonic

import pytest

from ppr_assets.cli.shared.console import err, out, progress, stage_line
from ppr_assets.progress import Stage, is_watched, stage
from ppr_assets_tests.fix_command_line import wait_until


@dataclass
class Terminal:
    """What was shown on a terminal."""

    end: int
    said: str = ""

    def shows(self, text: str) -> bool:
        with suppress(BlockingIOError):
            self.said += os.read(self.end, 100_000).decode()
        return text in self.said


@contextmanager
def terminal() -> Iterator[Terminal]:
    """That stderr leads to."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with os.fdopen(theirs, "w") as screen, redirect_stderr(screen):
        yield Terminal(ours)
    os.close(ours)


@pytest.fixture(autouse=True)
def _somebody_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(err, "is_interactive", True)  # found out when it is made


def test_a_name_with_brackets_is_shown_as_it_is() -> None:
    with redirect_stdout(StringIO()) as shown:
        out.print("nothing beside [red]pantry[/b]")
    assert shown.getvalue() == "nothing beside [red]pantry[/b]\n"


def test_a_terminal_shows_the_stage_once_it_takes_long_and_is_clean_in_the_end() -> None:
    with terminal() as screen:
        with progress("restoring", quiet_seconds=0) as somebody:
            assert somebody
            assert is_watched()
            _wait_for(screen, "restoring")
            with stage("loading rows", 200) as loading:
                loading.done = 50
                _wait_for(screen, "loading rows  25 %  50 B of 200 B")
        assert not is_watched()
        _wait_for(screen, "\x1b[?25h")  # the cursor is there again
        assert screen.said.endswith("\x1b[2K")  # and the line is gone


def test_what_is_over_soon_shows_nothing() -> None:
    with terminal() as screen:
        with progress("restoring"), stage("loading rows", 200):
            time.sleep(0.05)
        assert (screen.shows(""), screen.said) == (True, "")


def test_facts_that_go_into_a_file_stay_there_while_the_line_moves(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    with terminal() as screen, facts.open("w") as file, redirect_stdout(file):
        with progress("verifying", quiet_seconds=0):
            _wait_for(screen, "verifying")
            out.print("a fact")
        assert not screen.shows("a fact")
    assert facts.read_text() == "a fact\n"


def test_a_pipe_and_a_job_of_ci_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with redirect_stderr(StringIO()) as pipe, progress("verifying", quiet_seconds=0) as somebody:
        time.sleep(0.05)
        assert not somebody
    assert pipe.getvalue() == ""
    monkeypatch.setenv("CI", "true")
    with terminal(), progress("verifying", quiet_seconds=0) as somebody:
        assert sys.stderr.isatty()
        assert not somebody


def test_a_program_of_ours_starts_with_the_streams_that_had_been_closed() -> None:
    """Without them the first file that it opens takes the number of one."""
    each = "import os\nfor number in range(3): os.fstat(number)"
    code = f"""
import subprocess, sys
from ppr_assets.cli.shared.console import open_closed_streams
open_closed_streams()
sys.exit(subprocess.call([sys.executable, "-c", {each!r}]))"""
    call = ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code]
    assert subprocess.run(call, check=False).returncode == 0


def _wait_for(screen: Terminal, text: str) -> None:
    wait_until(lambda: screen.shows(text), seconds=10)


MIB = 1 << 20


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (Stage("asking the remote"), "asking the remote"),
        (Stage("dumping", done=3 * MIB), "dumping  3.0 MiB"),
        (
            Stage("loading rows", 800 * MIB, done=400 * MIB),
            "loading rows  50 %  400.0 MiB of 800.0 MiB  10 s left",
        ),
        (
            Stage("loading rows", 800 * MIB, done=4 * MIB),
            "loading rows  0 %  4.0 MiB of 800.0 MiB  33 min left",
        ),
        (Stage("loading rows", 10, done=10, then="building indexes"), "building indexes"),
        (
            Stage("dumping", 8 * MIB, about=True, done=2 * MIB),
            "dumping  25 %  2.0 MiB of about 8.0 MiB  30 s left",
        ),
        (Stage("dumping", 8 * MIB, about=True, done=9 * MIB), "dumping  9.0 MiB"),
        (
            Stage("receiving", 4000, "objects", beside="12.3 MiB, 1.2 MiB/s", done=1000),
            "receiving  25 %  1,000 of 4,000 objects  30 s left  12.3 MiB, 1.2 MiB/s",
        ),
        (Stage("verifying", 0), "verifying"),
    ],
)
def test_percent_bytes_and_time_left_are_told_as_far_as_they_are_known(
    now: Stage, line: str
) -> None:
    now.began = monotonic() - 10
    assert stage_line(now) == line


def test_nobody_knows_in_the_first_two_seconds_how_long_it_takes() -> None:
    assert stage_line(Stage("verifying", 100, done=50)) == "verifying  50 %  50 B of 100 B"
