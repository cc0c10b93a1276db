"""Is the server of this data folder running? Answered by proof, not by a number in a file.

``postmaster.pid`` outlives a server that was killed; it may be cut off in the middle, and its
process number may by now belong to something else. A postmaster enters its data folder before it
writes the file and stays there, so the proof is a live ``postgres`` process at home in the folder.
"""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from msgspec import Struct

PID_FILE = "postmaster.pid"
_SERVER = "postgres"


class Postmaster(Struct, frozen=True):
    """A live postmaster and what its file says so far; port and folder come some moments late."""

    pid: int
    port: int | None
    socket_dir: Path | None
    status: str

    @property
    def ready(self) -> bool:
        """Takes sessions. Others: ``starting`` (also in crash recovery), ``stopping``."""
        return self.status == "ready"


def running_postmaster(data_dir: Path) -> Postmaster | None:
    """The postmaster that works in ``data_dir`` (a resolved path), or None."""
    found = _read(data_dir / PID_FILE)
    return found if found is not None and _works_in(data_dir, found.pid) else None


def processes_in(data_dir: Path) -> list[psutil.Process]:
    """Every live server process that works in ``data_dir``, with or without a postmaster.

    Also those of a folder that was removed and whose path it was.
    """
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == _SERVER and process.info["cwd"] == str(data_dir)
    ]


def left_after(data_dir: Path, seconds: float) -> list[psutil.Process]:
    """Who still works in ``data_dir`` after waiting for everybody to leave.

    Looks again instead of waiting for the processes: where nobody collects the dead, as in many
    containers, a process that has ended stays in the table for ever.
    """
    deadline = time.monotonic() + seconds
    while (found := processes_in(data_dir)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def pid_file_blocks_a_start(data_dir: Path) -> bool:
    """Whether PostgreSQL would take a leftover file for a living server and refuse to start.

    It does so for a file without a number and for a number that any process bears (a zombie as
    well). A number that nobody bears it handles itself, and better: it looks for survivors that
    still hold the old shared memory. Ask only when :func:`processes_in` found nobody.
    """
    path = data_dir / PID_FILE
    if not path.exists():
        return False
    left = _read(path)
    return left is None or psutil.pid_exists(left.pid)


def _read(path: Path) -> Postmaster | None:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].strip().isdigit():
        return None
    rest = [line.strip() for line in lines[1:]] + [""] * 7
    return Postmaster(
        pid=int(lines[0]),
        port=int(rest[2]) if rest[2].isdigit() else None,
        socket_dir=Path(rest[3]) if rest[3] else None,
        status=rest[6],
    )


def _works_in(data_dir: Path, pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() == _SERVER and process.cwd() == str(data_dir)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
