"""Children of ours end with their work, whenever that is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

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
from ppr_assets.child_process import GUARD, supervised
PIDS = Path("pids")
def tell(*pids):
    PIDS.with_name("new").write_text(" ".join(map(str, pids)) + chr(10))
    PIDS.with_name("new").replace(PIDS)
{work}
"""


def _started(folder: Path, work: str) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A process that does ``work``, and the numbers of the processes that it tells of."""
    parent = subprocess.Popen([sys.executable, "-c", _PARENT.format(work=work)], cwd=folder)
    wait_until((folder / "pids").exists, seconds=30)
    return parent, [int(word) for word in (folder / "pids").read_text().split()]


def _guard_of(parent: int) -> psutil.Process:
    (guard,) = (
        child for child in psutil.Process(parent).children() if GUARD.SCRIPT in child.cmdline()
    )
    return guard


@pytest.mark.parametrize("grace_seconds", [0, 1])
def test_a_killed_parent_takes_all_its_children_along(tmp_path: Path, grace_seconds: int) -> None:
    """Also those that do not listen, and what they have started themselves."""
    parent, pids = _started(
        tmp_path,
        f"""
deaf = ["sh", "-c", "trap '' TERM; sleep 600 & echo; while :; do sleep 0.1; done"]
with supervised(deaf, grace_seconds={grace_seconds}, stdout=subprocess.PIPE) as one:
    one.stdout.readline()
    with supervised(["sleep", "600"], grace_seconds={grace_seconds}) as other:
        tell(one.pid, other.pid)
        time.sleep(600)
""",
    )
    groups = [*pids, *(child.pid for child in psutil.Process(pids[0]).children())]
    assert len(groups) >= 3
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(map(_lives, groups)), seconds=8)


def test_a_child_with_lock_files_is_asked_before_it_is_killed(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    parent, pids = _started(
        tmp_path,
        f"""
tidy = "trap 'echo > {asked}; exit' TERM; while :; do sleep 0.1; done"
with supervised(["sh", "-c", tidy], grace_seconds=5) as child:
    time.sleep(0.5)
    tell(child.pid)
    time.sleep(600)
""",
    )
    parent.kill()
    parent.wait()
    wait_until(lambda: not _lives(pids[0]), seconds=8)
    assert asked.exists()


def test_a_guard_that_somebody_has_killed_is_started_anew(tmp_path: Path) -> None:
    """With all that the old one knew."""
    parent, pids = _started(
        tmp_path,
        """
with supervised(["sleep", "600"]) as child:
    tell(child.pid)
    while PIDS.exists():
        time.sleep(0.01)
    with supervised(["sleep", "600"]) as other:
        tell(child.pid, other.pid)
        time.sleep(600)
""",
    )
    _guard_of(parent.pid).kill()
    (tmp_path / "pids").unlink()
    wait_until((tmp_path / "pids").exists, seconds=30)
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    _guard_of(parent.pid).terminate()  # as systemd asks all of a unit: it stays
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(map(_lives, pids)), seconds=8)


def test_what_was_let_go_is_not_ended_with_us(tmp_path: Path) -> None:
    """The number of a group that has ended may be somebody else's by then."""
    parent, pids = _started(
        tmp_path,
        """
with supervised(["sh", "-c", "sleep 600 & echo $!"], stdout=subprocess.PIPE) as child:
    stays = int(child.stdout.readline())
    child.wait()
with supervised(["sleep", "600"]) as other:
    tell(stays, other.pid)
    time.sleep(600)
""",
    )
    stays, other = pids
    parent.kill()
    parent.wait()
    wait_until(lambda: not _lives(other), seconds=8)
    assert _lives(stays)
    os.kill(stays, signal.SIGKILL)


def test_a_forked_process_has_a_guard_of_its_own(tmp_path: Path) -> None:
    """It neither keeps its parent's from seeing the end, nor takes that one's children along."""
    parent, pids = _started(
        tmp_path,
        """
with supervised(["sleep", "600"]) as child:
    ours, its = os.pipe(), os.fork()
    if its == 0:
        with supervised(["sleep", "600"]) as other:
            os.write(ours[1], str(other.pid).encode())
            time.sleep(600)
    tell(child.pid, its, int(os.read(ours[0], 20)))
    time.sleep(600)
""",
    )
    of_the_parent, forked, of_the_forked = pids
    assert _guard_of(parent.pid) != _guard_of(forked)
    parent.kill()
    parent.wait()
    wait_until(lambda: not _lives(of_the_parent), seconds=8)
    assert _lives(forked)
    assert _lives(of_the_forked)
    os.kill(forked, signal.SIGKILL)
    wait_until(lambda: not _lives(of_the_forked), seconds=8)


def test_the_guard_knows_no_secrets_and_ends_with_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "bitte-nicht")
    parent, _ = _started(
        tmp_path,
        """
with supervised(["sleep", "600"]):
    tell()
    time.sleep(600)
""",
    )
    guard = _guard_of(parent.pid)
    assert guard.environ().keys() <= {"PATH", "PWD"}
    assert guard.cwd() == "/"
    parent.terminate()
    parent.wait()
    wait_until(lambda: not _lives(guard.pid), seconds=8)


def test_a_process_that_ends_well_leaves_nothing_behind() -> None:
    work = """
from ppr_assets.child_process import GUARD, supervised
with supervised(["true"]):
    print(GUARD._shell.pid)
"""
    ended = subprocess.run(
        [sys.executable, "-W", "always", "-c", work], check=True, capture_output=True, text=True
    )
    assert ended.stderr == ""  # Python warns of children that it has not waited for
    wait_until(lambda: not _lives(int(ended.stdout)), seconds=8)


def test_a_program_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), supervised(["ls"], cwd=tmp_path / "nowhere"):
        pytest.fail("it was started")
