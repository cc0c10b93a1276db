"""Child processes that never outlive the work they were started for.

A cancelled run must leave no ``pg_dump`` and no ``git`` behind. Nets, one under the other:
``finally`` kills the child's whole process group, whatever ends the block (Dagster's and the
terminal's interrupts are ``BaseException``); a guard kills it when we are gone, which covers
``kill -9``; and pipes close, which ends whatever is left when it next writes.
"""

from __future__ import annotations

import atexit
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
from typing import IO, Any

GUARD_SHELL = "/bin/sh"
"""What only sees to it that others end with us."""


class _Guard:
    """A shell that ends the process groups of our children when we are gone.

    The end of its input is the end of us. Each line before it names the groups that are at work,
    each with the seconds between being asked to end and being killed. It waits in a session of its
    own, with nothing of ours but the way to ``sleep``, also when everybody is asked to end.
    """

    SCRIPT = """
        trap '' HUP INT TERM
        while read -r line; do groups=$line; done
        for one in $groups; do
          group=${one%:*} grace=${one#*:}
          {
            [ "$grace" = 0 ] || kill -TERM "-$group"
            while [ "$grace" -gt 0 ] && kill -0 "-$group"; do
              "$1" 1 || break
              grace=$((grace - 1))
            done
            kill -KILL "-$group"
          } &
        done
    """

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}
        self._shell: subprocess.Popen[bytes] | None = None
        # Taken twice by one thread: a child that was left to the garbage ends in the midst of this.
        self._telling = threading.RLock()

    def require(self) -> None:
        """It is there. Raises ``OSError`` when it cannot be started."""
        with self._telling:
            if not self._shell:
                self._shell = subprocess.Popen(
                    [GUARD_SHELL, "-c", self.SCRIPT, GUARD_SHELL, shutil.which("sleep") or "sleep"],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                    env={},
                )

    def watch(self, group: int, grace_seconds: int) -> None:
        with self._telling:
            self._groups[group] = f"{group}:{grace_seconds}"
            self._tell()

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """It has ended. One that somebody no longer waited for is left to the guard."""
        if process.returncode is not None:
            with interrupts_held(), self._telling, suppress(OSError):  # told with the next child
                self._groups.pop(process.pid, None)
                self._tell()

    def _tell(self) -> None:
        """Until nothing else has come to be told meanwhile, see ``_telling``."""
        told = None
        while told != (line := f"{' '.join(self._groups.values())}\n".encode()):
            if self._groups:
                self.require()
            if not self._shell:
                return
            try:
                _input(self._shell).write(line)
                told = line
            except BrokenPipeError:  # somebody has killed it
                self.end()

    def end(self) -> None:
        """When this process ends by itself: not every container has an init to reap the guard."""
        with self._telling:
            shell, self._shell = self._shell, None
            if shell:
                _input(shell).close()
                shell.wait()

    def leave(self) -> None:
        """In a process that has been forked: the guard is its parent's, and waits for its end."""
        if self._shell:
            _input(self._shell).close()
            self._shell.returncode = 0  # not a child of this process, which need not wait for it
        self.__init__()  # type: ignore[misc]


def _input(shell: subprocess.Popen[bytes]) -> IO[bytes]:
    assert shell.stdin is not None  # a pipe
    return shell.stdin


GUARD = _Guard()
atexit.register(GUARD.end)
os.register_at_fork(after_in_child=GUARD.leave)


@contextmanager
def supervised(
    argv: Sequence[str], *, grace_seconds: int = 0, **popen: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``argv`` in a process group of its own and end that group when the block ends.

    ``grace_seconds`` lie between asking the group to end and killing it, for a program that has to
    clear up its own lock files. ``popen`` goes to :class:`subprocess.Popen`. A child that ended by
    itself is only reaped; look at ``returncode`` after ``wait()``. Raises what ``Popen`` raises
    (``OSError``).
    """
    with ExitStack() as at_the_end:
        with interrupts_held():
            GUARD.require()  # nothing is started that nobody would end
            process = subprocess.Popen(argv, start_new_session=True, **popen)
            at_the_end.enter_context(process)
            at_the_end.callback(GUARD.forget, process)
            at_the_end.callback(end_group, process, grace_seconds=grace_seconds)
            GUARD.watch(process.pid, grace_seconds)
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
        [GUARD_SHELL, "-c", f"trap '' HUP INT TERM; read -r done || {{ {script}; }}", "sh", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as guard:
        try:
            yield
        finally:
            guard.communicate(b"done\n")


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


def end_group(process: subprocess.Popen[bytes], *, grace_seconds: float = 0) -> None:
    """Kill the process's group and reap the process, ``grace_seconds`` after asking it to end.

    Safe to call when it ended long ago. Not reaped yet, an ended process still holds its group's
    number: what it left behind in the group (a hook's background job that keeps a pipe open) is
    killed too.
    """
    if process.returncode is None:
        try:
            if grace_seconds:
                _signal_group(process, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(grace_seconds)
        finally:  # also for whoever waits no longer
            with interrupts_held():
                _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send to all of the group; nobody left to send to (macOS: only zombies) is well."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
