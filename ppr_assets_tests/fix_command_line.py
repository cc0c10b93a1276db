"""The installed console script in a process of its own, as people, cron and make start it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.settings import VARIABLES
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.forked import Fork, forks, read_at_the_start
from ppr_assets_tests.places import ROOT

PROGRAM = Path(sys.executable).with_name("ppr-assets")
_PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Said:
    """How a call ended. ``error`` is the message: the line above the hint. What a verb tells on
    its way to stderr stands before it."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        return self.err.strip().split("\nHINT: ")[0].rpartition("\n")[2]

    @property
    def beside(self) -> str:
        """What was said on stderr after the line that tells which commit was looked at."""
        first, _, rest = self.err.partition("\n")
        assert re.fullmatch(r"looking at (commit \w{10}|no commit yet) of .*", first), self.err
        return rest

    @property
    def stages(self) -> list[str]:
        """The stages that were told as they were done, and nothing else was said."""
        lines = self.err.splitlines()
        assert all(re.fullmatch(r"\w+ +\d+\.\d\d s", line) for line in lines), self.err
        return [line.split()[0] for line in lines]


@dataclass
class CommandLine:
    """Calls ``ppr-assets`` in ``folder`` with ``variables`` and none of those of this process."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str] | Fork] = field(default_factory=list)

    def __call__(self, *arguments: str, **variables: str) -> Said:
        """In a fork of a process that has everything imported already: see :mod:`forked`."""
        environment = self.environment(variables)
        if read_at_the_start(environment) != read_at_the_start(os.environ):
            return self.installed(*arguments, **variables)
        return self.ended(forks().start([str(PROGRAM), *arguments], self.folder, environment))

    def begin(self, *arguments: str, **variables: str) -> Fork:
        """The same, at work beside the test; it may be sent signals."""
        environment = self.environment(variables)
        begun = forks().start([str(PROGRAM), *arguments], self.folder, environment)
        self.started.append(begun)
        return begun

    def installed(self, *arguments: str, **variables: str) -> Said:
        """The program itself, for what a fork cannot show: that it starts, and imports enough."""
        return self.ended(self.start(*arguments, **variables))

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Through Popen and not a shell, which would let it ignore interrupts."""
        process = subprocess.Popen(
            [str(PROGRAM), *arguments],
            cwd=self.folder,
            env=self.environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def ended(self, process: subprocess.Popen[str] | Fork) -> Said:
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
        assert process.returncode is not None
        return Said(process.returncode, out, err)

    def kill_all(self) -> None:
        """What still runs after a test that failed."""
        for process in self.started:
            process.kill()
            process.communicate(timeout=_PATIENCE_SECONDS)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        ours = {variable.name for variable in VARIABLES}
        rest = {name: value for name, value in os.environ.items() if name not in ours}
        return rest | {"GIT_TERMINAL_PROMPT": "0"} | self.variables | dict(variables)


def wait_until(condition: Callable[[], object], *, seconds: float = 300) -> None:
    """Wait for something in another process; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)


def facts(text: str) -> dict[str, str]:
    """Lines of ``name  value``, as ``status`` and ``dump`` print them."""
    return dict(re.findall(r"^(\S+) +(\S.*)$", text, re.MULTILINE))


@pytest.fixture(scope="session")
def dagster_storage(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """A DAGSTER_HOME with the project's own dagster.yaml, and its storage, for all calls."""
    home = tmp_path_factory.mktemp("dagster-home")
    shutil.copy(ROOT / "dagster.yaml", home)
    embedded_server.create_database("dagster_of_command_line")
    url = embedded_server.url("dagster_of_command_line")
    return {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_URL": url}


@pytest.fixture
def ppr_assets(
    pipeline: Pipeline, dagster_storage: Mapping[str, str], tmp_path: Path
) -> Iterator[CommandLine]:
    """The command line on the pipeline's database and clone, in an empty working folder."""
    folder = tmp_path / "working-folder"
    folder.mkdir()
    command_line = CommandLine(folder, pipeline.variables | dict(dagster_storage))
    yield command_line
    command_line.kill_all()
