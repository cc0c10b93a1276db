"""Children of ours end with their work, whenever that is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any, Protocol

import psutil
import pytest

from ppr_assets import child_process
from ppr_assets.child_process import GUARD, supervised
from ppr_assets_tests.fix_command_line import wait_until


def test_an_interrupt_while_a_child_is_being_started_leaves_neither_it_nor_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is at work before its start has returned, and so is what it has started itself."""
    working = tmp_path / "working"
    start = subprocess.Popen.__init__

    def interrupted(self: subprocess.Popen[bytes], *args: Any, **options: Any) -> None:
        start(self, *args, **options)
        wait_until(lambda: working.exists() and working.read_text().endswith("\n"))
        signal.raise_signal(signal.SIGINT)

    with supervised(["true"]):
        pass  # the guard is there
    monkeypatch.setattr(subprocess.Popen, "__init__", interrupted)
    with (
        pytest.raises(KeyboardInterrupt),
        supervised(["sh", "-c", f"sleep 600 & echo $! > {working}; wait"]),
    ):
        pytest.fail("nothing was interrupted")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    wait_until(lambda: not _lives(int(working.read_text())))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


_PARENT = """
import os, subprocess, time
from pathlib import Path
from ppr_assets.child_process import supervised
TOLD = Path("told")
def tell(*pids):
    TOLD.with_name("new").write_text(" ".join(map(str, pids)))
    TOLD.with_name("new").replace(TOLD)
{work}
"""


