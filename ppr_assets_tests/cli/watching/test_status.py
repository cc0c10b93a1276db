"""``ppr-assets status``: one screen with the state first, and one line for monitors."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from msgspec.structs import asdict

from ppr_assets.operations.last_night import last_night, noted
from ppr_assets.operations.night import Night
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_pipeline import Pipeline


def _night(pipeline: Pipeline) -> None:
    """A night that is noted, as Dagster's are and those of the command line."""
    with noted(pipeline.settings.data_repo, Night("run")) as night:
        _, night.published = pipeline.night()


def test_a_usual_day_is_one_screen_with_the_state_first(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.repo(push_enabled=True)
    _night(pipeline)
    shown = ppr_assets("status")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == "state          ok"
    assert len(lines) <= 24
    wide = [line for line in lines if len(line) > 80 and not line.startswith("database ")]
    assert wide == []  # but for the folder of this socket
    told = facts(shown.out)
    labels = ["database", "gate", "mark", "latest", "pushed", "last", "next", "retention", "disk"]
    assert [label for label in labels if label not in told] == []
    assert "published, in " in shown.out
    assert ppr_assets("status", "--check", "--max-age", "26h").out == "ok\n"


def test_what_is_wrong_is_the_state_and_the_code_of_a_monitor(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    nothing = ppr_assets("status", "--check")
    assert (nothing.code, nothing.out) == (1, "warning: no dump was published yet\n")
    unknown = ppr_assets("status", "--check", SQL_DUMP_MIN_RECORDS="-1")
    assert (unknown.code, unknown.out[:8], unknown.err) == (3, "unknown:", "")

    _night(pipeline)
    old = ppr_assets("status", "--check", PPR_ALERT_MAX_AGE_HOURS="0.000001")
    assert old.code == 2
    assert old.out.startswith("error: the last good night was ")

    pipeline.lose_a_third()
    refused = ppr_assets("status", "--check")
    assert refused.code == 1
    assert refused.out.startswith("warning: the gate would refuse a dump now: record-count ratchet")
    assert ppr_assets("dump").code == 3
    failed = ppr_assets("status", "--check")
    assert failed.code == 2
    assert failed.out.startswith("error: the last run failed: record-count ratchet refused")
    shown = ppr_assets("status", COLUMNS="80").out.splitlines()
    assert shown[0].startswith("state          error: the last run failed: ")
    assert f"{'':15}the gate would refuse a dump now too" in shown
    assert any(
        re.fullmatch(r"last run  .+, failed, in .+, exit code 3: see the state", one)
        for one in shown
    )
    assert len(shown) <= 30, "one screen"
    told = json.loads(ppr_assets("status", "--json").out)
    assert (told["state"], told["last_run"]["exit_code"]) == ("error", 3)
    assert ppr_assets("status").code == 0
    unreachable = ppr_assets("status", "--check", "--json", POSTGRES_PORT="9")
    assert (unreachable.code, json.loads(unreachable.out)["state"]) == (2, "error")


def test_an_age_is_that_of_the_last_good_night_and_told_where_only_the_dump_is_known(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    none = ppr_assets("status", "--max-age", "26h")
    assert (none.code, none.error) == (1, "no good night is known here")
    pipeline.night()
    told = ppr_assets("status", "--max-age", "26h")
    assert told.code == 0
    assert "whether later nights found the same is not known here" in told.out
    (pipeline.clone / ".git" / "ppr_assets" / "last_night.json").write_text("{")
    assert json.loads(ppr_assets("status", "--json").out)["nights_known"] is False
    wrong = ppr_assets("status", "--max-age", "26")
    assert (wrong.code, "must be such as 26h" in wrong.err) == (2, True)


def test_a_night_that_was_killed_is_an_error_and_one_at_work_is_none(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    _night(pipeline)
    with noted(pipeline.settings.data_repo, Night("at work")):
        begun = last_night(pipeline.settings.data_repo)
        assert ppr_assets("status", "--check").code == 0
        assert re.search(r"(?m)^last run  .* UTC, at work$", ppr_assets("status").out)
    file = pipeline.clone / ".git" / "ppr_assets" / "last_night.json"
    assert begun is not None
    file.write_text(json.dumps(asdict(begun), default=str))
    killed = ppr_assets("status", "--check")
    assert (killed.code, killed.out[:30]) == (2, "error: the last run was killed")
    assert re.search(r"(?m)^last run  .* UTC, killed$", ppr_assets("status").out)
    looked = ppr_assets("look", PPR_ALERT_DISK_FREE_PERCENT="0")
    assert looked.code == 1
    assert (
        f"the nightly run that began {begun.began_at:%Y-%m-%d %H:%M} UTC was killed" in looked.err
    )
    ppr_assets("dump", PUBLISHER_PUSH_ENABLED="false")
    assert "was killed" not in ppr_assets("look", PPR_ALERT_DISK_FREE_PERCENT="0").err


def test_a_night_whose_lock_cannot_be_looked_at_is_at_work_or_killed(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    _night(pipeline)
    with noted(pipeline.settings.data_repo, Night("at work")):
        lock = pipeline.clone / ".git" / "ppr_assets" / "last_night.lock"
        lock.unlink()
        assert re.search(r"(?m)^last run  .* UTC, at work or killed$", ppr_assets("status").out)
        lock.mkdir()  # what cannot be opened for writing, for root as well
        told = ppr_assets("status").out
        assert re.search(r"(?m)^last run  .* UTC, at work or killed$", told)
        assert "the last run was killed" not in told


def test_what_is_known_of_who_starts_the_next_run_and_of_who_is_told(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    told = facts(ppr_assets("status").out)
    assert told["alerts"] == "nobody hears of incidents: PPR_ALERT_URLS is not set"
    assert "whether anything starts it is not known" in ppr_assets("status").out
    _night(pipeline)
    assert "none has begun since" not in ppr_assets("status").out
    file = pipeline.clone / ".git" / "ppr_assets" / "last_night.json"
    noted_ = json.loads(file.read_text())
    noted_["began_at"] = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    file.write_text(json.dumps(noted_))
    assert re.search(r"none has begun since the one of 20\d\d-.* was due", ppr_assets("status").out)
