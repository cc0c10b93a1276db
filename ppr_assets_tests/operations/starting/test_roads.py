"""By which road an empty database is filled, and what is said of the better ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ppr_assets.errors import Busy, DumpDamaged, RestoreFailed
from ppr_assets.operations.starting.init import initialise
from ppr_assets.operations.starting.roads import InitTerms
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MakeTarget, Target
from ppr_assets_tests.operations.replaying.test_replay import emptied, named, publish
from ppr_assets_tests.operations.starting.test_init import starting

NEWER = "pantry_pirate_radio_2090-01-01_00-00-00.sql"


def _publish_cut_off(pipeline: Pipeline) -> None:
    """A newer dump than the night's, of which the end is missing."""
    whole = (pipeline.dumps / pipeline.latest()).read_bytes()
    (pipeline.dumps / NEWER).write_bytes(whole[: len(whole) // 2])
    latest = pipeline.dumps / "latest.sql"
    latest.unlink()
    latest.symlink_to(NEWER)
    _push(pipeline)


def _publish_records(pipeline: Pipeline, tmp_path: Path) -> None:
    publish(tmp_path / "records", "2025-08-07", "care", 1, named("Hope Pantry"))
    shutil.copytree(tmp_path / "records", pipeline.clone, dirs_exist_ok=True)
    _push(pipeline)


def _push(pipeline: Pipeline) -> None:
    git(pipeline.clone, "add", "-A")
    git(pipeline.clone, "commit", "-q", "--no-verify", "-m", "Somebody else's")
    git(pipeline.clone, "push", "-q", "origin", "HEAD:main")


def test_an_older_dump_takes_the_place_of_a_latest_one_that_is_damaged(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    pipeline.first_night()
    older = pipeline.latest()
    _publish_cut_off(pipeline)
    target = make_target(seed=None)
    outcome = initialise(starting(pipeline, target))
    assert outcome.restored is not None
    assert outcome.restored.dump == older
    (better,) = outcome.not_taken
    assert better.startswith(f"`{NEWER}`: the dump was cut off at byte ")
    assert target.content() == Target(pipeline.settings.database).content()
    assert target.beside() == []


def test_the_records_take_the_place_of_dumps_without_any_in_tables_made_by_one_of_them(
    pipeline: Pipeline, make_target: MakeTarget, tmp_path: Path
) -> None:
    emptied(pipeline.settings.database)
    pipeline.night(override_reason="a test")
    hollow = pipeline.latest()
    _publish_cut_off(pipeline)
    target = make_target(seed=None)
    with pytest.raises(DumpDamaged) as damaged:
        initialise(starting(pipeline, target))
    assert "The published records could not take its place: " in damaged.value.hint
    assert target.settings.dbname not in dict(target.databases())

    _publish_records(pipeline, tmp_path)
    outcome = initialise(starting(pipeline, target))
    assert (outcome.status, outcome.restored) == ("replayed", None)
    assert outcome.replayed is not None
    assert outcome.replayed.schema == hollow
    assert outcome.not_taken[0].startswith(f"`{NEWER}`: the dump was cut off at byte ")
    assert outcome.not_taken[1:] == (
        f"{hollow}: the restore would give a database without records: no record came back in "
        "organization, location, service",
    )
    with connect(target.settings) as session:
        assert session.execute("SELECT name FROM public.organization").fetchall() == [
            ("Hope Pantry",)
        ]
    assert target.beside() == []
    assert initialise(starting(pipeline, target)).status == "left alone"


def test_the_records_fill_the_tables_that_are_there_and_sessions_lead_to_no_other_road(
    pipeline: Pipeline, make_target: MakeTarget, tmp_path: Path
) -> None:
    _publish_records(pipeline, tmp_path)
    target = make_target()
    emptied(target.settings)
    with pytest.raises(RestoreFailed, match=r"deadline of 0\.001 s: reading published records$"):
        initialise(starting(pipeline, target), InitTerms(deadline_seconds=0.001))
    outcome = initialise(starting(pipeline, target))
    assert outcome.replayed is not None
    assert (outcome.status, outcome.replayed.schema) == ("replayed", "")
    assert outcome.not_taken[0].startswith("latest dump: there is no dump in ")

    emptied(target.settings)
    pipeline.night()
    with connect(target.settings), pytest.raises(Busy):
        initialise(starting(pipeline, target), InitTerms())
    with connect(target.settings) as session:
        assert session.execute("SELECT count(*) FROM public.organization").fetchall() == [(0,)]
