"""The gate on real data: what it refuses moves nothing, and the mark is never read as zero."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable

import pytest

from ppr_assets.errors import GateRefused
from ppr_assets.operations.publishing import judged_tip
from ppr_assets.operations.publishing.gate import refusal
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline
from ppr_assets_tests.opened import count_records, dump

UPSTREAMS_FILE = (
    '{"max_record_count": 210, "updated_at": "2024-01-15T10:30:00", '
    '"updated_by": "create-sql-dump.sh"}\n'
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here publishes at the same moment."""
    monkeypatch.setattr(judged_tip, "MOVING_SECONDS", 0.05)


def _counted(pipeline: Pipeline) -> None:
    """Count, and say so if the gate refuses, as the first step of the job does."""
    verdict = count_records(pipeline.settings).verdict
    if not verdict.passed:
        raise refusal(verdict)


def _refused(pipeline: Pipeline, words: str) -> GateRefused:
    """Counting says no, dumping says no, nothing has moved."""
    before = pipeline.picture()
    with pytest.raises(GateRefused, match=words):
        _counted(pipeline)
    with pytest.raises(GateRefused, match=words) as refused:
        pipeline.night()
    assert refused.value.exit_code == 3
    assert pipeline.picture() == before
    return refused.value


def _commit_ratchet(pipeline: Pipeline, content: str | None) -> None:
    commit_files(pipeline.clone, "Change the ratchet", {RATCHET: content})
    git(pipeline.clone, "push", "-q", "origin", "main")


def test_the_first_dump_sets_the_mark_and_more_records_raise_it(pipeline: Pipeline) -> None:
    pipeline.first_night()
    mark = pipeline.mark()
    assert mark["max_record_count"] == 200
    assert mark["updated_by"] == "ppr_assets"
    assert mark["tables"]["location"] == pipeline.count("location")
    pipeline.execute(
        "INSERT INTO organization (id, name, description) VALUES ('new', 'New', 'A new pantry')"
    )
    pipeline.night()
    assert pipeline.mark()["max_record_count"] == 201


def test_too_few_records_are_refused_in_the_operators_words(pipeline: Pipeline) -> None:
    pipeline.first_night()
    assert pipeline.lose_a_third() == 134
    error = _refused(
        pipeline,
        r"record-count ratchet refused the dump: organization has 134 records, at least 180 "
        r"needed \(90% of mark 200\); location has",
    )
    assert error.hint.startswith(
        "did the last scraper run finish? To publish it once: `ppr-assets dump"
    )


def test_a_few_records_less_are_accepted_and_leave_the_mark(pipeline: Pipeline) -> None:
    pipeline.first_night()
    mark = pipeline.mark()
    pipeline.execute("DELETE FROM organization WHERE id = (SELECT min(id) FROM organization)")
    _, published = pipeline.night()
    assert published.status == "published"
    assert pipeline.mark() == mark


def test_the_floor_holds_before_there_is_any_mark(pipeline: Pipeline) -> None:
    pipeline.gate(min_records=201)
    _refused(pipeline, "record-count floor refused the dump: organization has 200 records, at lea")


def test_the_floor_holds_also_where_a_lower_mark_exists(pipeline: Pipeline) -> None:
    _commit_ratchet(pipeline, '{"max_record_count": 10}')
    pipeline.gate(min_records=201)
    _refused(pipeline, "record-count floor refused the dump")


@pytest.mark.parametrize(
    ("tables", "refused"),
    [(("organization", "location", "service"), False), (None, True), (("phone",), True)],
    ids=["the core tables", "all tables", "a list"],
)
def test_a_table_that_shrinks_is_refused_if_the_ratchet_holds_for(
    pipeline: Pipeline, tables: tuple[str, ...] | None, refused: bool
) -> None:
    pipeline.first_night()
    had = pipeline.count("phone")
    pipeline.execute("DELETE FROM phone WHERE id IN (SELECT id FROM phone ORDER BY id LIMIT 50)")
    pipeline.gate(ratchet_tables=tables)
    if refused:
        have = pipeline.count("phone")
        _refused(pipeline, rf"phone has {have} records, .* needed \(90% of mark {had}\)$")
    else:
        assert pipeline.night()[1].status == "published"


