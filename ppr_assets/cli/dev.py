"""``ppr-assets dev``: Dagster's UI and daemon on the real database, or on the playground."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from ppr_assets.child_process import supervised
from ppr_assets.cli.console import err
from ppr_assets.cli.context import Invocation, pass_invocation
from ppr_assets.cli.dagster_home import LOCAL, dagster_home
from ppr_assets.cli.playground_lock import playground_lock
from ppr_assets.errors import PprError
from ppr_assets.operations import playground as world
from ppr_assets.settings import Settings, child_environment

_GRACE_SECONDS = 15
_WORKSPACE = Path("workspace.yaml")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--organizations", type=click.IntRange(min=150), default=2500, hidden=True)
@pass_invocation
def dev(invocation: Invocation, port: int, organizations: int) -> None:
    """Open Dagster's UI; one Ctrl-C stops everything that this has started.

    With POSTGRES_HOST set, it works on that database and your data repository. Without, on a
    sample database and a data repository of its own in .local/. Schedule and sensor are running.
    """
    settings = invocation.settings
    chosen = _real(settings) if settings.postgres_host_set else _playground(organizations)
    with chosen as variables:
        _serve(variables, port)


@contextmanager
def _real(settings: Settings) -> Iterator[Mapping[str, str]]:
    settings.database.require_password()
    with dagster_home(settings) as home:
        yield {"DAGSTER_HOME": str(home)}


@contextmanager
def _playground(organizations: int) -> Iterator[Mapping[str, str]]:
    """What the demo left, or a new one."""
    with playground_lock(LOCAL):
        playground = world.open_playground(LOCAL)
        try:
            if not playground.data_repo.exists():
                world.fill_database(playground, organizations=organizations)
                world.fresh_data_repository(playground)
            with dagster_home(playground.settings()) as home:
                yield {**playground.variables(), "DAGSTER_HOME": str(home)}
        finally:
            playground.server.stop()


def _serve(variables: Mapping[str, str], port: int) -> None:
    """Run the web server and the daemon until one ends or somebody has had enough."""
    workspace = ["-w", str(_WORKSPACE)] if _WORKSPACE.exists() else ["-m", "ppr_assets.definitions"]
    scripts = Path(sys.executable).parent
    commands = {
        "dagster-webserver": ["-h", "127.0.0.1", "-p", str(port), *workspace],
        "dagster-daemon": ["run", *workspace],
    }
    with ExitStack() as stack:
        children = [
            stack.enter_context(_child([str(scripts / name), *arguments], variables))
            for name, arguments in commands.items()
        ]
        err.print(f"Dagster's UI is at http://127.0.0.1:{port} in a moment; Ctrl-C stops all of it")
        while all(child.poll() is None for child in children):
            time.sleep(0.3)
        for name, child in zip(commands, children, strict=True):
            if child.returncode is not None:
                raise PprError(
                    f"{name} ended with exit code {child.returncode}",
                    hint=f"its last lines tell why. Is port {port} taken? See --port.",
                )


@contextmanager
def _child(argv: Sequence[str], variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child that is asked to end before it is killed: it has children of its own to end."""
    with supervised(argv, env=child_environment(variables, secrets=True)) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=_GRACE_SECONDS)
                except subprocess.TimeoutExpired:
                    err.print(f"{Path(argv[0]).name} did not end in {_GRACE_SECONDS} s, killing it")
