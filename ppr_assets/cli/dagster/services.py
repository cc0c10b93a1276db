"""Dagster's web server and daemon as children of one verb, ended with all that they started."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ppr_assets.child_process import end_group, tied_to_parent
from ppr_assets.cli.shared.console import err

HOST = "127.0.0.1"
_GRACE_SECONDS = 8.0
"""For one service; a run in progress needs about a second to end its pg_dump."""
_WORKSPACE = Path("workspace.yaml")


@dataclass
class Service:
    name: str
    process: subprocess.Popen[bytes]
    words: IO[bytes]
    """What it and its children write: a file and no pipe, which would break when we are killed,
    in the middle of their clearing up."""
    _passed_on: int = 0

    def ended(self) -> bool:
        """Look without reaping: until it is reaped, its group can still be ended."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def pass_on_words(self) -> None:
        """Say on stderr what it has written since the last call."""
        while new := os.pread(self.words.fileno(), 1 << 16, self._passed_on):
            self._passed_on += len(new)
            err.out(new.decode(errors="backslashreplace"), end="")


@contextmanager
def services(environment: Mapping[str, str], *, port: int) -> Iterator[list[Service]]:
    """Start the web server on ``port`` and the daemon, which runs schedule and sensor.

    What goes wrong in them is to be passed on by the caller, time after time; their running
    commentary is in the UI alone. What they write when they are asked to end is left out: of
    processes that were still starting, it is tracebacks of the interrupt.
    """
    workspace = ["-w", str(_WORKSPACE)] if _WORKSPACE.exists() else ["-m", "ppr_assets.definitions"]
    quiet = ["--code-server-log-level", "warning"]
    commands = {
        "dagster-webserver": [
            *("-h", HOST, "-p", str(port), *workspace, *quiet),
            *("--dagster-log-level", "warning"),
        ],
        # Not "warning": a daemon that is new to its storage warns of what it cannot have seen.
        "dagster-daemon": ["run", *workspace, *quiet, "--log-level", "error"],
    }
    scripts = Path(sys.executable).parent
    with ExitStack() as stack:
        yield [
            stack.enter_context(_service([str(scripts / name), *arguments], environment))
            for name, arguments in commands.items()
        ]


@contextmanager
def _service(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Service]:
    """A child in a group of its own: a Ctrl-C on the terminal reaches it through us alone, once.

    It is asked to end, also when we are killed, since it has children of its own to end.
    """
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            tied_to_parent(argv, death_signal="TERM"),
            stdout=words,
            stderr=words,
            start_new_session=True,
            env=environment,
        ) as process,
    ):
        service = Service(Path(argv[0]).name, process, words)
        with ExitStack() as at_the_end:
            at_the_end.callback(end_group, process, grace_seconds=_GRACE_SECONDS)
            at_the_end.callback(service.pass_on_words)
            yield service
