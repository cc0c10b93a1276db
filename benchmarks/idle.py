"""``python -m benchmarks.idle``: what UI, daemon and code server take while nothing runs.

Two ways to start them: as ``ppr-assets dev`` does, with one code server for all, and as Dagster's
own commands do with a workspace file, where each has its own. The first run has ended before.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from benchmarks.measure import clean_environment
from ppr_assets.child_process import supervised
from ppr_assets.cli.dagster.services import services
from ppr_assets.demo import playground as world

ROOT = Path(__file__).parents[1]
SETTLED_SECONDS = 60
"""After which the run that the sensor asks for at first has ended."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--port", type=int, default=3917)
    options = parser.parse_args()
    for name, started in (("one code server", _one), ("a code server each", _each)):
        with _environment() as environment, started(environment, options.port):
            time.sleep(SETTLED_SECONDS)
            before, at = _processor_seconds(), time.monotonic()
            time.sleep(options.minutes * 60)
            used, seconds = _processor_seconds() - before, time.monotonic() - at
            memory = {_name(one): one.memory_full_info().pss / 1e6 for one in _children()}
            told = ", ".join(f"{what} {megabytes:.0f}" for what, megabytes in memory.items())
            print(
                f"{name}: {sum(memory.values()):.0f} MB ({told}), "
                f"{used / seconds:.2%} of a core over {seconds / 60:.0f} minutes",
                flush=True,
            )


@contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """A playground in a folder of its own, with a home for Dagster."""
    with tempfile.TemporaryDirectory(prefix="ppr_assets_idle_") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        playground = world.open_playground(folder)
        stack.callback(playground.server.stop)
        world.fill_database(playground, organizations=300)
        world.fresh_data_repository(playground)
        shutil.copy(ROOT / "dagster.yaml", folder)
        yield clean_environment(DAGSTER_HOME=str(folder), **playground.variables())


@contextmanager
def _one(environment: Mapping[str, str], port: int) -> Iterator[None]:
    with services(environment, port=port):
        yield


@contextmanager
def _each(environment: Mapping[str, str], port: int) -> Iterator[None]:
    commands = (
        ["dagster-webserver", "-w", str(ROOT / "workspace.yaml"), "-p", str(port)],
        ["dagster-daemon", "run", "-w", str(ROOT / "workspace.yaml")],
    )
    with ExitStack() as stack:
        for name, *arguments in commands:
            stack.enter_context(
                supervised(
                    [str(Path(sys.executable).with_name(name)), *arguments],
                    grace_seconds=8,
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        yield


def _children() -> list[psutil.Process]:
    """Dagster's, and not the server of its storage."""
    found = psutil.Process().children(recursive=True)
    return [one for one in found if "python" in one.name() or "dagster" in one.name()]


def _processor_seconds() -> float:
    """Of those that are there, and of their children that have ended."""
    return float(sum(sum(one.cpu_times()[:4]) for one in _children()))


def _name(one: psutil.Process) -> str:
    words = " ".join(one.cmdline())
    known = ("dagster-webserver", "dagster-daemon", "api grpc", "resource_tracker")
    return next((f"{name} {one.pid}" for name in known if name in words), str(one.pid))


if __name__ == "__main__":
    main()
