"""Children of ours end with their work, whenever that is interrupted."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from ppr_assets.child_process import supervised, tied_to_parent
from ppr_assets_tests.fix_command_line import wait_until


def test_an_interrupt_while_a_child_is_being_started_leaves_neither_it_nor_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is at work before its start has returned, and so is what it has started itself."""
    working = tmp_path / "working"
    tied_to_parent([])  # asks once whether it can

    def interrupted(_descriptor: int, _size: int) -> bytes:
        wait_until(lambda: working.exists() and working.read_text().endswith("\n"))
        raise KeyboardInterrupt

    with monkeypatch.context() as starting:
        starting.setattr(os, "read", interrupted)  # by which the start waits for the child
        with (
            pytest.raises(KeyboardInterrupt),
            supervised(["sh", "-c", f"sleep 600 & echo $! > {working}; wait"]),
        ):
            pytest.fail("it was started")
    wait_until(lambda: not _lives(int(working.read_text())))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), supervised(["ls"], cwd=tmp_path / "nowhere"):
        pytest.fail("it was started")
