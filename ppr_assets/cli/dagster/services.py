"""Dagster's code server, web server and daemon as children of one verb, ended with all that they
started."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import click
from msgspec import Struct

from ppr_assets.child_process import supervised
from ppr_assets.cli.dagster.run import CODE_LOCATION
from ppr_assets.errors import PprError

HOST = "127.0.0.1"
_GRACE_SECONDS = 8
"""For one service; a run in progress needs about a second to end its pg_dump."""
_PAUSE_SECONDS = 0.1
_LAST_WORDS = 4096
"""Bytes of what a service that keeps its words to itself has written, told when it ends."""

_SELDOM = {"DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "60"}
"""How often the daemon looks for runs to be run again, every five seconds otherwise: it costs as
much as all the rest of it while nothing happens."""


class DagsterService(Struct):
    """``quiet``: its words are told only when it ends by itself; they are those of runs, which the
    UI shows."""

    name: str
    process: subprocess.Popen[bytes]
    words: IO[bytes]
    """What it and its children write: a file and no pipe, which would break when we are killed,
    in the middle of their clearing up."""
    quiet: bool = False
    _passed_on: int = 0

    def attend(self) -> None:
        """Tell what it has written since the last call. Raises :class:`PprError` if it ended."""
        ended = self._ended()
        if not self.quiet:
            self._pass_on()
        elif ended:
            written = os.fstat(self.words.fileno()).st_size
            self._passed_on = max(0, written - _LAST_WORDS)
            self._pass_on()
        if ended:
            raise PprError(
                f"{self.name} ended by itself",
                hint="its own output is above; the rest was stopped as well.",
            )

    def _ended(self) -> bool:
        """Look without reaping: until it is reaped, its group can still be ended."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def _pass_on(self) -> None:
        while new := os.pread(self.words.fileno(), 1 << 16, self._passed_on):
            self._passed_on += len(new)
            click.echo(new.decode(errors="backslashreplace"), nl=False, err=True)


@contextmanager
def services(environment: Mapping[str, str], *, port: int) -> Iterator[list[DagsterService]]:
    """Start the code server, and with it the web server on ``port`` and the daemon, which runs
    schedules and sensors.

    One code server for both: each would have its own otherwise, the daemon a new one every minute.
    What goes wrong in them is to be passed on by the caller, time after time; their running
    commentary is in the UI alone. What they write when they are asked to end is left out: of
    processes that were still starting, it is tracebacks of the interrupt.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ppr_assets_dev_")))
        socket = folder / "code-server"  # for this user alone, as the folder is
        environment = {**environment, **_SELDOM}
        argv = [sys.executable, "-m", "dagster", *_code_server(socket)]
        code = stack.enter_context(_service("code server", argv, environment, quiet=True))
        while not socket.exists():
            code.attend()
            time.sleep(_PAUSE_SECONDS)
        started = [code]
        for name, arguments in _looking_at(socket, port).items():
            argv = [str(Path(sys.executable).with_name(name)), *arguments]
            started.append(stack.enter_context(_service(name, argv, environment)))
        yield started


def _code_server(socket: Path) -> list[str]:
    """Definitions are read when they are first asked for, so that the UI shows why they cannot
    be."""
    return [
        *("api", "grpc", "--socket", str(socket), "--lazy-load-user-code"),
        *("-m", "ppr_assets.definitions", "-d", ".", "--location-name", CODE_LOCATION),
        *("--use-python-environment-entry-point", "--log-level", "warning"),
    ]


def _looking_at(socket: Path, port: int) -> dict[str, list[str]]:
    workspace = socket.with_name("workspace.yaml")
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{socket: {socket}, location_name: {CODE_LOCATION}}}\n"
    )
    found = ["-w", str(workspace)]
    return {
        "dagster-webserver": [
            *("-h", HOST, "-p", str(port), *found),
            *("--dagster-log-level", "warning"),
        ],
        # Not "warning": a daemon that is new to its storage warns of what it cannot have seen.
        "dagster-daemon": ["run", *found, "--log-level", "error"],
    }


@contextmanager
def _service(
    name: str, argv: Sequence[str], environment: Mapping[str, str], *, quiet: bool = False
) -> Iterator[DagsterService]:
    """A child in a group of its own: a Ctrl-C on the terminal reaches it through us alone, once.

    It is asked to end, also when we are killed, since it has children of its own to end.
    """
    with (
        tempfile.TemporaryFile() as words,
        supervised(
            argv,
            grace_seconds=_GRACE_SECONDS,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env=environment,
        ) as process,
    ):
        yield DagsterService(name, process, words, quiet)
