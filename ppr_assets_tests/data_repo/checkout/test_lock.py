"""One run at a time."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import Busy


def test_a_second_run_is_told_who_holds_the_lock(data_repo: DataRepo) -> None:
    with data_repo_lock(data_repo):
        with pytest.raises(Busy) as caught, data_repo_lock(data_repo):
            pass
        assert f"process {os.getpid()} since 20" in caught.value.message
    with data_repo_lock(data_repo):
        pass


def test_a_short_wait_is_enough_for_a_short_run(data_repo: DataRepo) -> None:
    taken, released = threading.Event(), threading.Event()

    def hold() -> None:
        with data_repo_lock(data_repo):
            taken.set()
            time.sleep(0.3)
            released.set()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    with data_repo_lock(data_repo, wait_seconds=10):
        assert released.is_set()
    thread.join()


def test_a_killed_run_holds_nothing(data_repo: DataRepo) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with data_repo_lock(data_repo):
            os.write(writing, b"held")
            time.sleep(60)
        os._exit(0)
    os.read(reading, 4)
    with pytest.raises(Busy, match=f"process {child} "), data_repo_lock(data_repo):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with data_repo_lock(data_repo):
        pass


def test_git_children_do_not_inherit_the_lock(data_repo: DataRepo) -> None:
    with data_repo_lock(data_repo):
        path = data_repo.state_dir / "lock"
        open_files = data_repo.word("-c", "alias.fds=!ls -l /proc/self/fd", "fds")
        assert str(path) not in open_files
