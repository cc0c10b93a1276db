"""Child processes that never outlive the work they were started for.

A cancelled run must leave no ``pg_dump`` and no ``git`` behind. Three nets, one under the other:
``finally`` kills the child's whole process group, whatever ends the block (Dagster's and the
terminal's interrupts are ``BaseException``); on Linux the kernel kills the child when its parent
dies, which covers ``kill -9``; and pipes close, which ends whatever is left when it next writes.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def supervised(argv: Sequence[str], **popen: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``argv`` in a process group of its own and kill that group when the block ends.

    ``popen`` goes to :class:`subprocess.Popen`. A child that ended by itself is only reaped; look
    at ``returncode`` after ``wait()``. Raises what ``Popen`` raises (``OSError``).
    """
    with subprocess.Popen(tied_to_parent(argv), start_new_session=True, **popen) as process:
        try:
            yield process
        finally:
            kill_group(process)


def tied_to_parent(argv: Sequence[str]) -> list[str]:
    """``argv``, started so that the kernel kills it when its parent dies, where Linux offers that.

    ``setpriv`` (util-linux) sets the signal and executes the command in its own place; doing the
    same between fork and exec from Python is not safe in a process with threads.
    """
    setpriv = _setpriv()
    return [setpriv, "--pdeathsig", "KILL", "--", *argv] if setpriv else list(argv)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process's group and reap the process. Safe to call when it ended long ago."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@functools.cache
def _setpriv() -> str | None:
    found = shutil.which("setpriv")
    if found is None:
        return None
    works = subprocess.run(
        [found, "--pdeathsig", "KILL", "--", "true"], capture_output=True, check=False
    )
    return found if works.returncode == 0 else None
