"""What waited in the clone: judged once more, never brought back, never passed by an old reason."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from ppr_assets.errors import DataRepoError, GateRefused, PolicyRefused, PushFailed
from ppr_assets.operations.publishing import judged_tip
from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline, decided
from ppr_assets_tests.opened import dump, publish


def _offline(pipeline: Pipeline) -> Path:
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    return away


def test_a_dump_that_waited_is_judged_against_the_mark_that_others_have_raised(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Two producers: this one was offline with 200 organizations, the other one published more."""
    away = _offline(pipeline)
    _, kept = pipeline.night()
    assert isinstance(kept.delivery.failure, PushFailed)
    away.rename(pipeline.remote)
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(pipeline.remote), str(other))
    (other / "sql_dumps").mkdir()
    (other / "sql_dumps/.record_count_ratchet").write_text('{"max_record_count": 600}')
    git(other, "add", "sql_dumps")
    git(other, "commit", "-qm", "A higher mark")
    git(other, "push", "-q", "origin", "HEAD:main")
    remote = pipeline.remote_head()

    with pytest.raises(GateRefused, match=r"at least 540 needed \(90% of mark 600\)"):
        pipeline.night()
    assert pipeline.remote_head() == remote
    assert pipeline.head() == kept.commit


def test_a_dump_that_waited_is_delivered_when_nobody_has_raised_the_mark(
    pipeline: Pipeline,
) -> None:
    away = _offline(pipeline)
    _, kept = pipeline.night()
    away.rename(pipeline.remote)
    _, outcome = pipeline.night()
    assert (outcome.status, outcome.delivery.pushed) == ("unchanged", True)
    assert pipeline.remote_head() == kept.commit


def test_what_was_taken_out_of_the_remote_by_force_does_not_come_back(pipeline: Pipeline) -> None:
    pipeline.first_night()
    before = git(pipeline.remote, "rev-parse", "main^")
    git(pipeline.remote, "update-ref", "refs/heads/main", before)
    for change in (False, True):
        if change:
            pipeline.change()
        with pytest.raises(DataRepoError, match="was rewritten: it no longer holds"):
            pipeline.night()
        assert pipeline.remote_head() == before

    git(pipeline.clone, "fetch", "-q", "origin")
    git(pipeline.clone, "reset", "-q", "--keep", "origin/main")
    _, outcome = pipeline.night()
    assert (outcome.status, outcome.delivery.pushed) == ("published", True)


def test_an_override_counts_in_its_own_run_only(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.gate(min_records=1000)
    dump(pipeline.settings, run_id="monday", given=decided("a closed county"))
    remote = pipeline.remote_head()
    assert publish(pipeline.settings, run_id="tuesday").status in {"refused", "unchanged"}
    assert pipeline.remote_head() == remote


def test_an_overridden_dump_that_waits_needs_a_reason_of_the_run_that_publishes_it(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    pipeline.change()
    pipeline.gate(min_records=1000)
    dump(pipeline.settings, run_id="monday", given=decided("a closed county"))
    assert publish(pipeline.settings, run_id="tuesday").status == "refused"
    again = publish(pipeline.settings, run_id="tuesday", given=decided("asked the county"))
    assert again.status == "published"
    assert again.manifest.override is not None
    assert again.manifest.override.reason == "asked the county"


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "refs/heads/main.lock"])
def test_a_held_lock_stops_the_night_before_anything_is_pushed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("ppr_assets.data_repo.checkout.work_trees.LOCK_SECONDS", 0.3)
    monkeypatch.setattr("ppr_assets.data_repo.checkout.advance.LOCK_SECONDS", 0.3)
    dump(pipeline.settings, run_id="a-run")
    remote = pipeline.remote_head()
    lock = pipeline.clone / ".git" / name
    lock.touch()
    with pytest.raises(DataRepoError, match=re.escape(name)):
        publish(pipeline.settings, run_id="a-run")
    assert pipeline.remote_head() == remote
    lock.unlink()
    assert publish(pipeline.settings, run_id="a-run").status == "published"


