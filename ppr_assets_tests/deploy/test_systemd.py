"""The units for a machine without Dagster's daemon, as systemd reads them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ppr_assets.cli import VERBS
from ppr_assets.cli.watching.metrics import metrics
from ppr_assets_tests.places import ROOT

UNITS = ROOT / "deploy" / "systemd"


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no systemd-analyze")
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of somebody who has the project where the units look for it."""
    clone = tmp_path / "ppr_assets"
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / "docs").symlink_to(ROOT / "docs")
    program = clone / ".venv" / "bin" / "ppr-assets"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


def verified(analyze: str, home: Path, *units: Path) -> str:
    done = subprocess.run(
        [analyze, "verify", "--user", "--man=no", *units],
        env={"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_systemd_has_nothing_to_say_of_the_units(analyze: str, home: Path) -> None:
    for unit in UNITS.glob("*.timer"):
        shutil.copy(unit, home)
    for verb in ("dump", "look", "metrics"):
        shutil.copy(UNITS / "ppr-assets@.service", home / f"ppr-assets@{verb}.service")
    lasting = "ppr-assets@metrics.service.d"
    shutil.copytree(UNITS / lasting, home / lasting)
    units = [unit for unit in home.glob("ppr-assets*.*") if unit.is_file()]
    assert verified(analyze, home, *units) == ""


def test_the_endpoint_is_started_by_what_there_is() -> None:
    text = (UNITS / "ppr-assets@metrics.service.d" / "listen.conf").read_text()
    (command,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    program, _, call = command.partition(" ")
    assert program == "%h/ppr_assets/.venv/bin/ppr-assets"
    quiet, verb, *options = call.split()
    assert (quiet, verb) == ("--quiet", metrics.name)
    assert metrics.make_context(verb, options).params["listen"] == ("127.0.0.1", 9464)


def test_each_timer_starts_a_verb_that_there_is() -> None:
    started = [
        line.removeprefix("Unit=ppr-assets@").removesuffix(".service")
        for timer in UNITS.glob("*.timer")
        for line in timer.read_text().splitlines()
        if line.startswith("Unit=")
    ]
    assert sorted(started) == ["dump", "look"]
    assert set(started) <= set(VERBS)


def test_it_would_have_of_a_wrong_one(analyze: str, home: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "ppr-assets@dump.service"
    text = (UNITS / "ppr-assets@.service").read_text()
    wrong.write_text(text.replace("ProtectSystem=strict", "ProtectSystem=strictly"))
    assert "Failed to parse" in verified(analyze, home, wrong)


def test_a_night_can_reach_little(analyze: str, tmp_path: Path) -> None:
    unit = tmp_path / "ppr-assets@dump.service"
    shutil.copy(UNITS / "ppr-assets@.service", unit)
    limit = ["--threshold=20"]  # of 100; without hardening it is 96
    done = subprocess.run([analyze, "security", "--offline=true", *limit, unit], check=False)
    assert done.returncode == 0
