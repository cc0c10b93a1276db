"""Folders of one run: never swept away under it, and gone after it."""

from __future__ import annotations

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ppr_assets.operations.scratch import scratch_folder


def test_many_at_once_neither_lose_their_folder_nor_stumble_over_others(tmp_path: Path) -> None:
    def use(_: int) -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "kept").write_text("mine")
            assert (folder / "kept").read_text() == "mine"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(400)))
    assert list(tmp_path.iterdir()) == []


def test_the_lock_has_its_name_only_when_it_is_held(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert [path.name for path in folder.iterdir()] == [".in_use"]
        descriptor = os.open(folder / ".in_use", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            raise AssertionError("the lock is free")
        finally:
            os.close(descriptor)
