"""Job ``replay``, run whole: the days that are read, where their records go, what is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from ppr_assets.definitions import build_defs
from ppr_assets.operations.replaying.gathered import gathered
from ppr_assets.operations.replaying.read_files import read_files
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_runs import Runs, checks_of, failure_of, steps_of
from ppr_assets_tests.operations.replaying.test_replay import emptied, named, publish
from ppr_assets_tests.orchestration.test_restore import World, rows, world

__all__ = ["world"]

BEFORE, FIRST, LAST = "2025-08-06", "2025-08-07", "2025-08-09"


@pytest.fixture
def published(world: World) -> World:
    """Each of three days has pantries of its own; the last day has a file that is none. Another
    file was published where no day is told; it is read with any."""
    clone = world.pipeline.clone
    for day, numbers in (("2025-08-07", range(2)), ("2025-08-08", range(3)), (LAST, range(4))):
        for number in numbers:
            place = 20.0 + int(day[-1]) * 5 + number
            where = {"name": f"Hall {place}", "latitude": place, "longitude": -90.0}
            publish(clone, day, "care", number, named(f"Pantry {place}", locations=[where]))
    (clone / "daily" / LAST / "scrapers" / "care" / "cut.json").write_text('{"job_id": ')
    git(clone, "add", "daily")
    git(clone, "commit", "-q", "-m", "Publish records")
    git(clone, "push", "-q", "origin", "main")
    return world


class Replays:
    """Runs the job over a range of days, as its backfill does."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def __call__(self, first: str, last: str, **config: Any) -> dg.ExecuteInProcessResult:
        job = build_defs(settings=self.runs.pipeline.settings).resolve_job_def("replay")
        return job.execute_in_process(
            instance=self.runs.instance,
            run_config={"ops": {"replayed_database": {"config": config}}},
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            },
            raise_on_error=False,
        )

    def read(self, day: str) -> dict[str, object]:
        """What was told of a published day."""
        found = self.runs.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey("published_day"), asset_partitions=[day]),
            limit=1,
        )
        event = found.records[0].asset_materialization
        assert event is not None
        return {name: value.value for name, value in event.metadata.items()}

    def files_of(self, day: str) -> object:
        """How many the last replay has read of it."""
        key = dg.AssetKey("replayed_database")
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day])
        (record,) = self.runs.instance.fetch_materializations(wanted, limit=1).records
        event = record.asset_materialization
        assert event is not None
        return event.metadata["day/files"].value


def _severity(run: dg.ExecuteInProcessResult) -> str:
    held = next(e for e in run.get_asset_check_evaluations() if e.check_name == "gate_held")
    return held.severity.value


@pytest.fixture
def replays(runs: Runs, published: World) -> Replays:
    return Replays(runs)


def test_one_run_replays_a_range_of_days_into_a_database_of_its_own(
    replays: Replays, published: World
) -> None:
    identity, picture = published.identity(), published.pipeline.picture()
    run = replays(FIRST, "2025-08-08")
    assert run.success
    assert steps_of(run) == ["replayed_database"]
    assert published.beside() == ["_replayed"]
    assert rows(published.called("_replayed"), "organization") == 5
    assert checks_of(run) == {"accounted_for": True, "gate_held": False}
    assert _severity(run) == "WARN"
    assert (published.identity(), published.pipeline.picture()) == (identity, picture)

    facts = replays.runs.metadata("replayed_database")
    assert facts["database"] == f"{published.name}_replayed"
    assert (facts["files"], facts["loaded"], facts["rejected"]) == (6, 5, 1)
    assert (facts["dagster/row_count"], facts["rows/location"]) == (5, 5)
    assert replays.read("2025-08-08") == {"files": 3, "loaded": 3, "empty": 0, "rejected": 0}

    assert replays(LAST, LAST).success
    assert rows(published.called("_replayed"), "organization") == 4
    former = replays.runs.metadata("replayed_database")["former_database"]
    assert rows(published.called(former.removeprefix(published.name)), "organization") == 5
    assert replays.read(LAST) == {"files": 5, "loaded": 4, "empty": 0, "rejected": 1}


def test_a_few_days_may_follow_many_in_the_separate_database(
    replays: Replays, published: World
) -> None:
    """More organizations than the floor, of which an eighth is left."""
    for number in range(120):
        where = {"name": f"Hall {number}", "latitude": 20.0 + number / 2, "longitude": -80.0}
        told = named(f"Kitchen {number}", locations=[where])
        publish(published.pipeline.clone, "2025-08-08", "many", number, told)
    git(published.pipeline.clone, "add", "daily")
    git(published.pipeline.clone, "commit", "-q", "-m", "Publish more")
    assert replays(FIRST, LAST).success
    assert replays(FIRST, FIRST).success
    assert rows(published.called("_replayed"), "organization") == 2


def test_a_mark_that_cannot_be_read_ends_the_run_before_anything_is_made(
    replays: Replays, published: World
) -> None:
    (published.pipeline.dumps / ".record_count_ratchet").write_text("{}")
    failed = failure_of(replays(FIRST, LAST, target=published.name, replace=True, override="Why"))
    assert failed["error"] == "RatchetFileError"
    assert published.beside() == []


def test_a_database_that_holds_records_is_replaced_only_when_the_run_says_so_and_enough_are_left(
    replays: Replays, published: World
) -> None:
    identity = published.identity()
    for config, needed in (({}, "has records"), ({"replace": True}, "")):
        run = replays(FIRST, LAST, target=published.name, **config)
        failed = failure_of(run)
        assert (failed["error"], failed["exit_code"]) == ("GateRefused", 3)
        assert needed in failed["text"]
        assert checks_of(run) == {"gate_held": False}
        assert (published.identity(), published.beside()) == (identity, [])
    taken = {
        "target": published.name,
        "replace": True,
        "override": "The dumps are lost.",
        "by": "Ann Lee",
    }
    run = replays(FIRST, LAST, **taken)
    assert run.success
    assert published.identity() != identity
    assert rows(published.called(""), "organization") == 9
    assert len(published.beside()) == 1
    tags = replays.runs.instance.get_run_by_id(run.run_id)
    assert tags is not None
    assert tags.tags["ppr_assets/override"] == "Launchpad: The dumps are lost."
    assert _severity(run) == "WARN"

    emptied(published.pipeline.settings.database)
    run = replays(BEFORE, LAST, target=published.name)
    assert run.success
    assert checks_of(run) == {"accounted_for": True, "gate_held": False}
    assert _severity(run) == "ERROR"
    assert [replays.files_of(day) for day in (BEFORE, FIRST, LAST)] == [0, 2, 5]


def test_a_file_of_which_nobody_can_say_what_became_fails_the_check_and_loads_nothing(
    replays: Replays, published: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[..., Any] = read_files

    def one_less(*given: Any) -> Iterator[Any]:
        found = whole(*given)
        next(found)
        yield from found

    monkeypatch.setattr(f"{gathered.__module__}.read_files", one_less)
    run = replays(FIRST, LAST)
    failed = failure_of(run)
    assert (failed["error"], failed["exit_code"]) == ("FilesUnaccounted", 1)
    assert "10 of 11 files are accounted for" in failed["text"]
    assert checks_of(run) == {"accounted_for": False}
    assert published.beside() == []


def test_without_days_the_last_ones_of_each_scraper_are_replayed(
    replays: Replays, published: World
) -> None:
    pipeline = published.pipeline
    pipeline.settings = replace(pipeline.settings, db_init_days_to_sync=2)
    run = replays.runs.job("replay")
    assert run.success
    assert rows(published.called("_replayed"), "organization") == 7
