"""``ppr-assets``, and ``dagster``, in forks of a process that has imported everything below the
command line once, for a tenth of what it takes to start and import it each time.

Arguments, environment, folder, descriptors, signals and exit code of a call are those of a process
of its own, and it imports the command line itself anew. What Python reads when it starts is told
by :func:`read_at_the_start`: a call in which that differs needs the installed program.

What a fork cannot show is that a verb imports enough: each has a call of the program in the tests.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import NoReturn

_MOST_BYTES = 100_000
"""Of a request: arguments and environment."""

_AT_THE_START = ("PYTHON", "LANG", "LC_", "TZ")

_OF_A_TEST = "PPR_ASSETS_TEST_WORLD"
"""By which a test finds its own children, of which this process is none."""

_IMPORTED_LATE = ("dagster_postgres", "psycopg2.extras", "sqlite3", "upath.implementations.local")
"""Where they are needed, and not above."""


def read_at_the_start(environment: Mapping[str, str]) -> dict[str, str]:
    """Of an environment, what Python has read before it runs anything."""
    return {name: environment[name] for name in environment if name.startswith(_AT_THE_START)}


EXECUTE = ["dagster", "job", "execute", "-m", "ppr_assets.definitions", "-j"]
"""A call that runs the job that is named after it."""


class Fork:
    """A call at work, to be used as a :class:`subprocess.Popen`."""

    def __init__(self, out: int, err: int, told: int) -> None:
        self._streams = [os.fdopen(end, encoding="utf-8") for end in (out, err)]
        self._told = os.fdopen(told, encoding="utf-8")
        self._tells = select.poll()
        self._tells.register(told, select.POLLIN)
        self._said = ("", "")
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, None while it is at work: it has its number until that was told."""
        if self.returncode is None and self._tells.poll(0):
            self._wait()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """What it has said until its end; it is killed when ``timeout`` seconds have passed."""
        if self._streams[0].closed:
            return self._said
        with ExitStack() as ends:
            streams = [ends.enter_context(stream) for stream in self._streams]
            if self.poll() is None:
                timer = Timer(timeout, os.kill, (self.pid, signal.SIGKILL))
                timer.start()
                ends.callback(timer.cancel)
            readers = ends.enter_context(ThreadPoolExecutor(len(streams)))
            out, err = readers.map(lambda stream: stream.read(), streams)
            if self.returncode is None:
                self._wait()
        self._said = out, err
        return self._said

    def _wait(self) -> None:
        self.returncode = int(self._told.readline())
        self._told.close()


class Forks:
    """The process that forks, and the way to ask it."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={name: os.environ[name] for name in os.environ if name != _OF_A_TEST},
            )

    def start(self, argv: list[str], folder: Path, environment: Mapping[str, str]) -> Fork:
        """As :class:`subprocess.Popen` with captured output."""
        request = json.dumps([argv, str(folder), dict(environment)]).encode()
        assert len(request) < _MOST_BYTES
        ends = [os.pipe() for _ in range(3)]
        socket.send_fds(self._requests, [request], [0, *(theirs for _, theirs in ends)])
        for _, theirs in ends:
            os.close(theirs)
        return Fork(*(ours for ours, _ in ends))

    def end(self) -> None:
        self._requests.close()
        self._process.wait()


@cache
def forks() -> Forks:
    """One for all tests of this process, which ends with it."""
    started = Forks()
    atexit.register(started.end)
    return started


def _serve(requests: socket.socket) -> None:
    """Each call is told its number when it begins, and its exit code before that number is free."""
    told: dict[int, int] = {}
    with selectors.DefaultSelector() as waited:
        waited.register(requests, selectors.EVENT_READ)
        while True:
            for ready, _ in waited.select():
                if ready.fileobj is not requests:
                    waited.unregister(ready.fd)
                    _tell_the_end(ready.fd, told.pop(ready.fd))
                    continue
                request, descriptors, _, _ = socket.recv_fds(requests, _MOST_BYTES, 4)
                if not request:
                    return
                child = os.fork()
                if not child:
                    for end in (*told, *told.values(), requests.fileno(), descriptors.pop()):
                        os.close(end)
                    argv, folder, environment = json.loads(request)
                    _call(argv, folder, environment, descriptors)
                *streams, tell = descriptors
                for descriptor in streams:
                    os.close(descriptor)
                os.set_inheritable(tell, False)
                os.write(tell, f"{child}\n".encode())
                ending = os.pidfd_open(child)
                told[ending] = tell
                waited.register(ending, selectors.EVENT_READ)


def _tell_the_end(ending: int, tell: int) -> None:
    found = os.waitid(os.P_PIDFD, ending, os.WEXITED | os.WNOWAIT)
    assert found is not None
    died = found.si_code != os.CLD_EXITED
    with suppress(BrokenPipeError):  # who started it listens no more
        os.write(tell, f"{-found.si_status if died else found.si_status}\n".encode())
    os.close(tell)
    os.waitid(os.P_PIDFD, ending, os.WEXITED)
    os.close(ending)


def _call(
    argv: list[str], folder: str, environment: dict[str, str], descriptors: list[int]
) -> NoReturn:
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    sys.argv[:] = argv
    try:
        import_module("dagster._cli" if argv[0] == "dagster" else "ppr_assets.cli").main()
    except SystemExit as ended:
        _end(ended.code)
    except BaseException:  # noqa: BLE001 - as Python itself ends
        traceback.print_exc()
        _end(1)
    _end(0)


def _end(code: object) -> NoReturn:
    """As a process ends, but for taking apart what was imported: no module is freed one by one."""
    assert isinstance(code, int | None)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


def _import_everything_below_the_command_line() -> None:
    package = import_module("ppr_assets")
    for module in pkgutil.walk_packages(package.__path__, "ppr_assets."):
        if not module.name.startswith("ppr_assets.cli"):
            import_module(module.name)
    for library in _IMPORTED_LATE:
        import_module(library)
    _run_nothing_in_dagster()
    gc.collect()
    gc.freeze()


def _run_nothing_in_dagster() -> None:
    """It imports half of itself when something is run."""
    dagster = import_module("dagster")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dagster.DagsterInstance.ephemeral() as instance:
        nothing = dagster.job(name="nothing", executor_def=dagster.in_process_executor)(
            lambda: None
        )
        nothing.execute_in_process(instance=instance, run_config=quiet)


if __name__ == "__main__":
    with warnings.catch_warnings(action="ignore"):
        _import_everything_below_the_command_line()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        _serve(channel)
