"""``ppr-assets dump`` as cron and a volunteer meet it: words, streams and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from ppr_assets_tests.fix_command_line import CommandLine, facts, wait_until
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import TELLS_ITS_VERSION, Pipeline
from ppr_assets_tests.fix_tools import FakeTool

REFUSED = (
    "record-count ratchet refused the dump: organization has 134 records, at least 180 needed "
    "(90% of mark 200)"
)
HINT = (
    'HINT: did the last scraper run finish? To publish it once: `ppr-assets dump --override "why"`,'
    " or a reason and your name in the Launchpad. While it is set, ALLOW_EMPTY_SQL_DUMP=true "
    "passes every refusal.\n"
)
ONLY_ORGANIZATIONS = {"SQL_DUMP_RATCHET_TABLES": "organization"}


def test_what_was_published_is_copied_and_a_place_that_fails_is_told(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    (copies := tmp_path / "copies").mkdir()
    gone = tmp_path / "not-mounted"
    ppr_assets.variables["PPR_COPY_URLS"] = f"{gone} {copies}"
    published = ppr_assets("dump")
    assert (published.code, published.err) == (
        1,
        "published, but not copied as it should be (1 of 2 places): there is no folder "
        f"`{gone}` for copies\n"
        "HINT: is its disk mounted? A folder that is to be new: `mkdir` makes it.\n",
    )
    lines = published.out.splitlines()
    assert f"copied     {gone}: nothing new, 0 kept, newest none, NOT VERIFIED" in lines
    (told,) = [line for line in lines if line.startswith(f"copied     {copies}: 1 new (")]
    assert told.endswith(f", 1 kept, newest {pipeline.latest()}, verified")
    assert pipeline.remote_head() == pipeline.head()
    listed = ppr_assets("list", "--from", str(copies))
    assert (listed.code, listed.err) == (0, "")
    assert re.search(rf"^{pipeline.latest()} .* 200 .* latest", listed.out, re.MULTILINE)
    verified = ppr_assets("verify", "--from", f"file://{copies}")
    assert (verified.code, verified.err) == (0, "")
    assert verified.out.startswith(f"{pipeline.latest()} ")
    missing = ppr_assets("restore", "--from", str(gone), "--into", "back")
    assert (missing.code, missing.error) == (1, f"there is no folder `{gone}` for copies")
    gone.mkdir()
    unrecorded = ppr_assets("dump", "--without-record")
    assert (unrecorded.code, unrecorded.err) == (0, "")
    assert f"copied     {copies}: nothing new, 1 kept" in unrecorded.out
    assert sorted(path.name for path in gone.iterdir()) == sorted(
        path.name for path in copies.iterdir()
    )


def test_a_dump_is_published_then_unchanged_then_refused_then_overridden(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    """One story in one test: each step stands on the one before, and a process costs seconds."""
    ppr_assets.variables |= ONLY_ORGANIZATIONS

    published = ppr_assets.installed("dump")
    assert (published.code, published.err) == (0, "")
    told = facts(published.out)
    assert list(told) == ["counted", "dumped", "proven", "withheld", "published", "run"]
    assert told["counted"].startswith("200 organizations, ")
    assert told["dumped"].startswith(f"{pipeline.latest()}, ")
    assert told["published"].startswith(f"commit {pipeline.head()[:10]}, which the remote has (")
    assert pipeline.remote_head() == pipeline.head()
    assert f"Run: {told['run']}" in git(pipeline.clone, "log", "-1", "--format=%B")
    before = pipeline.picture()

    unchanged = ppr_assets("dump")
    assert (unchanged.code, unchanged.err) == (0, "")
    assert facts(unchanged.out)["unchanged"].startswith(f"since {pipeline.latest()}: ")
    assert pipeline.picture() == before

    needless = ppr_assets("dump", "--override", "to be sure")
    needed = "not needed: the gate accepts it, and none is recorded"
    assert facts(needless.out)["override"] == needed

    pipeline.lose_a_third()
    refused = ppr_assets("dump")
    assert refused.code == 3
    assert refused.err == f"{REFUSED}\n{HINT}"
    assert facts(refused.out)["counted"].endswith("; the gate refused them")
    assert pipeline.picture() == before

    overridden = ppr_assets(
        "dump", "--override", "county [closed], ticket :214:", "--by", "Ann Lee"
    )
    assert (overridden.code, overridden.err) == (0, "")
    assert "is overridden: county [closed], ticket :214:" in overridden.out
    assert "Override: command line: county [closed], ticket :214:\nOverride-By: Ann Lee\n" in git(
        pipeline.clone, "log", "-1", "--format=%B"
    )
    assert pipeline.mark()["max_record_count"] == 200

    listed = json.loads(ppr_assets("list", "--json", FORCE_COLOR="1").out)
    assert [dump["override"] for dump in listed] == ["county [closed], ticket :214:", None]
    assert [dump["override_by"] for dump in listed] == ["Ann Lee", None]
    assert [dump["override_source"] for dump in listed] == ["command line", None]
    assert [dump["latest"] for dump in listed] == [True, False]
    assert [dump["rows"]["organization"] for dump in listed] == [134, 200]
    table = ppr_assets("list").out.splitlines()
    assert table[0].split() == ["dump", "size", "organizations", "records", "remarks"]
    assert table[1].startswith(f"{listed[0]['dump']}  ")
    assert table[1].endswith(
        "  latest, unproven: published without a restore, "
        "overridden by Ann Lee (command line): county [closed], ticket :214:, 1 column withheld"
    )
    assert len(table) == 3


def test_a_database_that_is_down_is_exit_code_5_and_names_it(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    before = pipeline.picture()
    down = ppr_assets("dump", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT="9")
    assert down.code == 5
    assert down.err.startswith("no session with pantry_pirate_radio@127.0.0.1:9/test_")
    assert "connection refused" in down.err.lower()
    assert down.err.count("\n") == 2
    assert "\nHINT: is the server up" in down.err
    assert pipeline.picture() == before


def test_dagsters_storage_that_is_down_is_exit_code_5_and_says_which_server(
    ppr_assets: CommandLine,
) -> None:
    url = "postgresql+psycopg2://dagster:hunter2@127.0.0.1:9/dagster"
    down = ppr_assets("dump", DAGSTER_POSTGRES_URL=url)
    assert down.code == 5
    assert down.err.startswith("no session with Dagster's storage: ")
    assert "hunter2" not in down.err
    assert down.out == ""


def test_a_data_repository_that_cannot_be_used_is_exit_code_6(
    ppr_assets: CommandLine, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "file").touch()
    broken = ppr_assets("dump", DATA_REPO_PATH=str(plain))
    assert broken.code == 6
    assert f"`{plain}`" in broken.error
    assert "\nHINT: " in broken.err
    assert "Traceback" not in broken.err


def test_a_push_that_is_rejected_is_exit_code_6_and_keeps_the_commit(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    hook = pipeline.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'closed for the night' >&2\nexit 1\n")
    hook.chmod(0o755)
    rejected = ppr_assets("dump")
    assert rejected.code == 6
    assert "closed for the night" in rejected.err
    assert "kept in the clone, not pushed" in facts(rejected.out)["committed"]
    assert pipeline.head() != pipeline.remote_head()


def test_a_second_dump_at_the_same_time_is_told_busy_with_exit_code_7(
    pipeline: Pipeline, ppr_assets: CommandLine, fake_tool: FakeTool, tmp_path: Path
) -> None:
    """And a Ctrl-C ends the first one with 130, without a child or a trace."""
    before = pipeline.picture()
    fake_tool("pg_dump", f"{TELLS_ITS_VERSION}\ntouch {tmp_path}/started\nsleep 600")
    first = ppr_assets.begin("dump")
    wait_until(lambda: (tmp_path / "started").exists())

    second = ppr_assets("dump")
    assert second.code == 7
    assert re.match(
        r"busy: session \d+ of \w+.* from this machine.* is dumping this database$", second.error
    )

    first.send_signal(signal.SIGINT)
    cancelled = ppr_assets.ended(first)
    assert cancelled.code == 130
    assert cancelled.out == ""
    assert cancelled.error == "the run was cancelled"
    assert pipeline.picture() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_service_managers_signal_ends_a_dump_like_ctrl_c(
    pipeline: Pipeline,
    ppr_assets: CommandLine,
    fake_tool: FakeTool,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    before = pipeline.picture()
    fake_tool("pg_dump", f"{TELLS_ITS_VERSION}\ntouch {tmp_path}/started\nsleep 600")
    run = ppr_assets.begin("dump")
    wait_until(lambda: (tmp_path / "started").exists())
    run.send_signal(number)
    ended = ppr_assets.ended(run)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert pipeline.picture() == before


@pytest.mark.parametrize(
    ("arguments", "variables", "error"),
    [
        (
            [],
            {"SQL_DUMP_RATCHET_PERCENTAGE": "90"},
            "SQL_DUMP_RATCHET_PERCENTAGE is `90`, must be a number above 0 and at most 1",
        ),
        ([], {"SQL_DUMP_CRON": "0 2 30 2 *"}, "has such a day, so it would never come"),
        ([], {"DAGSTER_HOME": "/nowhere"}, "DAGSTER_HOME is `/nowhere`, must be a folder"),
        (["--override", "  "], {}, "the reason is empty, must be a sentence"),
        (["--override", "why\x1b[2J"], {}, "must be a sentence of at most 500 characters"),
        (["--by", os.fsdecode(b"Zo\xeb")], {}, "must be a name on one line, of at most 100"),
        (["--force"], {}, "No such option '--force'"),
    ],
    ids=["variable", "schedule", "folder", "reason", "control", "not UTF-8", "option"],
)
def test_what_cannot_be_used_is_exit_code_2_before_anything_starts(
    ppr_assets: CommandLine, arguments: list[str], variables: dict[str, str], error: str
) -> None:
    said = ppr_assets("dump", *arguments, **variables)
    assert said.code == 2
    assert error in said.err
    assert said.out == ""
    assert "Traceback" not in said.err


def test_a_dagster_yaml_that_dagster_does_not_take_is_exit_code_2(
    ppr_assets: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "dagster.yaml").write_text("nonsense: 1\n")
    said = ppr_assets("dump", DAGSTER_HOME=str(tmp_path))
    assert said.code == 2
    assert said.error == (
        f"Dagster does not take `{tmp_path}/dagster.yaml`: "
        'Received unexpected config entry "nonsense" at the root.'
    )
