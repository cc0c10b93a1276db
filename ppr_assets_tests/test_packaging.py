"""What a clone promises before any of its code runs: locks, targets, package, code location."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ppr_assets import __version__
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.places import ROOT

pytestmark = pytest.mark.slow

LOCKS = ("requirements.lock", "requirements-dev.lock")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _pins(lock: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package, by its normalized name."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    pins = {}
    for entry in text.replace("\\\n", " ").splitlines():
        name, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", entry).groups()  # type: ignore[union-attr]
        pins[_normal(name)] = (version, len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)))
    return pins


def _normal(requirement: str) -> str:
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_no_folder_and_no_option_but_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "/" not in text
    assert text.splitlines()[1] == "#    make lock"
    pins = re.sub(r"#.*", "", text)
    assert set(re.findall(r"(?<!\S)--?[a-z][\w-]*", pins)) == {"--hash"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_a_version_and_hashes(lock: str) -> None:
    pins = _pins(lock)
    assert len(pins) > 90
    assert [name for name, (_, hashes) in pins.items() if hashes == 0] == []


def test_direct_dependencies_are_locked() -> None:
    groups = PYPROJECT["dependency-groups"]
    direct = [_normal(item) for item in PYPROJECT["project"]["dependencies"]]
    build = [_normal(item) for item in groups["build"]]
    tools = [_normal(item) for item in groups["dev"] if isinstance(item, str)]
    assert sorted({*direct, *build} - _pins("requirements.lock").keys()) == []
    assert sorted({*direct, *build, *tools} - _pins("requirements-dev.lock").keys()) == []


def test_a_server_runs_the_versions_that_were_tested() -> None:
    tested = _pins("requirements-dev.lock")
    assert {
        name: pin for name, pin in _pins("requirements.lock").items() if tested.get(name) != pin
    } == {}


def test_the_dagster_set_is_pinned_as_one_release() -> None:
    pins = _pins("requirements.lock")
    of_dagster = {name: pin[0] for name, pin in pins.items() if name.startswith("dagster")}
    assert set(of_dagster.values()) == {"1.13.27", "0.29.27"}
    assert int(pins["sqlalchemy"][0].split(".")[1]) < 1


def test_make_alone_lists_every_target_with_one_line() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    phony = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert [line.split()[1] for line in said] == phony[1].split()
    assert all(len(line.split()) > 4 and len(line) <= 100 for line in said)


def test_the_wheel_carries_schema_and_type_marker_and_runs_where_it_is_installed(
    tmp_path: Path,
) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ppr_assets/py.typed" in names
    assert "ppr_assets/demo/sample/schema.sql" in names
    assert not [name for name in names if name.startswith(("ppr_assets_tests", "benchmarks"))]
    installed = tmp_path / "installed"
    options = ("--quiet", "--no-index", "--no-deps", "--no-compile")
    pip = [sys.executable, "-m", "pip", "install", *options]
    subprocess.run([*pip, "--target", str(installed), str(wheel)], check=True, capture_output=True)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed)}

    def said(*call: str) -> str:
        done = subprocess.run(call, cwd=tmp_path, env=environment, check=True, capture_output=True)
        return done.stdout.decode()

    assert said(sys.executable, "-c", "import ppr_assets; print(ppr_assets.__file__)").startswith(
        str(installed)
    )
    assert said(str(installed / "bin" / "ppr-assets"), "--version").split()[-1] == __version__


def test_both_ways_of_loading_name_the_same_code_location() -> None:
    project = PYPROJECT["tool"]["dg"]["project"]
    workspace = (ROOT / "workspace.yaml").read_text()
    assert f"module_name: {project['code_location_target_module']}\n" in workspace
    assert f"location_name: {project['code_location_name']} " in workspace


def test_a_release_is_of_a_commit_with_a_new_version_that_the_changelog_tells(
    tmp_path: Path,
) -> None:
    files = {
        ".ci/release": (ROOT / ".ci/release").read_text(),
        "ppr_assets/__init__.py": '__version__ = "7.0.1"\n',
        "CHANGELOG.md": "## [Unreleased]\n",
        ".gitignore": ".venv\n__pycache__\n",
    }
    git(tmp_path, "init", "-q", "-b", "main")
    commit_files(tmp_path, "Begin", {**files})
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)

    def refused() -> str:
        done = subprocess.run(
            ["bash", ".ci/release"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "\nHINT: " in done.stderr
        return done.stderr.splitlines()[0]

    assert refused() == 'error: CHANGELOG.md has no section "## [7.0.1] - YYYY-MM-DD"'
    (tmp_path / "CHANGELOG.md").write_text("## [7.0.1] - 2026-11-29\n")
    assert refused() == "error: the work tree has changes, a release is of a commit"
    git(tmp_path, "commit", "-q", "-a", "-m", "Tell")
    git(tmp_path, "tag", "v7.0.1")
    assert refused() == "error: the tag v7.0.1 is there already"
