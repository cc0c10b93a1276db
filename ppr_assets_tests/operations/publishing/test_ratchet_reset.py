"""Setting the mark on purpose: recorded, delivered, and the way out of a damaged file."""

from __future__ import annotations

import shutil

import pytest

from ppr_assets.errors import DataRepoError, SettingsError
from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline, listing

REASON = "a closed county was removed on purpose"


def test_a_reset_lowers_the_mark_in_a_commit_that_says_why(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.lose_a_third()
    latest = pipeline.latest()
    outcome = reset(pipeline.settings.signed_by("Ann Lee"), to=134, reason=REASON)
    assert outcome.before is not None
    assert (outcome.before.organization, outcome.after.organization) == (200, 134)
    assert outcome.commit == pipeline.head() == pipeline.remote_head()
    message = git(pipeline.clone, "log", "-1", "--format=%B", "main")
    assert message == (
        f"Reset the ratchet: mark 200 to 134\n\nMark: 134\nReason: {REASON}\nBy: Ann Lee"
    )
    assert git(pipeline.clone, "show", "--format=", "--name-only", "main") == RATCHET
    assert pipeline.mark()["updated_by"] == f"Ann Lee, ratchet reset: {REASON}"
    assert "tables" not in pipeline.mark()
    assert pipeline.latest() == latest
    assert git(pipeline.clone, "status", "--porcelain") == ""
    _, published = pipeline.night()
    assert published.status == "published"
    assert pipeline.mark()["tables"]["location"] == pipeline.count("location")


def test_a_reset_needs_a_reason(pipeline: Pipeline) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    with pytest.raises(SettingsError, match="the reason is empty") as refused:
        reset(pipeline.settings, to=1, reason=" ")
    assert refused.value.exit_code == 2
    assert pipeline.picture() == before


def test_a_reset_mends_a_committed_file_that_cannot_be_read(pipeline: Pipeline) -> None:
    pipeline.first_night()
    (pipeline.clone / RATCHET).write_text("<<<<<<< HEAD\n")
    git(pipeline.clone, "commit", "-qam", "Break it")
    outcome = reset(pipeline.settings, to=200, reason=REASON)
    assert outcome.before is None
    pipeline.change()
    assert pipeline.night()[1].status == "published"


@pytest.mark.parametrize("state", ["changed", "removed", "folder removed", "symlink"])
def test_a_reset_ends_a_state_of_the_work_tree_that_stops_every_night(
    pipeline: Pipeline, state: str
) -> None:
    pipeline.first_night()
    file = pipeline.clone / RATCHET
    if state == "changed":
        file.write_text('{"max_record_count": 1}')
    elif state == "folder removed":
        shutil.rmtree(pipeline.dumps)
    else:
        file.unlink()
        if state == "symlink":
            file.symlink_to("/dev/null")
    reset(pipeline.settings, to=150, reason=REASON)
    assert '"max_record_count": 150' in file.read_text()
    assert git(pipeline.clone, "status", "--porcelain", "--", RATCHET) == ""
    pipeline.change()
    assert pipeline.night()[1].status == "published"


def test_a_reset_says_what_is_in_the_way_of_the_file(pipeline: Pipeline) -> None:
    pipeline.first_night()
    (pipeline.clone / RATCHET).unlink()
    (pipeline.clone / RATCHET).mkdir()
    with pytest.raises(DataRepoError) as told:
        reset(pipeline.settings, to=150, reason=REASON)
    assert told.value.render() == (
        f"the mark is committed, but `{pipeline.clone / RATCHET}` cannot be replaced: Is a "
        "directory\nHINT: move away what lies there, then bring the file back: "
        f"`git checkout -- {RATCHET}`."
    )
    assert pipeline.mark()["max_record_count"] == 150
    assert listing(pipeline.dumps / RATCHET.rpartition("/")[2]) == []


def test_a_reset_before_the_first_dump_sets_what_the_first_dump_must_have(
    pipeline: Pipeline,
) -> None:
    outcome = reset(pipeline.settings, to=1000, reason=REASON)
    assert outcome.before is None
    assert pipeline.mark()["max_record_count"] == 1000
    assert git(pipeline.clone, "status", "--porcelain") == ""
