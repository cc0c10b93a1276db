"""Marks that vanish from the ratchet file hold all the same, in every clone, until a reset."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.history.message import compose_message
from ppr_assets.errors import GateRefused, RatchetFileError
from ppr_assets.operations.published.mark_history import (
    MarkHistory,
    MarkVersion,
    StandingMark,
    standing,
)
from ppr_assets.operations.published.standing_mark import ShallowHistory, standing_mark
from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets.rules.mark import Mark
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline
from ppr_assets_tests.places import SHARED

REAL_HISTORY = SHARED / "data/haarrrvest-ratchet-history.jsonl"
OLD_DUMP = "sql_dumps/pantry_pirate_radio_2025-08-08_05-14-04.sql"


def old_script(clone: Path, organizations: int) -> None:
    """What upstream's own script does each night: a dump, and the ratchet file written anew with
    its three keys."""
    mark = {
        "max_record_count": organizations,
        "updated_at": "2025-08-08T05:19:20.762011",
        "updated_by": "haarrrvest_publisher",
    }
    commit_files(clone, "Add SQL dump", {RATCHET: json.dumps(mark), OLD_DUMP: f"{organizations}\n"})


@pytest.fixture
def overwritten(pipeline: Pipeline) -> Pipeline:
    """Ours, and on top of it the old script's."""
    pipeline.first_night()
    old_script(pipeline.clone, 205)
    git(pipeline.clone, "push", "-q", "origin", "main")
    return pipeline


def _marked(settings: DataRepoSettings) -> StandingMark:
    repo = open_data_repo(settings)
    found = standing_mark(repo, git(repo.path, "rev-parse", "main"))
    assert found is not None
    return found


def test_every_clone_judges_by_the_marks_that_the_old_script_wrote_away(
    overwritten: Pipeline, tmp_path: Path
) -> None:
    git(overwritten.remote, "config", "uploadpack.allowFilter", "true")
    had = overwritten.count("location")
    fresh = overwritten.elsewhere(overwritten.clone_again("fresh"))
    made_here = overwritten.elsewhere(tmp_path / "made here")
    assert open_data_repo(made_here.settings.data_repo).partial
    overwritten.execute("TRUNCATE location CASCADE")
    for clone in (overwritten, fresh, made_here):
        with pytest.raises(GateRefused, match=rf"location has 0 records, .*90% of mark {had}\)"):
            clone.night()
    found = _marked(fresh.settings.data_repo)
    assert (found.mark.organization, found.mark.of("location")) == (205, had)
    assert found.lost["location"].count == had
    assert "organization" not in found.lost


def test_the_next_dump_writes_them_into_the_file_again(overwritten: Pipeline) -> None:
    overwritten.change()
    dumped, published = overwritten.night()
    assert published.status == "published"
    mark = overwritten.mark()
    assert mark["max_record_count"] == 205
    assert mark["tables"]["location"] == overwritten.count("location")
    assert dumped.verdict.mark == _marked(overwritten.settings.data_repo).mark
    assert _marked(overwritten.settings.data_repo).lost == {}


