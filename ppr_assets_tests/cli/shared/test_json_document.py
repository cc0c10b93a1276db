"""``--json``: one document on stdout, whatever comes of the verb, with the keys of its guide."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ppr_assets.cli import cli
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.places import ROOT

NEEDED = {
    "history": "organization 1",
    "export": "sqlite",
    "policy add": "change_log structure --reason x",
    "policy allow": "service.url 'URL with a password' --reason x",
    "policy baseline": "--reason x",
    "ratchet reset": "--to 150 --reason 'county closed'",
    "rebuild": "--from rclone:x:y",
}
"""Arguments without which a verb does nothing."""

LOOKS = [
    "list",
    "list --history",
    "status",
    "verify",
    "audit",
    "diff --database",
    "doctor",
    "drill",
    "restore --into beside",
    "restore --table organization",
    "prune --dry-run",
    "replay --dry-run",
    "init",
    "ratchet show",
    "ratchet reset --to 190 --reason 'county closed'",
    "policy show",
    "policy show organization",
    "policy check",
    "policy baseline --reason looked",
    "policy review",
    "alert list",
    "metrics",
    "page",
    "page --out pages",
    "dump",
]
"""In an order in which each has something to tell."""


def _verbs(group: click.Group, *words: str) -> list[str]:
    found: list[str] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        if isinstance(verb, click.Group):
            found += _verbs(verb, *words, name)
        else:
            found.append(" ".join([*words, name]))
    return found


VERBS = _verbs(cli)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "demo"])  # it reads no setting
def test_what_fails_before_it_has_found_anything_says_so_as_json(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTGRES_PORT", "zero")
    call = [*verb.split(), *shlex.split(NEEDED.get(verb, "")), "--json"]
    ended = CliRunner().invoke(cli, call)
    told = json.loads(ended.stdout)
    error = told[0]["error"] if verb == "doctor" else told["error"]
    assert error["message"] == "POSTGRES_PORT is `zero`, must be a port from 1 to 65535"
    assert error["exit_code"] == 2


def documented_keys() -> dict[str, set[str]]:
    """By verb: the keys of its document, of each element where it is an array."""
    text = (ROOT / "docs" / "for-programs.md").read_text(encoding="utf-8")
    table = text.partition("## Documents")[2].partition("\n## ")[0]
    status = text.partition("## Status")[2].partition("\n### ")[0]
    first_cells = "".join(re.findall(r"^\| (`.*?) \|", status, re.MULTILINE))
    rows = re.findall(r"^\| `([a-z ]+)` \| (?:object|array) \| (.+) \|$", table, re.MULTILINE)
    rows.append(("status", first_cells))
    return {verb: set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", keys))) for verb, keys in rows}


def _keys(document: object) -> set[str]:
    if isinstance(document, list):
        return {key for one in document for key in one}
    assert isinstance(document, dict)
    return set(document)


@pytest.fixture
def role_may_create(pipeline: Pipeline) -> Iterator[None]:
    role = pipeline.settings.database.user
    pipeline.administer(f"ALTER ROLE {role} CREATEDB")
    yield
    pipeline.administer(f"ALTER ROLE {role} NOCREATEDB")


def test_each_verb_prints_one_document_with_the_keys_of_the_guide(
    pipeline: Pipeline, ppr_assets: CommandLine, role_may_create: None
) -> None:
    pipeline.execute("UPDATE organization SET description = 'ann@aol.com'")
    pipeline.night()
    documented = documented_keys()
    assert documented.keys() == set(VERBS)
    seen: dict[str, set[str]] = {}
    for call in LOOKS:
        ended = ppr_assets(*shlex.split(call), "--json", FORCE_COLOR="1")
        assert ended.code == 0, (call, ended)
        verb = max((one for one in VERBS if f"{call} ".startswith(f"{one} ")), key=len)
        seen.setdefault(verb, set()).update(_keys(json.loads(ended.out)))
    assert seen == {verb: documented[verb] for verb in seen}


def test_a_refused_dump_tells_what_it_has_counted(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    pipeline.lose_a_third()
    ended = ppr_assets("dump", "--json")
    assert ended.code == 3
    told = json.loads(ended.out)
    assert (told["counted"]["gate"], told["dumped"]) == ("refused", None)
    assert told["error"]["message"] == ended.error
