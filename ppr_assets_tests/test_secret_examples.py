"""Examples do as it should be done: a file with a secret is its owner's alone, and no secret is an
argument, which everybody on the machine can read, or in the shell's history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ppr_assets_tests.places import ROOT

SECRET = r"[A-Z_]*(?:TOKEN|PASSWORD|SECRET|ACCESS_KEY|PPR_ALERT_URLS|PPR_HEARTBEAT_URL)"
WRONG = {
    "a .env that others may read": re.compile(
        r"(?:\bcp|\bmv|\bcat)\b[^|;&`]*\.env\b|(?:>|\btee)\s*\S*\.env\b"
    ),
    "a secret before a command": re.compile(rf"\b{SECRET}=[^\s`\"']+ +\S"),
    "a secret in the shell's history": re.compile(rf"(?:export|setx?|-e|--env|\benv) {SECRET}=\S"),
    "a secret as an argument": re.compile(r"--(?:token|password|secret)[= ]\S|-u \S+:\S"),
    "a secret in a URL of a command": re.compile(
        r"^\s*(?:\$ )?(?:git|curl|psql|ppr-assets|\S*/ppr-assets)\b.*://[^/\s@]*:[^/\s@]+@"
    ),
}


def _documents() -> Iterator[Path]:
    yield from (ROOT / "README.md", ROOT / ".env.example", ROOT / "Makefile", ROOT / "CHANGELOG.md")
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file())
    yield from sorted((ROOT / "ppr_assets").rglob("*.py"))


def _wrong(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in WRONG.items():
            if pattern.search(line):
                yield f"{number}: {what}: {line.strip()}"


def test_no_example_gives_a_secret_away() -> None:
    found = []
    for path in _documents():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}:{one}" for one in _wrong(text)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    "line",
    [
        "cp .env.example .env",
        "cat example > .env",
        "DATA_REPO_TOKEN=ghp_x ppr-assets dump",
        "export POSTGRES_PASSWORD=x",
        "podman run -e DATA_REPO_TOKEN=x image",
        "ppr-assets dump --token x",
        "git clone https://me:ghp_x@example.org/data.git",
    ],
)
def test_an_example_that_does_is_seen(line: str) -> None:
    assert list(_wrong(line))


@pytest.mark.parametrize(
    "line",
    ["install -m 600 .env.example .env", "DATA_REPO_TOKEN=…", "POSTGRES_PASSWORD_FILE=/run/x dump"],
)
def test_an_example_that_does_not_is_left(line: str) -> None:
    assert not list(_wrong(line))
