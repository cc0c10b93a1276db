"""Dumps that waited in the clone and cannot go to the remote any more: set aside, never forced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppr_assets.data_repo.remote.errors import TooLarge
from ppr_assets.errors import DataRepoError, PushFailed
from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name
from ppr_assets_tests.opened import dump, publish

BLOATED = "UPDATE language SET note = md5(id::text) || repeat(md5(id::text), 2000)"
SLIM = "UPDATE language SET note = 'slim'"
LIMIT = 4_000_000
"""Between the two, in bytes: what the hook of these tests takes."""

# In GitHub's words.
LIMITING_HOOK = f"""#!/bin/sh
while read old new ref; do
  git rev-list --objects $new --not --all |
    git cat-file --batch-check='%(objecttype) %(objectsize) %(rest)' |
    awk '$1 == "blob" && $2 > {LIMIT} {{
      printf "error: File %s is %.2f MB; this exceeds the file size limit of 4.00 MB\\n", $3, $2/1e6
      bad = 1 }} END {{ exit bad }}' >&2 || exit 1
done
"""


def _limit(pipeline: Pipeline) -> Path:
    hook = pipeline.remote / "hooks" / "pre-receive"
    hook.write_text(LIMITING_HOOK)
    hook.chmod(0o755)
    return hook


def _offline_night(pipeline: Pipeline) -> str:
    """The name of a dump that is committed and waits."""
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    _, kept = pipeline.night()
    away.rename(pipeline.remote)
    assert isinstance(kept.delivery.failure, PushFailed)
    wait_for_a_later_name(kept.manifest.dump)  # so that whoever dumps next has another one
    return kept.manifest.dump


def _on_remote(pipeline: Pipeline) -> list[str]:
    """The dumps that any commit of the remote's branch has brought, oldest first."""
    log = (
        "log",
        "--reverse",
        "--format=",
        "--name-only",
        "--diff-filter=A",
        "-m",
        "--first-parent",
    )
    paths = git(pipeline.remote, *log, "main", "--", ":(glob)sql_dumps/pantry*.sql").splitlines()
    return [path.removeprefix("sql_dumps/") for path in paths if path]


def _require_agreement(pipeline: Pipeline) -> None:
    assert pipeline.head() == pipeline.remote_head()
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""
    for repository in (pipeline.clone, pipeline.remote):
        git(repository, "fsck", "--full", "--strict")


