"""``ppr-assets dev``: Dagster's UI and daemon on the real database, or on the playground."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from ppr_assets.cli.dagster.home import dagster_home
from ppr_assets.cli.dagster.services import HOST, DagsterService, services
from ppr_assets.cli.shared.console import err, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.local_server import LOCAL, server_in_use
from ppr_assets.demo import playground as world
from ppr_assets.errors import Busy
from ppr_assets.settings import Settings, child_environment

_PAUSE_SECONDS = 0.3
_TERMINAL = 0
"""Standard input, where this is started by hand."""


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=3000,
    show_default=True,
    help="Where the UI listens, on this machine only.",
)
@click.option("--organizations", type=click.IntRange(min=150), default=2500, hidden=True)
@json_option("A JSON object as soon as the UI answers, for programs.")
@pass_invocation
def dev(invocation: Invocation, port: int, organizations: int, as_json: bool) -> None:
    """Open Dagster's UI; one Ctrl-C stops everything that this has started.

    With POSTGRES_HOST set, it works on that database and your data repository. Without, on a
    sample database and a data repository of its own in .local/. Schedule and sensor are running
    from the start: on a real database, this dumps and publishes as set up.

    The terminal stays quiet: what runs say is in the UI. A stop by Ctrl-C or SIGTERM is not a
    failure, and ends with 0.
    """
    settings = invocation.settings
    _require_free(port)
    if settings.postgres_host_set:
        chosen = _real(settings, invocation.dotenv)
    else:
        chosen = _playground(organizations)
    with (
        suppress(KeyboardInterrupt),
        foreground(),
        chosen as environment,
        services(environment, port=port) as started,
    ):
        address = _up(started, port)
        err.print(f"Dagster's UI is at {address}; Ctrl-C stops it and all that was started with it")
        if as_json:
            print_json({"url": address, "dagster_home": environment["DAGSTER_HOME"]})
        while True:
            _attend(started)
    err.print("stopped")


@contextmanager
def foreground() -> Iterator[None]:
    """Have a terminal's Ctrl-C reach this process alone, for the block.

    `make` hears it as well, else, and ends by it whatever its command makes of it. A Ctrl-Z is
    ignored meanwhile: it would stop what nobody can make go on.
    """
    ours = os.getpgrp()
    if ours == os.getpid() or not os.isatty(_TERMINAL) or os.tcgetpgrp(_TERMINAL) != ours:
        yield  # started by a shell itself, or without a terminal
        return
    for number in (signal.SIGTSTP, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(_TERMINAL, os.getpgrp())
    try:
        yield
    finally:
        with suppress(OSError):  # the terminal was closed
            os.tcsetpgrp(_TERMINAL, ours)


@contextmanager
def _real(settings: Settings, dotenv: Path) -> Iterator[dict[str, str]]:
    settings.database.require_password()
    with dagster_home(settings) as home:
        yield child_environment({"DAGSTER_HOME": str(home)}, secrets=True, dotenv=dotenv)


@contextmanager
def _playground(organizations: int) -> Iterator[dict[str, str]]:
    """What the demo left, or a new one."""
    with world.playground_lock(LOCAL), server_in_use():
        with progress("starting PostgreSQL with sample data"):
            playground = world.open_playground(LOCAL)
            if not playground.data_repo.exists():
                world.fill_database(playground, organizations=organizations)
                world.fresh_data_repository(playground)
        with dagster_home(playground.settings()) as home:
            own = {**playground.variables(), "DAGSTER_HOME": str(home)}
            yield child_environment(own, secrets=True)


def _up(started: list[DagsterService], port: int) -> str:
    """The UI's address, once it answers there."""
    address = f"http://{HOST}:{port}"
    with progress(f"starting Dagster's UI at {address}"):
        while not _answers(port):
            _attend(started)
    return address


def _attend(started: list[DagsterService]) -> None:
    for service in started:
        service.attend()
    time.sleep(_PAUSE_SECONDS)


def _require_free(port: int) -> None:
    if _answers(port):
        raise Busy(
            f"busy: another program listens on port {port}",
            hint="is this running already, at http://"
            f"{HOST}:{port}? To run beside it, choose another --port.",
        )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