def test_a_clone_that_cannot_follow_a_delivered_commit_says_so_and_follows_later(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = pipeline.clone / ".git" / "hooks" / "reference-transaction"
    dump(pipeline.settings, run_id="a-run")
    hook.write_text(
        "#!/bin/sh\n[ \"$1\" = prepared ] && grep -q ' refs/heads/main$' && exit 1\nexit 0\n"
    )
    hook.chmod(0o755)
    outcome = publish(pipeline.settings, run_id="a-run")
    assert outcome.delivery.pushed
    error = outcome.error()
    assert error is not None
    assert error.message.startswith(
        "the remote has the dump, but the clone could not follow: `git update-ref` ended with exit "
        "code 128: "
    )
    assert error.hint == (
        "a reference-transaction hook of the clone, or of core.hooksPath, forbids it: `git config "
        "--show-origin core.hooksPath` in the clone says where that is set. The next run lets it "
        "follow."
    )
    assert pipeline.remote_head() == outcome.commit != pipeline.head()
    hook.unlink()
    _, later = pipeline.night()
    assert later.error() is None
    assert pipeline.head() == pipeline.remote_head() == outcome.commit


def test_a_ratchet_file_in_motion_is_not_taken_for_a_change_by_hand(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that publishes writes the file just before the branch moves."""
    pipeline.first_night()
    ratchet = pipeline.dumps / ".record_count_ratchet"
    committed = ratchet.read_bytes()
    ratchet.write_bytes(committed.replace(b"200", b"201"))
    # The pause before it looks again.
    monkeypatch.setattr(judged_tip, "sleep", lambda _: ratchet.write_bytes(committed))
    assert dump(pipeline.settings).status == "unchanged"


def test_a_sparse_checkout_without_the_dump_folder_is_no_removal(pipeline: Pipeline) -> None:
    pipeline.first_night()
    git(pipeline.clone, "sparse-checkout", "set", "--no-cone", "/*", "!/sql_dumps/")
    assert not pipeline.dumps.exists()
    pipeline.change()
    _, outcome = pipeline.night()
    assert outcome.status == "published"
    assert pipeline.remote_head() == outcome.commit


def test_a_dump_that_was_pushed_and_then_outrun_in_the_clone_counts_as_published(
    pipeline: Pipeline,
) -> None:
    """Somebody commits in the clone while our push is under way."""
    hook = pipeline.remote / "hooks" / "post-receive"
    hook.write_text(
        "#!/bin/sh\nunset GIT_DIR GIT_QUARANTINE_PATH\nrm -f hooks/post-receive\n"
        f"git -C {pipeline.clone} -c user.name=S -c user.email=s@example.com "
        "commit -q --allow-empty -m 'Data update for 2025-08-10'\n"
    )
    hook.chmod(0o755)
    dumped, outcome = pipeline.night()
    assert not hook.exists()
    assert dumped.manifest is not None
    assert (outcome.status, outcome.manifest.dump) == ("published", dumped.manifest.dump)
    assert pipeline.head() == pipeline.remote_head()
    assert git(pipeline.clone, "log", "--format=%s").count("Data update for 2025-08-10") == 1


def test_a_published_dump_is_never_replaced_by_one_of_the_same_second(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    moment = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
    with monkeypatch.context() as same_second:
        same_second.setattr("ppr_assets.operations.dumping.writing.dump_name", lambda *_: moment)
        dump(other.settings, run_id="theirs")
        pipeline.change()
        dump(pipeline.settings, run_id="ours")
    theirs = publish(other.settings, run_id="theirs")
    with pytest.raises(DataRepoError) as told:
        publish(pipeline.settings, run_id="ours")
    assert told.value.render() == (
        f"another dump was published as {moment} in the same second\n"
        "HINT: run again: the next dump has another name, and no published one is replaced."
    )
    assert pipeline.remote_head() == theirs.commit
    _, again = pipeline.night()
    assert (again.status, again.manifest.dump != moment) == ("published", True)


def test_a_name_that_is_free_again_is_not_taken_before_the_newest(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four dumps of one second, of which the second waits until the third takes its place."""
    now = datetime.now(UTC)
    clock = SimpleNamespace(now=lambda _: now)
    monkeypatch.setattr("ppr_assets.operations.dumping.writing.datetime", clock)
    for later, made in enumerate(("published", "waits", "published", "published")):
        pipeline.change()
        dumped = dump(pipeline.settings)
        assert dumped.manifest is not None
        assert dumped.manifest.dump == dump_name(now + timedelta(seconds=later))
        if made == "published":
            assert publish(pipeline.settings).status == made


def test_latest_never_goes_back_to_an_earlier_name(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine's dump got the name of the next second, since its own was taken."""
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    names = [f"pantry_pirate_radio_2026-11-22_02-00-0{second}.sql" for second in (1, 0)]
    for world, name in zip((other, pipeline), names, strict=True):
        pipeline.change()
        with monkeypatch.context() as renamed:
            renamed.setattr(
                "ppr_assets.operations.dumping.writing.dump_name", lambda *_, name=name: name
            )
            dump(world.settings)
    theirs = publish(other.settings)
    with pytest.raises(DataRepoError) as told:
        publish(pipeline.settings)
    assert told.value.render() == (
        f"{names[0]} was published, and {names[1]} would stand before it\n"
        "HINT: run again: the next dump has a later name, and latest.sql leads to the last one."
    )
    assert pipeline.remote_head() == theirs.commit
    assert pipeline.night()[1].status == "published"


def _stricter(clone: Path) -> None:
    (clone / "sql_dumps").mkdir(exist_ok=True)
    (clone / "sql_dumps/.publication.toml").write_text('[organization]\nwebsite = "null"\n')
    git(clone, "add", "-f", "sql_dumps/.publication.toml")
    git(clone, "commit", "-qm", "Websites are private")


def test_a_dump_that_waited_is_set_aside_where_others_do_not_allow_what_it_holds(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.execute("UPDATE organization SET website = 'https://food.example.org'")
    away = _offline(pipeline)
    _, kept = pipeline.night()
    away.rename(pipeline.remote)
    git(tmp_path, "clone", "-q", str(pipeline.remote), str(tmp_path / "other"))
    _stricter(tmp_path / "other")
    git(tmp_path / "other", "push", "-q", "origin", "HEAD:main")

    pipeline.change()
    for _ in range(2):  # the dump of the first night may be made by the policy of before
        with suppress(PolicyRefused, PushFailed):
            pipeline.night()
    assert kept.commit is not None
    waited = kept.manifest.dump
    assert waited not in git(pipeline.remote, "ls-tree", "-r", "--name-only", "main")
    published = git(pipeline.remote, "log", "--format=%H", "main")
    assert kept.commit not in published


def test_a_dump_that_waited_is_not_pushed_below_a_policy_that_became_stricter(
    pipeline: Pipeline,
) -> None:
    pipeline.execute("UPDATE organization SET website = 'https://food.example.org'")
    away = _offline(pipeline)
    pipeline.night()
    away.rename(pipeline.remote)
    remote = pipeline.remote_head()
    _stricter(pipeline.clone)
    with pytest.raises(PolicyRefused, match="holds what the publication policy does not allow"):
        pipeline.night()
    assert pipeline.remote_head() == remote


def test_two_decisions_about_what_is_public_are_merged_by_people(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.first_night()
    git(tmp_path, "clone", "-q", str(pipeline.remote), str(tmp_path / "other"))
    _stricter(tmp_path / "other")
    git(tmp_path / "other", "push", "-q", "origin", "HEAD:main")
    (pipeline.dumps / ".publication.toml").write_text('[organization]\nwebsite = "public"\n')
    git(pipeline.clone, "add", "-f", "sql_dumps/.publication.toml")
    git(pipeline.clone, "commit", "-qm", "Websites are public")
    ours, theirs = pipeline.head(), pipeline.remote_head()
    pipeline.change()
    with pytest.raises(DataRepoError, match=r"both have changed `sql_dumps/\.publication\.toml`"):
        pipeline.night()
    assert (pipeline.head(), pipeline.remote_head()) == (ours, theirs)


@pytest.mark.usefixtures("strict_policy")
def test_a_dump_that_waited_is_judged_by_what_its_database_had_of_what_is_withheld(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """The mark of a withheld table is of rows that no dump holds."""
    pipeline.gate(ratchet_tables=None)
    pipeline.execute("CREATE TABLE data_upload (id text, uploaded_by text)")
    pipeline.execute("INSERT INTO data_upload SELECT n, 'Pat' FROM generate_series(1, 300) n")
    pipeline.night()
    assert pipeline.mark()["tables"]["data_upload"] == 300
    away = _offline(pipeline)
    pipeline.change()
    _, kept = pipeline.night()
    away.rename(pipeline.remote)
    git(tmp_path, "clone", "-q", str(pipeline.remote), str(tmp_path / "other"))
    ratchet = tmp_path / "other" / RATCHET
    ratchet.write_text(ratchet.read_text().replace('"updated_by": "', '"updated_by": "somebody, '))
    git(tmp_path / "other", "commit", "-qam", "Another hand on the mark")
    git(tmp_path / "other", "push", "-q", "origin", "HEAD:main")

    _, outcome = pipeline.night()
    assert (outcome.delivery.pushed, outcome.delivery.set_aside) == (True, "")
    assert kept.manifest.dump in git(pipeline.remote, "ls-tree", "-r", "--name-only", "main")