def test_a_dump_that_the_remote_finds_too_large_is_named_and_moves_nothing(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    hook = _limit(pipeline)
    pipeline.execute(BLOATED)
    before = pipeline.picture()
    dumped = dump(pipeline.settings)
    assert dumped.manifest is not None
    with pytest.raises(TooLarge) as caught:
        publish(pipeline.settings)
    said = caught.value
    megabytes = dumped.manifest.bytes / 1e6
    assert "this exceeds the file size limit of 4.00 MB" in said.message
    assert said.message.endswith(
        f"the largest file of the push is `sql_dumps/{dumped.manifest.dump}` with "
        f"{megabytes:.1f} MB"
    )
    assert "SQL_DUMP_MAX_FILE_MB" in said.hint
    after = pipeline.picture()
    assert after.pop("staged") and not before.pop("staged")
    assert after == before

    hook.unlink()
    _, published = pipeline.night()
    assert published.error() is None and published.status == "published"
    _require_agreement(pipeline)


def test_a_waiting_dump_that_is_too_large_does_not_hold_up_the_next(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute(BLOATED)
    waiting = _offline_night(pipeline)
    offline = pipeline.head()
    _limit(pipeline)
    pipeline.execute(SLIM)
    _, published = pipeline.night()
    assert (published.status, published.error()) == ("published", None)
    assert f"{waiting} was pending in the clone and was set aside" in published.delivery.set_aside
    assert waiting not in _on_remote(pipeline) and published.manifest.dump in _on_remote(pipeline)
    kept = git(
        pipeline.clone, "for-each-ref", "--format=%(objectname)", "refs/ppr_assets/set_aside"
    )
    assert kept == offline
    _require_agreement(pipeline)


def test_a_waiting_dump_that_is_too_large_is_told_and_made_anew_although_nothing_changed(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    pipeline.execute(BLOATED)
    waiting = _offline_night(pipeline)
    hook = _limit(pipeline)
    with pytest.raises(
        PushFailed, match=r"was set aside.*the file size limit of 4.00 MB"
    ) as caught:
        pipeline.night()
    assert "SQL_DUMP_MAX_FILE_MB" in caught.value.hint
    assert caught.value.hint.endswith("The next run dumps anew.")
    _require_agreement(pipeline)
    hook.unlink()  # as if the dump came in smaller pieces by now
    dumped, published = pipeline.night()
    assert (dumped.status, published.status) == ("staged", "published")
    assert waiting not in _on_remote(pipeline)
    _require_agreement(pipeline)


def test_a_humans_commit_on_top_of_what_is_too_large_is_left_alone(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute(BLOATED)
    _offline_night(pipeline)
    theirs = commit_files(pipeline.clone, "Data update", {"daily/a.json": "{}"})
    _limit(pipeline)
    for _ in range(2):
        with pytest.raises(TooLarge):
            pipeline.night()
        assert pipeline.head() == theirs


def test_two_dumps_of_one_second_converge_on_the_published_one(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours waits in the clone, and other data were published under its name meanwhile."""
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    moment = dump_name(datetime.now(UTC) - timedelta(hours=1))
    with monkeypatch.context() as same_second:
        same_second.setattr("ppr_assets.operations.dumping.writing.dump_name", lambda *_: moment)
        assert _offline_night(pipeline) == moment
        pipeline.change()
        _, theirs = other.night()
    published = git(pipeline.remote, "rev-parse", f"main:sql_dumps/{moment}")

    pipeline.change()
    _, ours = pipeline.night()
    assert (ours.status, ours.error()) == ("published", None)
    assert f"{moment} was pending in the clone and was set aside" in ours.delivery.set_aside
    assert git(pipeline.remote, "rev-parse", f"main:sql_dumps/{moment}") == published
    assert git(pipeline.remote, "rev-parse", "main^") == theirs.commit
    assert _on_remote(pipeline) == [moment, ours.manifest.dump]
    _require_agreement(pipeline)


def test_two_dumps_of_one_second_are_told_when_nothing_newer_is_at_hand(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    moment = dump_name(datetime.now(UTC) - timedelta(hours=1))
    with monkeypatch.context() as same_second:
        same_second.setattr("ppr_assets.operations.dumping.writing.dump_name", lambda *_: moment)
        pipeline.change()
        dump(other.settings)
        pipeline.change()
        _offline_night(pipeline)
    publish(other.settings)
    with pytest.raises(PushFailed, match=f"{moment} was pending in the clone and was set aside"):
        pipeline.night()
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""
    dumped, ours = pipeline.night()
    assert (dumped.status, ours.status, ours.error()) == ("staged", "published", None)
    assert _on_remote(pipeline) == [moment, ours.manifest.dump]
    _require_agreement(pipeline)


def test_the_same_data_are_not_published_twice_by_two_who_were_apart(pipeline: Pipeline) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    waiting = _offline_night(pipeline)
    _, theirs = other.night()
    assert theirs.manifest.dump != waiting
    with pytest.raises(PushFailed, match=f"{waiting} has the same bytes as {theirs.manifest.dump}"):
        pipeline.night()
    _, again = pipeline.night()
    assert (again.status, again.commit, again.error()) == ("unchanged", theirs.commit, None)
    assert _on_remote(pipeline) == [theirs.manifest.dump]
    _require_agreement(pipeline)


def test_a_waiting_dump_that_their_mark_refuses_does_not_go_along_with_one_that_passes(
    pipeline: Pipeline,
) -> None:
    """Both raced: whoever comes second is judged against the mark of the first, all of it."""
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    waiting = _offline_night(pipeline)
    pipeline.execute(
        "INSERT INTO organization (id, name, description) SELECT gen_random_uuid()::text, 'New', "
        "'A new one' FROM generate_series(1, 100)"
    )
    _, theirs = other.night()
    pipeline.change()
    _, ours = pipeline.night()
    assert (ours.status, ours.error()) == ("published", None)
    assert "organization has 200 records, at least 270 needed" in ours.delivery.set_aside
    assert _on_remote(pipeline) == [theirs.manifest.dump, ours.manifest.dump]
    assert pipeline.mark()["max_record_count"] == 300
    assert waiting not in git(pipeline.clone, "ls-tree", "--name-only", "main:sql_dumps")
    _require_agreement(pipeline)


def test_a_waiting_dump_that_passes_their_mark_is_delivered_as_it_is(pipeline: Pipeline) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    _offline_night(pipeline)
    waiting = pipeline.head()
    pipeline.execute(
        "INSERT INTO organization (id, name, description) SELECT gen_random_uuid()::text, 'New', "
        "'A new one' FROM generate_series(1, 10)"
    )
    other.night()
    pipeline.change()
    _, ours = pipeline.night()
    assert (ours.status, ours.error(), ours.delivery.set_aside) == ("published", None, "")
    assert waiting in git(pipeline.remote, "rev-list", "main").split()
    assert pipeline.mark()["max_record_count"] == 210
    _require_agreement(pipeline)


def test_a_dump_on_a_mark_that_was_lowered_here_is_not_held_to_the_old_one_again(
    pipeline: Pipeline,
) -> None:
    """Others have moved the branch meanwhile, but not the mark."""
    pipeline.first_night()
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    reset(pipeline.settings, to=100, reason="a county has closed")
    away.rename(pipeline.remote)
    left = pipeline.lose_a_third()
    waiting = _offline_night(pipeline)
    other = pipeline.clone_again("other")
    commit_files(other, "Data update", {"daily/a.json": "{}"})
    git(other, "push", "-q", "origin", "main")
    pipeline.change()
    _, published = pipeline.night()
    assert (published.error(), published.delivery.set_aside) == (None, "")
    assert waiting in _on_remote(pipeline)
    assert pipeline.mark()["max_record_count"] == left
    _require_agreement(pipeline)


def test_a_reset_of_the_mark_that_waits_is_never_set_aside(pipeline: Pipeline) -> None:
    """It is a human's decision, and so is what becomes of it."""
    pipeline.first_night()
    pipeline.execute(BLOATED)
    _offline_night(pipeline)
    reset = commit_files(
        pipeline.clone,
        "Reset the ratchet: mark 200 to 150\n\nMark: 150\nReason: a test",
        {"sql_dumps/.record_count_ratchet": '{"max_record_count": 150}'},
    )
    _limit(pipeline)
    pipeline.execute(SLIM)
    with pytest.raises(DataRepoError, match="for its size"):
        pipeline.night()
    assert pipeline.head() == reset
