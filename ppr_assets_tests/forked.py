"""``ppr-assets`` in forks of a process that has imported everything below the command line once,
for a tenth of what it takes to start and import it each time.

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
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Timer

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

    def run(
        self, argv: list[str], folder: Path, environment: Mapping[str, str], *, patience: float
    ) -> subprocess.CompletedProcess[str]:
        """As :func:`subprocess.run` with captured output; killed when patience has ended."""
        request = json.dumps([argv, str(folder), dict(environment)]).encode()
        assert len(request) < _MOST_BYTES
        with ExitStack() as ends:
            (out, its_out), (err, its_err) = os.pipe(), os.pipe()
            streams = [ends.enter_context(os.fdopen(end, encoding="utf-8")) for end in (out, err)]
            socket.send_fds(self._requests, [request], [0, its_out, its_err])
            os.close(its_out)
            os.close(its_err)
            child = int(self._requests.recv(_MOST_BYTES))
            timer = Timer(patience, os.kill, (child, signal.SIGKILL))
            timer.start()
            ends.callback(timer.cancel)
            readers = ends.enter_context(ThreadPoolExecutor(len(streams)))
            said = list(readers.map(lambda stream: stream.read(), streams))
            code = int(self._requests.recv(_MOST_BYTES))
        return subprocess.CompletedProcess(argv, code, *said)

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
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _MOST_BYTES, 3)
        if not request:
            return
        child = os.fork()
        if not child:
            requests.close()
            argv, folder, environment = json.loads(request)
            _call(argv, folder, environment, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        requests.send(str(os.waitstatus_to_exitcode(status)).encode())


def _call(
    argv: list[str], folder: str, environment: dict[str, str], descriptors: list[int]
) -> None:
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
        import_module("ppr_assets.cli").main()
    except SystemExit as ended:
        _end(ended.code)


def _end(code: object) -> None:
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
