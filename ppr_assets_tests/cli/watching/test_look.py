"""``ppr-assets look``: what cron has instead of a daemon, where dumps are made and elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppr_assets.alerts.reporting import report
from ppr_assets.rules.incidents import NIGHTLY, succeeded
from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import Somebody
from ppr_assets_tests.fix_outside import TOKEN, Outside

pytestmark = pytest.mark.slow


@pytest.fixture
def line(outside: Outside, tmp_path: Path) -> CommandLine:
    """On the machine that dumps, after a good night of now."""
    outside.now = datetime.now(UTC)
    outside.night()
    variables = {
        "DATA_REPO_PATH": str(outside.clone),
        "DATA_REPO_URL": outside.settings.data_repo.url or "",
        "DATA_REPO_TOKEN": TOKEN,
        "PUBLISHER_PUSH_ENABLED": "true",
        "PPR_ALERT_URLS": outside.sink.url,
        "PPR_ALERT_DISK_FREE_PERCENT": "0",
        "SQL_DUMP_PROOF": "embedded",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    return CommandLine(tmp_path, variables)


def test_what_others_get_is_told_restored_and_for_programs(
    outside: Outside, line: CommandLine
) -> None:
    looked = line("look")
    assert (looked.code, looked.err) == (0, "")
    told = facts(looked.out)
    assert told["branch"] == f"{outside.remote.url}/remote.git#main, as a stranger"
    assert told["latest"].startswith(f"{dump_name(outside.now)}, ")
    restored = line("look", "--restore", "--json")
    found = json.loads(restored.out)
    assert (restored.code, found["restored"].partition(",")[0]) == (0, "embedded")
    subjects = ["unreachable", "wrong branch", "unreadable", "damaged", "stale", "does not restore"]
    assert [one["subject"] for one in found["findings"]] == subjects
    assert not any(one["error"] for one in found["findings"])
    line.variables |= {"POSTGRES_HOST": str(line.folder), "POSTGRES_PASSWORD": ""}
    no_server = line("look", "--restore", SQL_DUMP_PROOF="server")
    assert no_server.code == 5 and facts(no_server.out) == facts(line("look").out)
    assert outside.said == ["begun run failed: look", "over run failed: look"]


def test_cron_hears_between_two_nights_what_no_run_tells(
    outside: Outside, line: CommandLine, tmp_path: Path
) -> None:
    """No daemon runs: a dump is overdue, and a commit waits for a push that nobody makes."""
    report(outside.settings, succeeded(NIGHTLY, outside.now - timedelta(hours=40)))
    late = line("look", PPR_ALERT_MAX_AGE_HOURS="0.000001")
    assert late.code == 1 and "the last good nightly run ended at" in late.err
    assert "HINT: " in late.err
    assert outside.said == ["begun no new dump: nightly_dump"]
    assert line("look", PPR_ALERT_MAX_AGE_HOURS="0.000001").code == 1
    assert line("look").code == 0
    assert outside.said[1:] == ["over no new dump: nightly_dump"]

    theirs = Somebody(outside.clone)
    theirs.git("checkout", "-q", "-f", "main")
    theirs.commit("Dump", {"sql_dumps/note.txt": "not pushed"})
    waits = line("look", "--json", PPR_ALERT_UNDELIVERED_HOURS="0.000001")
    (waiting,) = json.loads(waits.out)["waiting"]
    assert waits.code == 1 and waiting["kind"] == "push undelivered"
    theirs.git("push", "-q", outside.bare.as_uri(), "main")
    theirs.git("update-ref", "refs/ppr_assets/remote/main", "main")
    assert line("look").code == 0
    assert outside.said[2:] == [
        f"{word} push undelivered: nightly_dump" for word in ("begun", "over")
    ]


def test_another_machine_needs_the_url_alone_and_tells_of_each_thing(
    outside: Outside, line: CommandLine, tmp_path: Path
) -> None:
    names = ("DATA_REPO_URL", "PPR_ALERT_URLS", "XDG_STATE_HOME")
    variables = {name: line.variables[name] for name in names}
    alone = CommandLine(tmp_path, {**variables, "DATA_REPO_PATH": str(tmp_path / "none")})
    assert alone("look").code == 0
    old = alone(
        "look", PPR_ALERT_MAX_AGE_HOURS="0.000001", PPR_COPY_URLS=str(tmp_path / "not-mounted")
    )
    assert old.code == 1
    assert "there is no folder" in old.err and "no good night since then is known here" in old.err
    assert outside.said == [
        "begun published copy: stale",
        f"begun published copy: {tmp_path / 'not-mounted'}",
    ]
    assert not (tmp_path / "none").exists()
    by_ssh = alone("look", DATA_REPO_URL="git@git.example.org:data.git")
    assert by_ssh.code == 2 and "DATA_REPO_PUBLIC_URL" in by_ssh.err
