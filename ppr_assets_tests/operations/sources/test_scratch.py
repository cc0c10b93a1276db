"""Folders of one run: never swept away under it, and gone after it."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ppr_assets.operations.sources.scratch import scratch_folder

# The events are those that Python tells its audit hooks.
KILLED_BEFORE = """
import os, signal, sys
from pathlib import Path
from ppr_assets.operations.sources.scratch import scratch_folder

def kill(event, arguments):
    if event == step and str(arguments[0]) != parent:
        os.kill(os.getpid(), signal.SIGKILL)

step, parent = sys.argv[1:]
if step == "os.mkdir":
    sys.addaudithook(kill)
with scratch_folder(Path(parent)) as folder:
    (folder / "file").touch()
    sys.addaudithook(kill)
"""


def test_many_at_once_neither_lose_their_folder_nor_stumble_over_others(tmp_path: Path) -> None:
    def use(_: int) -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "kept").write_text("mine")
            assert (folder / "kept").read_text() == "mine"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(400)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_locked_while_it_is_used(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        (lock,) = set(tmp_path.iterdir()) - {folder}
        with lock.open("r+") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("step", ["os.mkdir", "os.remove", "os.rmdir"])
def test_killed_before_any_step_it_leaves_nothing_that_the_next_one_does_not_remove(
    tmp_path: Path, step: str
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE, step, str(tmp_path)], check=False
    ).returncode
    assert killed == -signal.SIGKILL
    assert list(tmp_path.iterdir()) != []
    with scratch_folder(tmp_path) as folder:
        assert {path.stem for path in tmp_path.iterdir()} == {folder.name}
    assert list(tmp_path.iterdir()) == []