def test_a_ratcheted_table_that_is_gone_is_refused(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute("DROP TABLE phone CASCADE")
    pipeline.gate(ratchet_tables=None)
    _refused(pipeline, "phone has 0 records")


def test_upstreams_own_file_is_read_and_kept_compatible(pipeline: Pipeline) -> None:
    old = {"sql_dumps/pantry_pirate_radio_2024-01-15_10-30-00.sql.gz": "not ours to look into"}
    commit_files(pipeline.clone, "Upstream's dump", {RATCHET: UPSTREAMS_FILE, **old})
    pipeline.night()
    text = git(pipeline.clone, "show", f"main:{RATCHET}")
    mark = json.loads(text)
    assert list(mark)[:3] == ["max_record_count", "updated_at", "updated_by"]
    assert mark["max_record_count"] == 210
    assert mark["tables"]["location"] == pipeline.count("location")
    assert "+" not in mark["updated_at"] and "Z" not in mark["updated_at"]
    assert git(pipeline.clone, "ls-files", *old) == next(iter(old))


def test_unknown_keys_of_the_file_are_kept(pipeline: Pipeline) -> None:
    _commit_ratchet(pipeline, '{"max_record_count": 5, "note": {"by": "hand"}}')
    pipeline.night()
    assert pipeline.mark()["note"] == {"by": "hand"}
    assert pipeline.mark()["max_record_count"] == 200


TO_SET_IT = '`ppr-assets ratchet reset --to N --reason "…"`.'
LOOK = f"look at the file's history; to set the mark on purpose, {TO_SET_IT}"
BRING_BACK = f"bring back the committed file, or set the mark on purpose: {TO_SET_IT}"
CHECK_OUT = f"`git checkout -- {RATCHET}` brings the mark back; to set it on purpose, {TO_SET_IT}"
DAMAGED = {
    "is empty": ("", "is not JSON"),
    "is half a file": ('{"max_record_count": 2', "is not JSON"),
    "is no object": ("200", "holds a number, not an object"),
    "has no mark": ('{"updated_by": "me"}', "has no max_record_count"),
    "is negative": ('{"max_record_count": -1}', "not a whole number from 0"),
    "is NaN": ('{"max_record_count": NaN}', "is not JSON"),
    "is a boolean": ('{"max_record_count": true}', "not a whole number from 0"),
    "is a text": ('{"max_record_count": "200"}', "not a whole number from 0"),
    "is not UTF-8": ('{"max_record_count": 200, "x": "\udcff"}', "is not JSON"),
    "has conflict markers": ('<<<<<<< HEAD\n{"max_record_count": 200}\n', "is not JSON"),
    "was removed": (None, "is missing in .* although dumps were published before"),
}


@pytest.fixture
def dumped(pipeline: Pipeline) -> Pipeline:
    """There is a dump, and the data have changed since."""
    pipeline.first_night()
    pipeline.change()
    return pipeline


@pytest.mark.parametrize("damage", DAMAGED)
def test_nothing_passes_when_the_committed_mark(dumped: Pipeline, damage: str) -> None:
    content, words = DAMAGED[damage]
    path = dumped.clone / RATCHET
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    git(dumped.clone, "commit", "-qam", "Damage the ratchet")
    git(dumped.clone, "push", "-q", "origin", "main")
    dumped.gate(allow_empty=True)
    error = _refused(dumped, words)
    assert error.hint == (LOOK if content is None else BRING_BACK)


def test_nothing_passes_when_dumps_and_mark_were_both_removed(dumped: Pipeline) -> None:
    git(dumped.clone, "rm", "-rq", "sql_dumps")
    git(dumped.clone, "commit", "-qm", "Clean up")
    git(dumped.clone, "push", "-q", "origin", "main")
    error = _refused(dumped, "is missing in .* although dumps were published before")
    assert error.render() == (
        f"`{RATCHET}` is missing in {dumped.head()[:10]} although dumps were published before, "
        f"its mark was 200 organizations\nHINT: {LOOK}"
    )


def test_nothing_passes_when_the_committed_mark_is_a_symlink(dumped: Pipeline) -> None:
    path = dumped.clone / RATCHET
    path.unlink()
    path.symlink_to("../README.md")
    git(dumped.clone, "commit", "-qam", "Point the ratchet elsewhere")
    _refused(dumped, "is a symlink|is not a regular file")


def _write(text: str) -> Callable[[Pipeline], object]:
    return lambda pipeline: (pipeline.clone / RATCHET).write_text(text)


def _replace(make: Callable[[Pipeline], object]) -> Callable[[Pipeline], object]:
    def replace(pipeline: Pipeline) -> None:
        (pipeline.clone / RATCHET).unlink()
        make(pipeline)

    return replace


IN_THE_WORK_TREE = {
    "lowered": (
        _write('{"max_record_count": 1}'),
        f"`{RATCHET}` was changed in the work tree and not committed\nHINT: {CHECK_OUT}",
    ),
    "damaged": (_write("[]"), f"the ratchet file holds a list, not an object\nHINT: {BRING_BACK}"),
    "deleted": (
        _replace(lambda _: None),
        f"`{RATCHET}` was removed in the work tree and not committed\nHINT: {CHECK_OUT}",
    ),
    "a symlink": (
        _replace(lambda pipeline: (pipeline.clone / RATCHET).symlink_to("/dev/null")),
        f"`{RATCHET}` is a symlink in the work tree\nHINT: {LOOK}",
    ),
    "a folder": (
        _replace(lambda pipeline: (pipeline.clone / RATCHET).mkdir()),
        f"`{RATCHET}` cannot be read: Is a directory\nHINT: {LOOK}",
    ),
}


@pytest.mark.parametrize("state", IN_THE_WORK_TREE)
def test_nothing_passes_when_the_mark_in_the_work_tree_is(dumped: Pipeline, state: str) -> None:
    make, told = IN_THE_WORK_TREE[state]
    make(dumped)
    message = told.partition("\n")[0]
    assert _refused(dumped, f"^{re.escape(message)}$").render() == told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_nothing_passes_when_the_mark_in_the_work_tree_is_unreadable(dumped: Pipeline) -> None:
    (dumped.clone / RATCHET).chmod(0)
    _refused(dumped, "cannot be read: Permission denied")


def test_a_mark_on_another_checked_out_branch_does_not_count(dumped: Pipeline) -> None:
    git(dumped.clone, "checkout", "-q", "-b", "data-update-2025-08-09")
    commit_files(dumped.clone, "Try something", {RATCHET: '{"max_record_count": 100000}'})
    assert dump(dumped.settings).status == "staged"
