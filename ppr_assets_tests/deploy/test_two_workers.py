"""Two machines that start the same night at the same moment, as pods of a cluster may: nothing in
common but the database, Dagster's storage and the remote.

Each worker is a process of the installed program in namespaces of its own, whose home, clone and
scratch space are file systems in memory that nobody else sees, and that are gone when it ends.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine, Said
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name
from ppr_assets_tests.places import ROOT

NIGHT = """
mkdir "$HOME/dagster" "$TMPDIR" && cp "$1" "$HOME/dagster/dagster.yaml"
cd "$HOME" && exec "$2" dump
"""
SLOW_FORGE = """#!/bin/sh
cat >/dev/null
sleep 1
"""
"""So that the second one pushes too before it can see what the first has pushed."""
DONE, BUSY = 0, 7


@dataclass(frozen=True)
class Machine:
    """``folder`` is empty on it, and its own; of the others it sees the remote alone."""

    name: str
    folder: Path
    remote: Path
    variables: Mapping[str, str]

    def night(self) -> subprocess.Popen[str]:
        own = {"HOME": f"{self.folder}", "TMPDIR": f"{self.folder}/tmp"}
        own |= {"DAGSTER_HOME": f"{self.folder}/dagster"}
        own |= {"DATA_REPO_PATH": f"{self.folder}/data-repo"}
        return subprocess.Popen(
            [
                "bwrap",
                *("--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"),
                *("--tmpfs", str(self.folder), "--bind", str(self.remote), str(self.remote)),
                *("--unshare-pid", "--unshare-uts", "--hostname", self.name, "--die-with-parent"),
                *("sh", "-euc", NIGHT, "sh", str(ROOT / "dagster.yaml"), str(PROGRAM)),
            ],
            env=dict(self.variables) | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def machines(ppr_assets: CommandLine, pipeline: Pipeline, tmp_path: Path) -> list[Machine]:
    """With clones and homes at the same paths, where there is nothing on this machine."""
    if shutil.which("bwrap") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no bwrap")
    hook = pipeline.remote / "hooks" / "pre-receive"
    hook.write_text(SLOW_FORGE)
    hook.chmod(0o755)
    folder = tmp_path / "machine"
    folder.mkdir()
    keep = {"SQL_DUMP_KEEP_LAST": "all"}  # so that each night that publishes leaves one more
    variables = ppr_assets.environment(keep)
    return [Machine(name, folder, pipeline.remote, variables) for name in ("one", "other")]


def dumps(pipeline: Pipeline) -> set[str]:
    """That the remote's branch has."""
    names = git(pipeline.remote, "ls-tree", "--name-only", "main", "sql_dumps/").splitlines()
    found = {Path(name).name for name in names if name.endswith(".sql")}
    return {name for name in found if name.startswith("pantry_pirate_radio_")}


def test_two_machines_at_once_publish_each_night_once(
    machines: list[Machine], pipeline: Pipeline, ppr_assets: CommandLine, campaign: Campaign
) -> None:
    before = dumps(pipeline)
    for _ in campaign.rounds(share=1):
        pipeline.change()
        said = _both(machines)
        new = dumps(pipeline) - before
        told = "\n".join(f"{one.code}: {one.out}{one.err}" for one in said)
        assert len(new) == 1, told
        assert DONE in {one.code for one in said} <= {DONE, BUSY}, told
        commits = re.findall(r"^(?:published|stands in) +commit (\w+)", told, re.MULTILINE)
        assert len(set(commits)) == 1, told
        assert list(machines[0].folder.iterdir()) == []
        before |= new
        wait_for_a_later_name(max(before))
    audited = ppr_assets("audit", "--all", DATA_REPO_PATH=str(pipeline.clone_again("looked-at")))
    assert audited.code == DONE, audited.out + audited.err
    assert all(name in audited.out for name in before), audited.out


def _both(machines: list[Machine]) -> list[Said]:
    nights = [machine.night() for machine in machines]
    try:
        ended = [night.communicate(timeout=300) for night in nights]
    finally:
        for night in nights:
            night.kill()
    return [Said(night.returncode, *told) for night, told in zip(nights, ended, strict=True)]
