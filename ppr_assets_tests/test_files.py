"""Files that several processes share: one holder at a time, and whole or as before."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ppr_assets.errors import Busy
from ppr_assets.files import Held, held, held_or, take, write_whole


def test_only_one_holds_a_file_and_sharers_hold_it_together(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path), pytest.raises(Held), held(path):
        pass
    with held(path, shared=True), held(path, shared=True) as second, pytest.raises(Held):
        take(second)
    with held(path, shared=True) as alone:
        take(alone)


def test_only_what_holds_the_file_itself_is_told_as_busy(tmp_path: Path) -> None:
    path, other = tmp_path / "lock", tmp_path / "other"
    with held(path), pytest.raises(Busy, match="mine"), held_or(Busy("mine"), path):
        pass
    with held(other), pytest.raises(Held), held_or(Busy("mine"), path), held(other):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from ppr_assets.files import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        began = time.monotonic()
        with pytest.raises(Held), held(path, wait_seconds=0.3):
            pass
        assert time.monotonic() - began >= 0.3
        holder.kill()
        with held(path, wait_seconds=30):
            pass


def test_what_cannot_be_written_leaves_what_stood_there(tmp_path: Path) -> None:
    path, beside = tmp_path / "file", tmp_path / "beside"
    write_whole(path, "first", beside=beside)
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "second \udcff", beside=beside)
    assert path.read_text() == "first"
    assert [*tmp_path.iterdir()] == [path]