class Parent:
    """A process of its own that does some ``work`` with children, and tells of processes."""

    def __init__(self, folder: Path, work: str) -> None:
        self._told = folder / "told"
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PARENT.format(work=work)], cwd=folder
        )
        self.pids = self.told()

    def told(self) -> list[int]:
        wait_until(self._told.exists, seconds=30)
        self.pids = [int(word) for word in self._told.read_text().split()]
        self._told.unlink()
        return self.pids

    def guard(self) -> psutil.Process:
        return _guard_of(self.process.pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class StartsParents(Protocol):
    def __call__(self, work: str) -> Parent: ...


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[StartsParents]:
    """Starts such processes; nothing of them is left, whatever came of the test."""
    started: list[Parent] = []

    def start(work: str) -> Parent:
        started.append(Parent(tmp_path, work))
        return started[-1]

    yield start
    for parent in started:
        parent.kill()
        for pid in parent.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _guard_of(parent: int) -> psutil.Process:
    (guard,) = (
        child for child in psutil.Process(parent).children() if GUARD.SCRIPT in child.cmdline()
    )
    return guard


def _ask_to_end(shell: psutil.Process) -> None:
    """As systemd asks all of a unit, when the shell has come so far as to ignore it."""
    status = Path(f"/proc/{shell.pid}/status")
    if status.exists():
        wait_until(lambda: _ignored(status.read_text()) >> (signal.SIGTERM - 1) & 1, seconds=30)
    else:
        time.sleep(1)
    shell.terminate()


def _ignored(status: str) -> int:
    """A bit for each signal, by its number."""
    return int(status.split("SigIgn:")[1].split()[0], 16)


def _wait_for_the_end_of(*pids: int) -> None:
    wait_until(lambda: not any(map(_lives, pids)), seconds=8)


@pytest.mark.parametrize("grace_seconds", [0, 1])
def test_a_killed_parent_takes_all_its_children_along(
    at_work: StartsParents, grace_seconds: int
) -> None:
    """Also those that do not listen, and what they have started themselves."""
    parent = at_work(f"""
deaf = ["sh", "-c", "trap '' TERM; sleep 60 & echo $!; while sleep 1; do :; done"]
with supervised(deaf, grace_seconds={grace_seconds}, stdout=subprocess.PIPE) as one:
    its = int(one.stdout.readline())
    with supervised(["sleep", "60"], grace_seconds={grace_seconds}) as other:
        tell(one.pid, its, other.pid)
        time.sleep(60)
""")
    parent.kill()
    _wait_for_the_end_of(*parent.pids)


def test_a_child_with_lock_files_is_asked_before_it_is_killed(
    at_work: StartsParents, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    parent = at_work(f"""
tidy = "trap 'echo > {asked}; exit' TERM; echo; while sleep 0.1; do :; done"
with supervised(["sh", "-c", tidy], grace_seconds=5, stdout=subprocess.PIPE) as child:
    child.stdout.readline()
    tell(child.pid)
    time.sleep(60)
""")
    parent.kill()
    _wait_for_the_end_of(*parent.pids)
    assert asked.exists()


def test_a_guard_that_somebody_has_killed_is_started_anew(at_work: StartsParents) -> None:
    """With all that the old one knew."""
    parent = at_work("""
with supervised(["sleep", "60"]) as child:
    tell(child.pid)
    while not Path("killed").exists():
        time.sleep(0.01)
    with supervised(["sleep", "60"]) as other:
        tell(child.pid, other.pid)
        time.sleep(60)
""")
    parent.guard().kill()
    Path(psutil.Process(parent.process.pid).cwd(), "killed").touch()
    pids = parent.told()
    _ask_to_end(parent.guard())
    parent.kill()
    _wait_for_the_end_of(*pids)


def test_a_guard_that_somebody_has_killed_is_not_missed_where_nothing_is_at_work(
    at_work: StartsParents,
) -> None:
    parent = at_work("""
from ppr_assets.child_process import GUARD
with supervised(["true"]) as child:
    child.wait()
    GUARD._shell.kill()
    GUARD._shell.wait()
tell()
time.sleep(60)
""")
    assert psutil.Process(parent.process.pid).children() == []


def test_what_was_let_go_is_not_ended_with_us(at_work: StartsParents) -> None:
    """The number of a group that has ended may be somebody else's by then."""
    parent = at_work("""
with supervised(["sh", "-c", "sleep 60 & echo $!"], stdout=subprocess.PIPE) as child:
    stays = int(child.stdout.readline())
    child.wait()
with supervised(["sleep", "60"]) as other:
    tell(stays, other.pid)
    time.sleep(60)
""")
    stays, other = parent.pids
    parent.kill()
    _wait_for_the_end_of(other)
    assert _lives(stays)


def test_a_forked_process_has_a_guard_of_its_own(at_work: StartsParents) -> None:
    """It neither keeps its parent's from seeing the end, nor takes that one's children along."""
    parent = at_work("""
with supervised(["sleep", "60"]) as child:
    ours, its = os.pipe(), os.fork()
    if its == 0:
        with supervised(["sleep", "60"]) as other:
            os.write(ours[1], str(other.pid).encode())
            time.sleep(60)
    tell(child.pid, its, int(os.read(ours[0], 20)))
    time.sleep(60)
""")
    of_the_parent, forked, of_the_forked = parent.pids
    assert parent.guard() != _guard_of(forked)
    parent.kill()
    _wait_for_the_end_of(of_the_parent)
    assert _lives(forked)
    assert _lives(of_the_forked)
    os.kill(forked, signal.SIGKILL)
    _wait_for_the_end_of(of_the_forked)


def test_the_guard_knows_no_secrets_and_ends_with_us(
    at_work: StartsParents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "bitte-nicht")
    parent = at_work("""
with supervised(["true"]):
    pass
tell()
time.sleep(60)
""")
    guard = parent.guard()
    assert guard.environ().keys() <= {"PATH", "PWD"}
    assert guard.cwd() == "/"
    parent.process.terminate()
    _wait_for_the_end_of(guard.pid)


def test_a_process_that_ends_well_leaves_nothing_behind() -> None:
    """Where the first process of a container reaps no others, an ended guard would stay."""
    work = """
import atexit, os
def tell():
    try:
        print("left", os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        print("nothing left")
atexit.register(tell)  # after all that is registered later
from ppr_assets.child_process import supervised
with supervised(["true"]):
    pass
"""
    ended = subprocess.run([sys.executable, "-c", work], check=True, capture_output=True, text=True)
    assert ended.stdout == "nothing left\n"


def test_who_waits_no_longer_kills_what_was_asked_to_end() -> None:
    deaf = "trap '' TERM; echo; while sleep 0.1; do :; done"
    started = supervised(["sh", "-c", deaf], grace_seconds=60, stdout=subprocess.PIPE)
    child = started.__enter__()
    assert child.stdout is not None
    child.stdout.readline()
    Timer(0.5, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        started.__exit__(None, None, None)
    _wait_for_the_end_of(child.pid)


def test_a_child_that_nobody_waited_for_is_left_to_the_guard(at_work: StartsParents) -> None:
    """An interrupt in the moment in which it was to be killed."""
    parent = at_work("""
import ppr_assets.child_process as ours
def interrupted(*_, **__):
    raise KeyboardInterrupt
ours.end_group = interrupted
try:
    with supervised(["sleep", "60"]) as child:
        pass
except KeyboardInterrupt:
    tell(child.pid)
""")
    assert parent.process.wait(30) == 0
    _wait_for_the_end_of(*parent.pids)


def test_a_child_that_is_left_to_the_garbage_may_end_while_another_is_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the guard hears last is what is at work then."""
    heard: list[bytes] = []
    first = supervised(["sleep", "60"])
    first.__enter__()

    def write(line: bytes) -> None:
        if not heard:
            heard.append(b"")
            first.__exit__(None, None, None)
        heard.append(line)

    with monkeypatch.context() as patch:
        patch.setattr(child_process, "_input", lambda _: SimpleNamespace(write=write))
        with supervised(["sleep", "60"]) as second:
            assert heard[-1].decode().startswith(f"{second.pid}:")
    with supervised(["true"]):
        pass  # the guard itself has heard nothing of all that


def test_a_script_for_our_end_runs_also_where_everybody_was_asked_to_end(
    at_work: StartsParents, tmp_path: Path
) -> None:
    parent = at_work("""
from ppr_assets.child_process import guarded
with guarded('echo > "$1"', str(Path("ran").absolute())):
    tell()
    time.sleep(60)
""")
    (script,) = psutil.Process(parent.process.pid).children()
    _ask_to_end(script)
    parent.kill()
    wait_until((tmp_path / "ran").exists, seconds=8)


def test_a_program_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), supervised(["ls"], cwd=tmp_path / "nowhere"):
        pytest.fail("it was started")
