"""The data folder: made in one piece, and cleared of what a crash left in the way of a start."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from ppr_assets.errors import PreconditionFailed
from ppr_assets.files import held
from ppr_assets.postgres.embedded.accounts import Account, run_program
from ppr_assets.postgres.embedded.postmaster import (
    PID_FILE,
    left_after,
    pid_file_blocks_a_start,
    processes_in,
)

SUPERUSER = "postgres"
LEFTOVERS_SECONDS = 10.0
"""Children of a killed postmaster notice its death at once; this is for a very busy machine."""


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server of ``data_dir``; others wait.

    The lock is a file beside the folder (initdb wants the folder empty), opened for reading only,
    so that the next user's run can share it.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    lock = data_dir.with_name(f".{data_dir.name}.lock")
    with held(lock, wait_seconds=None, flags=os.O_RDONLY):
        yield


def ensure_initialized(data_dir: Path, account: Account | None) -> None:
    """Make the data folder unless it is there. Call it under :func:`locked`.

    initdb works in a folder beside it that is renamed at the end: one that was killed half way
    leaves nothing that looks like a data folder, and the next start removes what it left.
    Raises :class:`PreconditionFailed`.
    """
    if (data_dir / "PG_VERSION").exists():
        return
    if data_dir.exists() and any(data_dir.iterdir()):
        raise PreconditionFailed(
            f"`{data_dir}` is neither empty nor a data folder of PostgreSQL",
            hint="name another folder, or move away what is in this one.",
        )
    _end_servers(data_dir)
    prefix = f".{data_dir.name}.unfinished-"
    for earlier in data_dir.parent.iterdir():
        if earlier.name.startswith(prefix):
            _end_servers(earlier)
            shutil.rmtree(earlier, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=prefix, dir=data_dir.parent))
    if account:
        os.chown(unfinished, account.uid, account.gid)
    _initdb(unfinished, account)
    unfinished.rename(data_dir)


def clear_leftovers(data_dir: Path) -> None:
    """Wait for the children of a killed postmaster, then drop a file that would stop a start.

    Call it under :func:`locked`, when no postmaster runs. Raises :class:`PreconditionFailed` when
    such children stay: two servers on the same files would destroy them.
    """
    if left := left_after(data_dir, LEFTOVERS_SECONDS):
        pids = ", ".join(str(process.pid) for process in left)
        raise PreconditionFailed(
            f"processes of an earlier server still work in `{data_dir}`: {pids}",
            hint=f"wait until they have ended, or end them: `kill {pids.replace(',', '')}`.",
        )
    if pid_file_blocks_a_start(data_dir):
        (data_dir / PID_FILE).unlink()


def _initdb(folder: Path, account: Account | None) -> None:
    """A cluster that is the same everywhere: UTF-8, and an order that no system library decides.

    ``trust`` lets in whoever reaches the socket, and only the folder's owner (and root) does.
    """
    done = run_program(
        "initdb",
        f"--pgdata={folder}",
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        account=account,
        cwd=folder,
    )
    if done.returncode != 0:
        shutil.rmtree(folder)
        raise PreconditionFailed(
            f"initdb could not make a data folder in `{folder.parent}`: exit code "
            f"{done.returncode}: {' '.join(done.stderr.split())}",
            hint="is there room on the disk, and may this user write there?",
        )


def _end_servers(folder: Path) -> None:
    """End servers whose folder was removed under them, or whose initdb was killed.

    A server notices that its folder is gone within a minute. It must be gone before the new one
    comes: on its way out it removes its socket by the path, which would be the new server's.
    """
    found = processes_in(folder)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            if process.parent() not in found:
                process.send_signal(signal.SIGQUIT)
    for process in left_after(folder, LEFTOVERS_SECONDS):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    left_after(folder, LEFTOVERS_SECONDS)
