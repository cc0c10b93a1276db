"""Tasks over several sessions: each starts when what it needs is done and its tables are free.

The locks here are those that PostgreSQL will take. A task that would have to wait for a lock is
not started, so no session ever waits for another one, and no deadlock can come about.
"""

from __future__ import annotations

import math
import os
import socket
import threading
from bisect import insort
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from time import monotonic
from types import TracebackType

import psycopg
from msgspec import Struct

from ppr_assets.child_process import interrupts_held
from ppr_assets.deadline import Deadline
from ppr_assets.postgres.sessions.session import Connection, LoadingSession

_CANCEL_SECONDS = 0.2
"""How often a statement that goes on is cancelled again: one that was just starting missed it."""

PATIENCE_SECONDS = 5.0
"""After that a session that does not heed is cut off: the network or the server is gone."""


Work = Callable[[LoadingSession], None]


class Task(Struct, frozen=True, eq=False):
    """``weight`` is roughly how long this and what waits for it takes; the largest goes first."""

    what: str
    work: Work
    weight: int = 0
    after: Sequence[Task] = ()
    shared: frozenset[str] = frozenset()
    exclusive: frozenset[str] = frozenset()


def default_connections() -> int:
    """Two keep a server with one core busy while we read; more than four seldom help."""
    return min(4, max(2, os.cpu_count() or 2))


class _Queue:
    """Tasks that have not been started. Those in ``ready`` need none of the others; the order is
    that of their weight.

    A dump may have ten thousand objects, so nothing here looks at all tasks for each of them.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._needed = {task: len(task.after) for task in tasks if task.after}
        self._waits: dict[Task, list[Task]] = {}
        for task in self._needed:
            for before in task.after:
                self._waits.setdefault(before, []).append(task)
        self.ready = sorted((task for task in tasks if not task.after), key=_order)

    def __bool__(self) -> bool:
        return bool(self.ready or self._needed)

    def start(self, task: Task) -> None:
        self.ready.remove(task)

    def finish(self, task: Task) -> None:
        for waiting in self._waits.get(task, ()):
            self._needed[waiting] -= 1
            if not self._needed[waiting]:
                del self._needed[waiting]
                insort(self.ready, waiting, key=_order)


def _order(task: Task) -> int:
    return -task.weight


class Crew:
    """Sessions that work through tasks. Use as a context manager: it closes them."""

    def __init__(
        self,
        open_connection: Callable[[], Connection],
        size: int,
        deadline: Deadline,
        search_path: str = "",
    ) -> None:
        self._open_connection = open_connection
        self._size = size
        self._deadline = deadline
        self._search_path = search_path
        self._stop = threading.Event()
        self._free: list[Connection] = []
        self._running: dict[Future[None], tuple[Task, Connection]] = {}

    def __enter__(self) -> Crew:
        try:
            for _ in range(self._size):
                self._free.append(self._open_connection())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def run(self, tasks: Sequence[Task]) -> None:
        """Work until all are done.

        The first failure, the deadline, or an interrupt ends everything: statements are
        cancelled, threads have ended when this raises. Raises what the task raised.
        """
        queue = _Queue(tasks)
        with ThreadPoolExecutor(self._size, thread_name_prefix="load") as threads:
            try:
                while queue or self._running:
                    for task in self._startable(queue.ready):
                        queue.start(task)
                        with interrupts_held():  # until somebody can cancel it
                            connection = self._free[-1]
                            session = LoadingSession(connection, self._stop, self._search_path)
                            self._running[threads.submit(task.work, session)] = task, connection
                            self._free.pop()
                    for task in self._finished():
                        queue.finish(task)
            except BaseException:
                self._give_up()
                raise

    def _startable(self, ready: Sequence[Task]) -> list[Task]:
        active = [task for task, _ in self._running.values()]
        exclusive = {name for task in active for name in task.exclusive}
        shared = {name for task in active for name in task.shared}
        chosen: list[Task] = []
        for task in ready:
            if len(chosen) == len(self._free):
                break
            if (exclusive & (task.shared | task.exclusive)) or (shared & task.exclusive):
                continue
            chosen.append(task)
            exclusive |= task.exclusive
            shared |= task.shared
        return chosen

    def _finished(self) -> set[Task]:
        """Wait until a task has ended, or the deadline has passed."""
        left = self._deadline.remaining()
        timeout = None if math.isinf(left) else left
        assert self._running, "tasks that need each other"
        ended, _ = wait(self._running, timeout, FIRST_COMPLETED)
        finished = set()
        for future in ended:
            future.result()
            task, connection = self._running[future]
            self._free.append(connection)
            del self._running[future]
            finished.add(task)
        self._deadline.require("loading " + ", ".join(t.what for t, _ in self._running.values()))
        return finished

    def _give_up(self) -> None:
        """Cancel until every thread is out of its statement, then cut off what still hangs."""
        self._stop.set()
        patience_ends = monotonic() + PATIENCE_SECONDS
        while still := [(f, c) for f, (_, c) in self._running.items() if not f.done()]:
            for _, connection in still:
                if monotonic() < patience_ends:
                    cancel(connection)
                else:
                    cut_off(connection)
            wait([future for future, _ in still], _CANCEL_SECONDS)

    def _close(self) -> None:
        for connection in [*self._free, *(c for _, c in self._running.values())]:
            connection.close()


def cancel(connection: Connection) -> None:
    """Ask the server to end the running statement. It may be gone: the caller tries again."""
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=1)


def cut_off(connection: Connection) -> None:
    """End the session from this side, so that the thread that waits on it gets an error."""
    with suppress(psycopg.Error, OSError):
        twin = os.dup(connection.fileno())
        with socket.socket(fileno=twin) as wire:
            wire.shutdown(socket.SHUT_RDWR)
