"""How the last night ended is known without Dagster, whoever has run it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import asdict

from ppr_assets.alerts.state import state_file
from ppr_assets.errors import Busy, DumpFailed
from ppr_assets.operations.last_night import LastNight, last_night, noted, was_killed
from ppr_assets.operations.night import Night, run_unrecorded
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_runs import Runs
from ppr_assets_tests.fix_sinks import without_services


def _known(pipeline: Pipeline) -> LastNight:
    found = last_night(pipeline.settings.data_repo)
    assert found is not None
    return found


def test_runs_of_dagster_and_runs_without_it_leave_how_they_ended(runs: Runs) -> None:
    pipeline = runs.pipeline
    assert last_night(pipeline.settings.data_repo) is None
    assert runs.nightly().success
    first = _known(pipeline)
    assert (first.outcome, first.exit_code, first.good_at) == ("published", 0, first.ended_at)
    assert first.dump == pipeline.latest()

    for part in ("record_count", "off_site_copy"):
        runs.nightly(part)
        assert _known(pipeline) == first

    assert run_unrecorded(pipeline.settings).failure is None
    second = _known(pipeline)
    assert (second.outcome, second.dump, second.run_id[:10]) == (
        "unchanged",
        first.dump,
        "unrecorded",
    )
    assert second.good_at is not None and first.good_at is not None
    assert second.good_at > first.good_at

    pipeline.lose_a_third()
    assert not runs.nightly().success
    third = _known(pipeline)
    assert (third.outcome, third.exit_code, third.good_at) == ("failed", 3, second.good_at)
    assert third.error.startswith("record-count ratchet refused the dump: ")


def test_one_that_is_killed_has_begun_and_not_ended_and_one_that_met_another_leaves_no_trace(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings.data_repo
    with noted(settings, Night("met another")) as night:
        night.failure = Busy("busy: another run is at work")
    assert last_night(settings) is None
    block = noted(settings, Night("killed"))
    block.__enter__()
    with noted(settings, Night("busy")) as night:
        night.failure = Busy("busy: another run is at work")
    found = _known(pipeline)
    assert (found.run_id, found.outcome, found.ended_at) == ("killed", None, None)


def test_a_night_that_a_clock_has_dated_in_the_future_says_of_no_later_day_that_it_was_good(
    tmp_path: Path,
) -> None:
    settings = without_services(tmp_path).data_repo
    ahead = datetime.now(UTC) + timedelta(days=400)
    for good, known in ((ahead, None), (ahead - timedelta(days=401), True)):
        noted_then = LastNight("run", good, good, "unchanged", 0, "", good, "dump")
        file = state_file(settings).with_name("last_night.json")
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(asdict(noted_then), default=datetime.isoformat))
        found = last_night(settings)
        assert found is not None and found.good_at == (known and good)


def test_an_error_that_names_a_path_of_any_bytes_is_known_whole(tmp_path: Path) -> None:
    settings = without_services(tmp_path).data_repo
    with noted(settings, Night("run")) as night:
        night.failure = DumpFailed("could not write to `/srv/d\udcff`")
    found = last_night(settings)
    assert found is not None and found.error == "could not write to `/srv/d\udcff`"


def test_what_cannot_be_noted_ends_no_night(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline.first_night()
    state = pipeline.clone / ".git" / "ppr_assets" / "last_night.json"
    state.unlink(missing_ok=True)
    state.mkdir()
    with noted(pipeline.settings.data_repo, Night("run")):
        pass
    assert "could not be noted" in caplog.text


def test_a_night_whose_end_cannot_be_noted_is_not_taken_for_killed(tmp_path: Path) -> None:
    """A full disk, say: the lock is let go of, so no note may say that it is still at work."""
    settings = without_services(tmp_path).data_repo
    with noted(settings, Night("run")):
        found = last_night(settings)
        state_file(settings).with_name("last_night.run").mkdir()  # what is written first
    assert found is not None and found.run_id == "run"
    assert last_night(settings) is None
    assert not was_killed(settings, found)