def test_a_shallow_clone_says_that_it_cannot_know_until_it_is_deepened(
    overwritten: Pipeline, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", overwritten.remote.as_uri(), str(shallow))
    other = overwritten.elsewhere(shallow)
    other.repo(url=None)
    with pytest.raises(ShallowHistory) as error:
        _marked(other.settings.data_repo)
    assert error.value.render() == (
        f"`{shallow}` is a shallow clone, and what the mark was before cannot be known in it\n"
        "HINT: `git fetch --unshallow` brings the history, and with `--filter=blob:none` no old "
        "file with it."
    )
    assert error.value.exit_code == 6
    git(shallow, "fetch", "-q", "--unshallow")
    assert _marked(other.settings.data_repo) == _marked(overwritten.settings.data_repo)


def test_a_shallow_clone_knows_where_a_reset_cuts_off_what_it_lacks(
    overwritten: Pipeline, tmp_path: Path
) -> None:
    reset(overwritten.settings, to=100, reason="counties left")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", overwritten.remote.as_uri(), str(shallow))
    found = _marked(replace(overwritten.settings.data_repo, path=shallow, url=None))
    assert (found.mark.organization, found.mark.tables) == (100, {})


def test_only_a_reset_lowers_and_what_was_before_it_does_not_count(overwritten: Pipeline) -> None:
    clone = overwritten.clone
    commit_files(clone, "Lower it", {RATCHET: '{"max_record_count": 3}'})
    found = _marked(overwritten.settings.data_repo)
    assert found.mark.organization == 205
    assert found.lost["organization"].count == 205
    reset(overwritten.settings, to=150, reason="counties left")
    found = _marked(overwritten.settings.data_repo)
    assert (found.mark.organization, found.mark.tables, found.lost) == (150, {}, {})
    old_script(clone, 160)
    assert _marked(overwritten.settings.data_repo).mark.organization == 160
    assert _marked(overwritten.settings.data_repo).mark.tables == {}


def test_a_table_that_was_dropped_stays_marked_and_a_new_one_is_not_held(
    overwritten: Pipeline,
) -> None:
    overwritten.execute("DROP TABLE phone CASCADE")
    overwritten.execute("CREATE TABLE added (id int PRIMARY KEY)")
    overwritten.execute("INSERT INTO added SELECT generate_series(1, 500)")
    overwritten.gate(ratchet_tables=None)
    with pytest.raises(GateRefused) as refused:
        overwritten.night()
    assert "phone has 0 records" in refused.value.message
    assert "added" not in refused.value.message
    reset(overwritten.settings, to=200, reason="phone numbers are elsewhere now")
    assert overwritten.night()[1].status == "published"
    assert "phone" not in overwritten.mark()["tables"]
    assert overwritten.mark()["tables"]["added"] == 500


def test_a_merge_that_takes_the_poorer_file_loses_nothing(overwritten: Pipeline) -> None:
    clone = overwritten.clone
    start = git(clone, "rev-list", "--max-parents=0", "main")
    git(clone, "checkout", "-q", "-b", "data-update-2025-08-09", start)
    old_script(clone, 190)
    git(clone, "checkout", "-q", "main")
    before = _marked(overwritten.settings.data_repo)
    git(clone, "merge", "-q", "-X", "theirs", "--no-edit", "data-update-2025-08-09")
    (clone / RATCHET).write_text('{"max_record_count": 190}')
    git(clone, "commit", "-q", "-a", "--amend", "--no-edit")
    assert _marked(overwritten.settings.data_repo).mark.tables == before.mark.tables
    assert _marked(overwritten.settings.data_repo).mark.organization == 205


def test_a_history_that_was_rewritten_leaves_the_newest_manifest(overwritten: Pipeline) -> None:
    clone, had = overwritten.clone, overwritten.count("location")
    git(clone, "checkout", "-q", "--orphan", "new")
    git(clone, "commit", "-q", "-m", "Start the history anew")
    git(clone, "branch", "-q", "-M", "new", "main")
    found = _marked(overwritten.settings.data_repo)
    assert (found.mark.organization, found.mark.of("location")) == (205, had)
    assert found.lost["location"].by.startswith("the manifest of pantry_pirate_radio_")


def test_a_file_that_is_gone_is_refused_with_what_it_said(overwritten: Pipeline) -> None:
    commit_files(overwritten.clone, "Clean up", {RATCHET: None})
    with pytest.raises(RatchetFileError) as missing:
        _marked(overwritten.settings.data_repo)
    assert missing.value.render() == (
        f"`{RATCHET}` is missing in {overwritten.head()[:10]} although dumps were published "
        "before, its mark was 205 organizations\n"
        "HINT: look at the file's history; to set the mark on purpose, "
        '`ppr-assets ratchet reset --to N --reason "…"`.'
    )


@pytest.mark.skipif(not REAL_HISTORY.exists(), reason="../shared is not there")
def test_what_the_old_scripts_did_to_their_own_mark_is_theirs(pipeline: Pipeline) -> None:
    """The real one rose to 10,599, fell to 10 in a day when the database was lost, and rose again;
    ours begins with what it says at the end."""
    versions = [json.loads(line) for line in REAL_HISTORY.read_text().splitlines()]
    stream = "reset refs/heads/main\nfrom refs/heads/main^0\n"
    for number, version in enumerate(versions):
        text = json.dumps(version["ratchet"])
        stream += (
            "commit refs/heads/main\n"
            f"committer Publisher <p@example.com> {1_754_000_000 + number} +0000\n"
            f"data 4\nDump\nM 100644 inline {RATCHET}\ndata {len(text)}\n{text}\n"
        )
    importing = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(importing, cwd=pipeline.clone, input=stream, text=True, check=True)
    git(pipeline.clone, "reset", "-q", "--hard")
    highest = max(version["ratchet"]["max_record_count"] for version in versions)
    found = _marked(pipeline.settings.data_repo)
    assert (highest, found.mark.organization, found.lost) == (10599, 1219, {})
    pipeline.night(override_reason="a sample of the real data")
    assert _marked(pipeline.settings.data_repo).mark.organization == 1219
    old_script(pipeline.clone, 10)
    assert _marked(pipeline.settings.data_repo).mark.organization == 1219


def _version(commit: str, parents: str, organizations: int, *, how: str = "") -> MarkVersion:
    return MarkVersion(
        commit, tuple(parents), Mark(organizations), ours=how != "", reset=how == "reset"
    )


def test_a_branch_from_before_a_reset_brings_back_only_what_it_did_itself() -> None:
    history = MarkHistory(
        [
            _version("a", "", 900, how="dump"),
            _version("b", "a", 1000, how="dump"),
            _version("r", "b", 500, how="reset"),
            _version("s", "a", 950, how="dump"),
            _version("m", "rs", 500),
        ]
    )
    past = history.after("m")
    assert past.ours["organization"].count == 950
    assert past.ever["organization"].by == "commit s"
    assert not history.after("r").to_start
    assert past.to_start
    found = standing(Mark(500), past, {})
    assert found is not None and found.mark.organization == 950


def test_a_message_that_only_looks_like_a_reset_of_a_dump_is_none(pipeline: Pipeline) -> None:
    """Whoever quotes a reset's message in a publication has not touched the mark."""
    pipeline.first_night()
    quoted = compose_message("Data update", {"Mark": "1", "Reason": "quoted"})
    commit_files(pipeline.clone, quoted, {"STATS.md": "1\n"})
    assert _marked(pipeline.settings.data_repo).mark.organization == 200
