"""``ppr-assets dev``: it starts everything by itself, and one Ctrl-C ends all of that."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ppr_assets_tests.cli.shared.test_json_document import documented_keys
from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine, wait_until
from ppr_assets_tests.places import ROOT

SECONDS_TO_START = 300
SECONDS_TO_END = 120
"""Of a busy machine. What does not heed a Ctrl-C runs for ever."""

QUESTION = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  location { name } jobs { name } sensors { name sensorState { status } }
  schedules { name scheduleState { status } } } } } }"""


@pytest.fixture
def port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def dev(
    server_folder: Path, port: int, git_environment: None
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts ``dev`` in a folder with dagster.yaml of a clone, without POSTGRES_HOST."""
    shutil.copy(ROOT / "dagster.yaml", server_folder)
    started: list[subprocess.Popen[bytes]] = []
    log = (server_folder / "log").open("wb")

    def start(*options: str, **variables: str) -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen(
                [str(PROGRAM), "dev", "--port", str(port), "--organizations", "150", *options],
                cwd=server_folder,
                env=CommandLine(server_folder).environment(variables),
                stdout=log,
                stderr=log,
            )
        )
        return started[-1]

    yield start
    log.close()
    for process in started:
        process.kill()
        process.wait()
    for left, _ in _living(server_folder):
        with suppress(psutil.NoSuchProcess):
            left.kill()


def test_the_terminal_stays_quiet_and_one_ctrl_c_ends_ui_daemon_and_postgresql(
    dev: Callable[..., subprocess.Popen[bytes]], server_folder: Path, port: int
) -> None:
    process = dev("--json", SQL_DUMP_MIN_RECORDS="99999")
    wait_until(lambda: _loaded(process, port), seconds=SECONDS_TO_START)
    (location,) = _loaded(process, port)
    assert location["location"] == {"name": "ppr_assets"}
    assert "nightly_dump" in [job["name"] for job in location["jobs"]]
    assert location["sensors"] == [
        {"name": "after_publishing", "sensorState": {"status": "RUNNING"}}
    ]
    assert location["schedules"] == [
        {"name": name, "scheduleState": {"status": "RUNNING"}}
        for name in ("hourly_look", "monthly_drill", "nightly", "weekly_restore")
    ]
    assert "postgres" in [name for _, name in _living(server_folder)]
    (code_server,) = _code_servers(server_folder)  # for the UI, the daemon and all runs

    log = server_folder / "log"
    wait_until(lambda: "}\n" in log.read_text(), seconds=SECONDS_TO_START)
    # The sensor has asked for a run by itself, which the floor refuses.
    wait_until(lambda: _runs(port) == ["FAILURE"], seconds=SECONDS_TO_START)
    assert _code_servers(server_folder) == [code_server]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=SECONDS_TO_END) == 0
    wait_until(lambda: not _living(server_folder), seconds=SECONDS_TO_END)
    first, *document, last = log.read_text().splitlines()
    assert first == (
        f"Dagster's UI is at http://127.0.0.1:{port}; "
        "Ctrl-C stops it and all that was started with it"
    )
    told = json.loads("\n".join(document))
    assert told.keys() == documented_keys()["dev"]
    assert told["url"] == f"http://127.0.0.1:{port}"
    assert last == "stopped"


def test_ctrl_c_while_the_pipeline_is_still_being_read_is_as_quiet(
    dev: Callable[[], subprocess.Popen[bytes]], server_folder: Path
) -> None:
    process = dev()
    wait_until(lambda: any(map(_imports, _code_servers(server_folder))), seconds=SECONDS_TO_START)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=SECONDS_TO_END) == 0
    wait_until(lambda: not _living(server_folder), seconds=SECONDS_TO_END)
    said = (server_folder / "log").read_text().splitlines()
    # The second is Dagster's, when both services make the tables of a new storage at once.
    usual = ("Dagster's UI is at", "Retrying failed database creation")
    assert [line for line in said if not any(one in line for one in usual)] == ["stopped"]


def test_a_ctrl_c_on_the_terminal_does_not_reach_make_which_would_fail_by_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "verb.py").write_text(
        "import contextlib, time\n"
        "from ppr_assets.cli.local.dev import foreground\n"
        "with contextlib.suppress(KeyboardInterrupt), foreground():\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "print('stopped')\n"
    )
    (tmp_path / "Makefile").write_text(f"dev:\n\t@exec {sys.executable} verb.py\n")
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execvp("make", ["make", "dev"])
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    with suppress(OSError):  # so a terminal ends, on Linux
        while more := os.read(terminal, 1000):
            said += more
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert (os.waitstatus_to_exitcode(status), b"stopped" in said) == (0, True)


def test_a_service_that_ends_by_itself_is_quoted_and_the_rest_is_stopped(
    dev: Callable[[], subprocess.Popen[bytes]], server_folder: Path
) -> None:
    with (server_folder / "dagster.yaml").open("a") as file:
        file.write("nonsense: 1\n")
    assert dev().wait(timeout=SECONDS_TO_START) == 1
    wait_until(lambda: not _living(server_folder), seconds=SECONDS_TO_END)
    said = (server_folder / "log").read_text()
    assert 'unexpected config entry "nonsense"' in said
    assert re.search(
        r"\ndagster-(webserver|daemon) ended by itself\n"
        r"HINT: its own output is above; the rest was stopped as well\.\n$",
        said,
    )


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        said = CommandLine(tmp_path)("dev", "--port", str(taken))
    assert (said.code, said.out) == (7, "")
    assert said.error == f"busy: another program listens on port {taken}"
    assert list(tmp_path.iterdir()) == []


def _loaded(process: subprocess.Popen[bytes], port: int) -> list[dict[str, Any]]:
    """The code locations that the UI has loaded; none while it does not answer."""
    assert process.poll() is None, "it ended by itself"
    nodes: list[dict[str, Any]] = _asked(port, QUESTION, "repositoriesOrError").get("nodes", [])
    return nodes


def _runs(port: int) -> list[str]:
    """How all runs stand."""
    found = _asked(port, "{ runsOrError { ... on Runs { results { status } } } }", "runsOrError")
    return [run["status"] for run in found.get("results", [])]


def _asked(port: int, query: str, answer: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as got:
            found: dict[str, Any] = json.load(got)["data"][answer]
    except (OSError, urllib.error.URLError):
        return {}
    return found


def _code_servers(folder: Path) -> list[psutil.Process]:
    """The processes that import the pipeline for the UI, the daemon and each run."""
    found = []
    for process, _ in _living(folder):
        with suppress(psutil.Error):
            if process.cmdline()[1:5] == ["-m", "dagster", "api", "grpc"]:
                found.append(process)
    return found


def _imports(process: psutil.Process) -> bool:
    """Whether it has begun to import Dagster, which takes more than a second."""
    with suppress(psutil.Error):
        return any("/pydantic_core/" in file.path for file in process.memory_maps())
    return False


def _living(folder: Path) -> list[tuple[psutil.Process, str]]:
    """Processes, with their names, whose working folder is, or is below, ``folder``; a zombie has
    none."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                found.append((process, process.name()))
    return found
