"""Children of ours end with their work, whenever that is interrupted."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from ppr_assets.child_process import supervised, tied_to_parent
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

    tied_to_parent([])  # asks once whether it can
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


def test_a_program_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), supervised(["ls"], cwd=tmp_path / "nowhere"):
        pytest.fail("it was started")
