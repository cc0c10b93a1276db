"""What git has started itself ends with a run that is killed outright."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets_tests.fix_git import Somebody

pytestmark = pytest.mark.slow

_SOON_SECONDS = 3.0
"""The guard gives what it ends a second, and the machine is a busy one."""

_WORLD = "PPR_ASSETS_TEST_WORLD"

A_RUN = """
import sys
from pathlib import Path
from ppr_assets.data_repo.git.command import run
run(Path(sys.argv[1]), *sys.argv[2:], timeout=600)
"""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """The names of the processes of this test that live, orphans included."""
    monkeypatch.setenv(_WORLD, str(tmp_path))

    def living() -> list[str]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if _of(process, tmp_path) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
        return found

    yield living
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if _of(process, tmp_path):
                process.kill()


def _of(process: psutil.Process, world: Path) -> bool:
    return process.pid != os.getpid() and process.environ().get(_WORLD) == str(world)


def _with_a_busy_pack_objects(folder: Path) -> dict[str, str]:
    """The environment in which pack-objects looks for differences for a long time, and writes
    nothing meanwhile."""
    asked = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    folder.mkdir()
    for program in Path(asked.stdout.strip()).iterdir():
        if program.name != "git":
            (folder / program.name).symlink_to(program)
    (folder / "git").write_text(
        '#!/bin/sh\ncase " $* " in *" pack-objects "*) exec sleep 600;; esac\n'
        f'exec {asked.stdout.strip()}/git "$@"\n'
    )
    (folder / "git").chmod(0o755)
    return {"GIT_EXEC_PATH": str(folder)}


def _soon(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def _starts(
    repo: DataRepo, *words: str, around: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", A_RUN, str(repo.path), *words]
    return subprocess.Popen(command, start_new_session=True, env={**os.environ, **(around or {})})


def _require_end(process: subprocess.Popen[bytes], world: Callable[[], list[str]]) -> None:
    assert _soon(lambda: "sleep 600" in world(), 60), world()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _soon(lambda: not world(), _SOON_SECONDS)
    assert world() == []


@pytest.mark.parametrize(
    "words",
    [
        ("repack", "-d", "-l", "-q", "-a", "-k"),
        ("-c", "gc.auto=0", "push", "origin", "main:refs/heads/new"),
        ("maintenance", "run", "--quiet", "--task=loose-objects"),
    ],
    ids=["repack", "push", "maintenance"],
)
def test_a_killed_run_leaves_no_pack_objects(
    data_repo: DataRepo,
    owner: Somebody,
    tmp_path: Path,
    words: tuple[str, ...],
    world: Callable[[], list[str]],
) -> None:
    owner.commit("Something to pack", {"a": "b\n"})
    busy = _with_a_busy_pack_objects(tmp_path / "exec-path")
    process = _starts(data_repo, *words, around=busy)
    _require_end(process, world)


def test_a_killed_run_leaves_no_transport(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path, world: Callable[[], list[str]]
) -> None:
    """An ssh that waits for a host, and hears nothing of its git's end."""
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\ntrap '' HUP PIPE\nsleep 600\n")
    ssh.chmod(0o755)
    owner.git("config", "core.sshCommand", str(ssh))
    owner.git("remote", "set-url", "origin", "somebody@host.example:data.git")
    process = _starts(data_repo, "fetch", "origin")
    _require_end(process, world)


def test_a_call_that_ends_by_itself_leaves_its_guard_nothing_to_do(
    data_repo: DataRepo, owner: Somebody, world: Callable[[], list[str]]
) -> None:
    owner.commit("Something to pack", {"a": "b\n"})
    process = _starts(data_repo, "repack", "-d", "-q")
    assert process.wait() == 0
    assert world() == []
