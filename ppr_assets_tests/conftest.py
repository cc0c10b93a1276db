"""Loads the fixtures that a file asks for, marks the tests that need a server, and says on which
server and which git they run."""

from __future__ import annotations

import ast
import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and verbs would take it for a terminal's

# A shell starts `command &` with Ctrl-C switched off, `nohup` does it to SIGHUP, and every child
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

MEMORY = Path("/dev/shm")
ROOM_BYTES = 6 << 30
"""For the servers and repositories of six workers, three times over."""

# Thousands of databases and repositories are made and removed: in memory where there is room for
# them, and where nobody has said where temporary files go.
with suppress(OSError):
    if "TMPDIR" not in os.environ and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# What a user keeps between runs is not the tests' to read, nor to add to.
_STATE = tempfile.TemporaryDirectory(prefix="ppr_assets-test-state-")
os.environ["XDG_STATE_HOME"] = _STATE.name

# Reading 900 modules makes hardly any garbage, and looking for it took two fifths of the time; what
# was read stays, and is not looked through again while the tests run.
gc.disable()

# Each of many child processes would compile the project anew where nothing may be kept of that.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["ppr_assets_tests.left_out"]

FOLDER = Path(__file__).parent
_FROM_A_TEST = re.compile(r"^from ppr_assets_tests\.([\w.]*\btest_\w+) import", re.MULTILINE)
_FIXTURE = re.compile(r"^@pytest\.fixture\b.*\ndef (\w+)\(", re.MULTILINE)
HOMES = {
    name: path.stem
    for path in FOLDER.glob("fix_*.py")
    for name in _FIXTURE.findall(path.read_text(encoding="utf-8"))
} | {"hypothesis": "fix_hypothesis"}
"""Which ``fix_`` module each fixture is in. It is imported for the first file that asks for one of
its fixtures: a rule's test needs neither psycopg nor Dagster."""

pytest.register_assert_rewrite(*(f"ppr_assets_tests.{module}" for module in HOMES.values()))

SERVERS = {"embedded_server", "s3_server", "server_folder", "debian_server", "pooled"}
"""The fixtures that start a server, or that a server is started in."""

OWN_SERVERS = {"passable_folder", "debian_cluster"}
"""What a file imports whose own fixtures start one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign-minutes", type=float, help="see fix_campaign.py")
    parser.addoption("--campaign-seed", type=int, default=0)


def pytest_collectstart(collector: pytest.Collector) -> None:
    if isinstance(collector, pytest.Module):
        with suppress(SyntaxError):  # pytest tells of it, with its line
            _load_fixtures_for(collector.path, collector.config.pluginmanager)


def _load_fixtures_for(asking: Path, plugins: pytest.PytestPluginManager) -> None:
    text = asking.read_text(encoding="utf-8")
    for other in _FROM_A_TEST.findall(text):  # imported by this one, and so before its own turn
        _load_fixtures_for(FOLDER / f"{other.replace('.', '/')}.py", plugins)
    missing = {
        name: module
        for name, module in HOMES.items()
        if name in text and not plugins.has_plugin(f"ppr_assets_tests.{module}")
    }
    asked = set(map(_asked, ast.walk(ast.parse(text)))) if missing else set()
    for module in sorted({missing[name] for name in missing.keys() & asked}):
        if not plugins.has_plugin(f"ppr_assets_tests.{module}"):
            plugins.import_plugin(f"ppr_assets_tests.{module}")
            _load_fixtures_for(FOLDER / f"{module}.py", plugins)


def _asked(node: ast.AST) -> object:
    """A parameter's name, a string as in ``usefixtures("database")``, an imported module."""
    match node:
        case ast.arg(arg=name) | ast.Constant(value=name) | ast.ImportFrom(module=name):
            return name
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    minutes = config.getoption("--campaign-minutes") or 0
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if SERVERS & fixtures or OWN_SERVERS & vars(getattr(item, "module", item)).keys():
            item.add_marker("server")
        if "campaign" in fixtures:
            item.add_marker("campaign")
            item.add_marker(pytest.mark.timeout(minutes * 60 + 900))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # what tests make is seldom garbage in circles either
    gc.enable()


@pytest.fixture(autouse=True)
def _nothing_exported() -> Iterator[None]:
    """What a verb that ran in this process has set for Dagster is gone before the next test."""
    before = {name: os.environ.get(name) for name in ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL")}
    yield
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def pytest_report_header(config: pytest.Config) -> list[str]:
    from ppr_assets.postgres.embedded import EMBEDDED_BIN

    tools = ([str(EMBEDDED_BIN / "postgres"), "--version"], ["git", "--version"])
    minutes, seed = map(config.getoption, ("--campaign-minutes", "--campaign-seed"))
    campaign = [f"the same again: make campaign SEED={seed} MINUTES={minutes:g}"] if minutes else []
    return campaign + [
        subprocess.run(tool, capture_output=True, text=True, check=True).stdout.strip()
        for tool in tools
    ]
