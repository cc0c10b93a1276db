"""The verbs that look: ``status``, ``doctor``, ``list``, ``ratchet``, and ``--help``."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ppr_assets.cli import cli
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline

EVERYTHING = [
    "settings",
    "password",
    "database",
    "sessions",
    "tables",
    "pg_dump",
    "proof",
    "data repository",
    "lock",
    "ratchet file",
    "page",
    "remote",
    "disk",
    "gate",
    "policy",
    "dagster",
]


def _verbs(group: click.Group, *words: str) -> list[list[str]]:
    found: list[list[str]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        found.append([*words, name])
        if isinstance(verb, click.Group):
            found += _verbs(verb, *words, name)
    return found


@pytest.mark.parametrize("words", [[], *_verbs(cli)], ids=" ".join)
def test_help_needs_no_usable_environment(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("this is no variable = 'unclosed\n")
    monkeypatch.setenv("POSTGRES_PORT", "zero")
    shown = CliRunner().invoke(cli, [*words, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")
    assert max(map(len, shown.output.splitlines())) <= 80


def test_the_program_says_what_it_is_for_and_its_version(tmp_path: Path) -> None:
    program = CommandLine(tmp_path, {"POSTGRES_PORT": "zero"})
    helped = program.installed("--help")
    assert (helped.code, helped.err) == (0, "")
    assert "Start with `ppr-assets doctor`" in helped.out
    assert "\x1b" not in helped.out
    wrong = program.installed("status")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.error == "POSTGRES_PORT is `zero`, must be a port from 1 to 65535"


def test_status_and_doctor_show_where_things_stand(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    before = pipeline.picture()

    shown = ppr_assets.installed("status")
    assert (shown.code, shown.err) == (0, "")
    told = facts(shown.out)
    assert told["organizations"] == "200"
    assert told["gate"] == "would accept"
    assert told["headroom"].startswith("organization +20, ")
    assert told["mark"] == "200"
    assert told["latest"] == pipeline.latest()
    assert told["head"] == pipeline.head()
    assert told["pushed"] == "yes"

    looked = ppr_assets.installed("doctor")
    assert (looked.code, looked.err) == (0, "")
    lines = looked.out.splitlines()
    assert [line[5:21].strip() for line in lines[:-1]] == EVERYTHING
    assert {line[:5] for line in lines[:-1]} == {"ok   "}
    assert lines[-1] == "everything that a dump needs is there"
    assert pipeline.picture() == before


def test_status_shows_what_it_knows_and_exits_with_the_first_error(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    shown = ppr_assets("status", "--json", POSTGRES_PORT="9", FORCE_COLOR="1")
    assert shown.code == 5
    told = json.loads(shown.out)
    assert told["counts"] is None
    assert told["mark"] == 200
    assert told["pushed"] is True
    assert told["errors"][0]["message"] == shown.error
    assert shown.error.startswith("no session with ")


def test_doctor_names_each_obstacle_and_exits_with_the_code_of_the_first(
    ppr_assets: CommandLine,
) -> None:
    (ppr_assets.folder / "file").touch()
    looked = ppr_assets("doctor", POSTGRES_PORT="9", DATA_REPO_PATH=str(ppr_assets.folder))
    assert looked.code == 5
    assert looked.err == ""
    broken = [line for line in looked.out.splitlines() if line.startswith("FIX  ")]
    assert broken[0].startswith("FIX  database         no session with ")
    assert broken[1].startswith("FIX  data repository  ")
    assert len(broken) == int(looked.out.splitlines()[-1].split()[0])
    assert looked.out.count("HINT: ") >= len(broken) - 1
    unusable = ppr_assets("doctor", SQL_DUMP_MIN_RECORDS="-1")
    assert unusable.code == 2
    assert unusable.out.startswith("FIX  settings         SQL_DUMP_MIN_RECORDS is `-1`, must be ")


def test_the_ratchet_is_shown_and_reset_on_purpose(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    empty = ppr_assets("list")
    assert (empty.code, empty.out, empty.beside) == (0, "", "no dump was published yet\n")

    pipeline.night()
    shown = ppr_assets.installed("ratchet", "show").out.splitlines()
    assert shown[0].split() == ["table", "mark", "needed"]
    assert shown[1].split() == ["organization", "200", "180"]
    assert shown[-1].startswith("set 20")

    by = ("--reason", "county closed, ticket 214", "--by", "Ann Lee")
    reset = ppr_assets("ratchet", "reset", "--to", "150", *by)
    assert (reset.code, reset.err) == (0, "")
    commit = pipeline.head()[:10]
    assert reset.out == f"mark 200 → 150 in commit {commit}, which the remote has\n"
    assert "county closed, ticket 214" in git(pipeline.clone, "log", "-1", "--format=%B")
    assert pipeline.mark()["max_record_count"] == 150
    assert pipeline.remote_head() == pipeline.head()
    mark = facts(ppr_assets("status").out)["mark"]
    assert mark == "150, by Ann Lee, ratchet reset: county closed, ticket 214"

    silent = ppr_assets("ratchet", "reset", "--to", "100", "--reason", " ")
    assert silent.code == 2
    assert "must be a sentence" in silent.err
    assert pipeline.mark()["max_record_count"] == 150
