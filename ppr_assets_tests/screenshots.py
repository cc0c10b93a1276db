"""Pictures of Dagster's UI as somebody finds it after ``make demo``, for README and docs.

``make screenshots`` runs this as a module. It makes a demo of its own, opens ``ppr-assets dev`` on
it, and has a headless Chromium look at the pages.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppr_assets_tests.fix_command_line import CommandLine, wait_until
from ppr_assets_tests.places import ROOT

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000
"""Of one picture: every clone has all of them, with what they were before."""
SIZE = "1400,880"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 120

AFTER_THE_DEMO = {
    "runs": "/locations/ppr_assets/jobs/nightly_dump/runs",
    "refused": "/assets/record_count?view=checks&checkDetail=ratchet",
    "not-evaluated": "/assets/sql_dump?view=checks",
}
"""Its last night is a refused one."""
AFTER_A_GOOD_NIGHT = {
    "asset-graph": "/asset-groups?expanded=global%40global%3Abackup%2Cglobal%40global%3Arestore",
}


def main() -> None:
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        sys.exit(
            "error: no Chromium on PATH, need one to take pictures: install it "
            "(Debian, Ubuntu: apt-get install chromium), then run make screenshots again"
        )
    with tempfile.TemporaryDirectory() as folder:
        program = CommandLine(Path(folder))
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / name, folder)
        _require(program, "demo")
        with _user_interface(program) as address:
            _take(browser, address, AFTER_THE_DEMO)
            for verb in (["dump"], ["drill"], ["restore", "--into", "look_at_it"]):
                _require(program, "--env-file", ".local/env", *verb)
            _take(browser, address, AFTER_A_GOOD_NIGHT)


def _require(program: CommandLine, *arguments: str) -> None:
    said = program.installed(*arguments)
    if said.code:
        sys.exit(f"error: ppr-assets {' '.join(arguments)} ended with {said.code}\n{said.err}")


@contextmanager
def _user_interface(program: CommandLine) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = program.start("dev", "--port", str(port))
    try:
        wait_until(lambda: process.poll() is not None or _loaded(address), seconds=_SECONDS)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=_SECONDS)


def _loaded(address: str) -> bool:
    """Whether the UI has the code location."""
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bool(json.load(answer)["data"]["repositoriesOrError"]["nodes"])
    except (OSError, KeyError):
        return False


def _take(browser: str, address: str, pages: dict[str, str]) -> None:
    own = ["--no-sandbox"] if os.geteuid() == 0 else []
    for name, page in pages.items():
        picture = IMAGES / f"{name}.png"
        with tempfile.TemporaryDirectory() as profile:
            argv = [
                *(browser, "--headless", "--disable-gpu", "--hide-scrollbars", *own),
                *(f"--user-data-dir={profile}", f"--window-size={SIZE}"),
                *("--virtual-time-budget=20000", f"--screenshot={picture}", address + page),
            ]
            subprocess.run(argv, check=True, capture_output=True, timeout=_SECONDS)
        taken = picture.stat().st_size
        if taken > MOST_BYTES:
            sys.exit(f"error: `{picture}` has {taken} bytes, must have at most {MOST_BYTES}")
        print(f"{picture.relative_to(ROOT)}: {taken} bytes")  # noqa: T201 - it is a program


if __name__ == "__main__":
    main()
