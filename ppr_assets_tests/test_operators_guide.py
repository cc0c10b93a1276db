"""The operator's guide, "Set up": what it says to type is typed, on a real database and remote.

Only what stands for somebody's own (`<this project>`, a host, a path) is another word here, and the
editor is a program that writes what the guide says to put into the file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from ppr_assets.postgres import embedded
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_sinks import WebSink
from ppr_assets_tests.places import ROOT

GUIDE = (ROOT / "docs/operators-guide.md").read_text(encoding="utf-8")
SET_UP, _, MORE = GUIDE.partition("## Set up\n")[2].partition("\n## ")[0].partition("### For good")
CRON = MORE.partition("### Without a daemon, from cron")[2]
FENCE = re.compile(r"^ *```\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FILES = ("Makefile", "pyproject.toml", "requirements-dev.lock", ".env.example", "dagster.yaml")
ROOM_OF_CRON = {"HOME", "LOGNAME", "TMPDIR", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"}
"""Of the environment; the last three see to it that this test keeps to itself."""


def _blocks(text: str) -> list[str]:
    return [re.sub(r"^ {3}", "", block, flags=re.MULTILINE) for block in FENCE.findall(text)]


class Machine:
    """A folder with the project in it, as `git clone` leaves it, and an editor."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.clone = folder / "ppr_assets"
        self.clone.mkdir()
        for name in FILES:
            shutil.copy(ROOT / name, self.clone)
        (self.clone / ".venv").symlink_to(ROOT / ".venv")
        self.text = "".join(f"{name}={value}\n" for name, value in variables.items())
        editor = folder / "editor"
        editor.write_text(f"#!/bin/sh\ncat >>\"$1\" <<'END'\n{self.text}END\n")
        editor.chmod(0o755)

    def types(self, lines: str, cwd: Path) -> str:
        path = f"{self.folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
        environment = CommandLine(cwd).environment({"PATH": path})
        done = self._done(["bash", "-euc", lines], cwd, environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cron(self, command: str) -> subprocess.CompletedProcess[str]:
        """With a shell and an environment as cron gives them: nearly none."""
        environment = {name: os.environ[name] for name in ROOM_OF_CRON & os.environ.keys()}
        environment |= {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
        return self._done(["/bin/sh", "-c", command], self.folder, environment)

    def _done(
        self, argv: list[str], cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def runs(self) -> list[tuple[str, str]]:
        """Job and end of each run in Dagster's storage, and that each has its lineage there."""
        server = embedded.start(self.clone / ".local/postgres")
        try:
            url = server.url("dagster").replace("+psycopg2", "")
            with psycopg.connect(url) as session:
                asked = session.execute("SELECT pipeline_name, status FROM runs ORDER BY id")
                events = session.execute(
                    "SELECT DISTINCT asset_key FROM event_logs "
                    "WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
                ).fetchall()
                found = [(str(job), str(status)) for job, status in asked]
        finally:
            server.stop()
        assert {'["record_count"]', '["sql_dump"]', '["data_repo_commit"]'} <= {
            e[0] for e in events
        }
        return found


@pytest.fixture
def machine(pipeline: Pipeline, server_folder: Path, web_sink: WebSink) -> Machine:
    if not (ROOT / ".venv").is_dir() or not Path(sys.executable).is_relative_to(ROOT / ".venv"):
        pytest.skip("no .venv that `make setup` has made: this Python is another one")
    password = server_folder / "password"
    password.write_text("trusted anyway\n")
    own = {"POSTGRES_PASSWORD_FILE": str(password), "DATA_REPO_TOKEN": "made-up-token"}
    more = {"PPR_ALERT_URLS": web_sink.url}
    given = {name: value for name, value in pipeline.variables.items() if "PASSWORD" not in name}
    return Machine(server_folder, given | own | more)


def test_what_the_guide_says_is_enough_for_a_first_dump_and_for_nights_of_cron(
    machine: Machine, pipeline: Pipeline, web_sink: WebSink
) -> None:
    cloned, needed, first = _blocks(SET_UP)
    asked_for = {line.split("=")[0] for line in needed.splitlines()}
    assert asked_for <= {line.split("=")[0] for line in machine.text.splitlines()}
    lines = cloned.replace("git clone <this project> && ", "")
    assert lines != cloned
    machine.types(lines, machine.folder)
    assert (machine.clone / ".env").stat().st_mode & 0o777 == 0o600
    told = machine.types(first, machine.clone)
    assert "everything that a dump needs is there" in told
    assert pipeline.latest() in told
    assert facts(told)["pushed"] == "yes"
    made = machine.types("make -n dev", machine.clone).splitlines()
    assert any(line.endswith(".venv/bin/ppr-assets dev") for line in made)

    (crontab,) = _blocks(CRON)
    crontab = crontab.replace("/srv/ppr_assets", str(machine.clone))
    night, look, drill = (line.split(maxsplit=5)[5] for line in crontab.splitlines())
    unchanged = machine.cron(night)
    assert (unchanged.returncode, unchanged.stderr) == (0, "")
    with (machine.clone / ".env").open("a") as file:
        file.write("SQL_DUMP_MIN_RECORDS=99999\n")
    refused = machine.cron(night)
    assert refused.returncode == 3
    assert "refused the dump" in refused.stderr
    assert [machine.cron(command).returncode for command in (look, drill)] == [0, 0]
    assert web_sink.said == ["begun gate refused: nightly_dump"]
    assert machine.runs() == [
        ("nightly_dump", "SUCCESS"),
        ("nightly_dump", "SUCCESS"),
        ("nightly_dump", "FAILURE"),
    ]
