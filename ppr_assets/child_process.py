"""Child processes that never outlive the work they were started for.

A cancelled run must leave no ``pg_dump`` and no ``git`` behind. Nets, one under the other:
``finally`` kills the child's whole process group, whatever ends the block (Dagster's and the
terminal's interrupts are ``BaseException``); on Linux the kernel kills the child when its parent
dies, which covers ``kill -9``; a guard ends what such a child has started itself, which the kernel
does not; and pipes close, which ends whatever is left when it next writes.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any


@contextmanager
def supervised(argv: Sequence[str], **popen: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``argv`` in a process group of its own and kill that group when the block ends.

    ``popen`` goes to :class:`subprocess.Popen`. A child that ended by itself is only reaped; look
    at ``returncode`` after ``wait()``. Raises what ``Popen`` raises (``OSError``).
    """
    with ExitStack() as at_the_end:
        with interrupts_held():
            process = subprocess.Popen(tied_to_parent(argv), start_new_session=True, **popen)
            at_the_end.enter_context(process)
            at_the_end.callback(kill_group, process)
        yield process


@contextmanager
def helper(module: str, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Connection]]:
    """``python -m module DESCRIPTOR words…`` as a child, and our end of the pipe whose other end is
    the descriptor. A child as every other, which multiprocessing's own are not: they outlive a
    killed parent."""
    ours, its = Pipe()
    folder = Path(__file__).parents[1]  # the package is found from there, installed or not
    command = [sys.executable, "-m", module, str(its.fileno()), *words]
    null = subprocess.DEVNULL
    started = supervised(command, stdin=null, stdout=null, pass_fds=[its.fileno()], cwd=folder)
    with ours, its, started as process:
        its.close()
        yield process, ours


@contextmanager
def guarded(script: str, *words: str) -> Iterator[None]:
    """Have a shell run ``script`` (with ``words`` as ``$1`` …) if this process is killed meanwhile.

    The shell waits in a session of its own. The end of its input is the end of us.
    """
    with subprocess.Popen(
        ["sh", "-c", f"read -r done || {{ {script}; }}", "sh", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as guard:
        try:
            yield
        finally:
            guard.communicate(b"done\n")


END_GROUP = 'kill -s TERM -- "-$1"; sleep 1; kill -s KILL -- "-$1"'
"""A script for :func:`guarded`: end the process group ``$1``, also what of it does not listen."""


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let interrupts that come while a child is being started wait until somebody can end it.

    Python hears of the child only when it is at work, on a busy machine long after: an interrupt
    in that moment would leave it, with children of its own, to nobody. Signals are handled in the
    main thread alone, so only that one holds them. Raises at its end what the handlers raise.
    """
    came: list[tuple[int, FrameType | None]] = []
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
    try:
        with ExitStack() as put_back:
            if threading.current_thread() is threading.main_thread():
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    handler = signal.getsignal(number)
                    if callable(handler):
                        handlers[number] = handler
                        put_back.callback(signal.signal, number, handler)
                        signal.signal(number, lambda *one: came.append(one))
            yield
    finally:
        for one, frame in came:
            handlers[one](one, frame)


def tied_to_parent(argv: Sequence[str], *, death_signal: str = "KILL") -> list[str]:
    """``argv``, started so that the kernel ends it when its parent dies, where Linux offers that.

    ``setpriv`` (util-linux) sets the signal and executes the command in its own place; doing the
    same between fork and exec from Python is not safe in a process with threads.
    ``death_signal`` is ``TERM`` for a program that has to clear up its own lock files.
    """
    setpriv = _setpriv()
    return [setpriv, "--pdeathsig", death_signal, "--", *argv] if setpriv else list(argv)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process's group and reap the process. Safe to call when it ended long ago.

    Not reaped yet, an ended process still holds its group's number: what it left behind in the
    group (a hook's background job that keeps a pipe open) is killed too.
    """
    if process.returncode is None:
        _signal_group(process, signal.SIGKILL)
    process.wait()


def end_group(process: subprocess.Popen[bytes], *, grace_seconds: float) -> None:
    """Ask the process's group to end, so that it removes its lock files; kill what remains.

    Safe to call when the process was reaped before.
    """
    if process.returncode is not None:
        return
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send to all of the group; nobody left to send to (macOS: only zombies) is well."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@functools.cache
def _setpriv() -> str | None:
    found = shutil.which("setpriv")
    if found is None:
        return None
    works = subprocess.run(
        [found, "--pdeathsig", "KILL", "--", "true"], capture_output=True, check=False
    )
    return found if works.returncode == 0 else None
