"""The files of the old publisher: its names are known, and its link never leads to old data."""

from __future__ import annotations

import gzip
import lzma
import re
from dataclasses import replace

import pytest

from ppr_assets.errors import DumpDamaged, DumpMissing
from ppr_assets.operations.published.listing import list_history, list_published
from ppr_assets.operations.publishing.prune import prune, would_prune
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.operations.verify_all import verify_dumps
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_old_dumps import OldDump
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.places import SHARED

REAL_DUMPS = SHARED / "data/real-dumps"
BY_DATE = "pantry_pirate_radio_2025-07-27.sql.gz"
BY_SECOND = "pantry_pirate_radio_2025-08-08_05-14-04.sql.gz"
PACKED_LATEST = "sql_dumps/latest.sql.gz"
MARK = '{"max_record_count": 190, "updated_by": "haarrrvest_publisher"}\n'


@pytest.fixture
def old(pipeline: Pipeline) -> Pipeline:
    """A data repository as the old publisher left it: two dumps, and its link to the newer one."""
    pipeline.dumps.mkdir()
    for name, major in ((BY_DATE, 12), (BY_SECOND, 13)):
        (pipeline.dumps / name).write_bytes(gzip.compress(OldDump(major).sql, 1))
    link(pipeline, BY_SECOND)
    return pipeline


def link(pipeline: Pipeline, target: str) -> None:
    """Let latest.sql.gz lead to ``target``, as the old script does with each dump of its own."""
    path = pipeline.clone / PACKED_LATEST
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    commit_files(pipeline.clone, "Ratchet", {"sql_dumps/.record_count_ratchet": MARK})
    git(pipeline.clone, "add", "-A")
    git(pipeline.clone, "commit", "-q", "--amend", "-m", "Add SQL dump")
    git(pipeline.clone, "push", "-q", "origin", "main")


def test_its_dumps_are_listed_verified_and_found_by_any_of_their_names(old: Pipeline) -> None:
    settings = old.settings.data_repo
    listed = list_published(settings)
    assert [(dump.name, dump.latest) for dump in listed] == [(BY_SECOND, True), (BY_DATE, False)]
    assert [dump.name for dump in list_history(settings).dumps] == [BY_SECOND, BY_DATE]
    checked = list(verify_dumps(settings, Wanted(), every=True))
    assert [(one.name, one.error) for one in checked] == [(BY_SECOND, None), (BY_DATE, None)]
    for given, name in (
        (None, BY_SECOND),
        ("latest.sql.gz", BY_SECOND),
        (BY_DATE, BY_DATE),
        (BY_DATE.removesuffix(".sql.gz"), BY_DATE),
        (BY_DATE.removesuffix(".gz"), BY_DATE),
    ):
        with found_dump(settings, Wanted(dump=given)) as found:
            assert found.name == name


def test_damage_in_a_compressed_dump_is_told_with_its_place(old: Pipeline) -> None:
    whole = gzip.compress(OldDump(12).sql, 1)
    for damage, words in (
        (whole[: len(whole) // 2], "was cut off at byte"),
        (whole[:-500] + b"\xff" * 100 + whole[-400:], "is corrupt .* before byte"),
        (whole[:-8] + b"\0" * 8, "is corrupt .* before byte"),
    ):
        (old.dumps / BY_DATE).write_bytes(damage)
        git(old.clone, "commit", "-qam", "Damage it")
        (checked,) = verify_dumps(old.settings.data_repo, Wanted(dump=BY_DATE), every=False)
        assert isinstance(checked.error, DumpDamaged)
        assert checked.error.exit_code == 4
        assert re.search(words, checked.error.message)


def test_our_dump_removes_a_link_that_it_makes_stale_in_its_own_commit(old: Pipeline) -> None:
    _, published = old.night()
    assert published.status == "published"
    assert f"D\t{PACKED_LATEST}" in git(old.clone, "show", "--format=", "--name-status", "main")
    assert not (old.clone / PACKED_LATEST).is_symlink()
    assert git(old.clone, "status", "--porcelain") == ""
    assert git(old.remote, "ls-tree", "main", PACKED_LATEST) == ""
    with (
        pytest.raises(DumpMissing, match=r"there is no dump `latest\.sql\.gz`"),
        found_dump(old.settings.data_repo, Wanted(dump="latest.sql.gz")),
    ):
        pass


def test_prune_removes_a_stale_link_also_where_no_dump_retires(old: Pipeline) -> None:
    old.night()
    link(old, BY_DATE)
    marked = [dump.name for dump in list_published(old.settings.data_repo) if dump.packed_latest]
    assert marked == [BY_DATE]
    assert would_prune(old.settings).retention.stale_link
    outcome = prune(old.settings)
    assert (outcome.retention.retired, outcome.commit) == ([], old.remote_head())
    changed = git(old.clone, "show", "--format=%s", "--name-status", "main").splitlines()
    assert changed[0] == "Remove latest.sql.gz, which does not lead to the latest dump"
    assert changed[-1] == f"D\t{PACKED_LATEST}"
    assert prune(old.settings).commit is None


def test_prune_keeps_a_link_that_leads_to_the_latest(old: Pipeline) -> None:
    old.gate(keep=replace(old.settings.dump.keep, last=1, daily=0, weekly=0, monthly=0, yearly=0))
    assert prune(old.settings).retention.retired == [BY_DATE]
    assert (old.clone / PACKED_LATEST).is_symlink()


@pytest.mark.skipif(not REAL_DUMPS.exists(), reason="../shared is not there")
def test_the_real_ones_are_whole(pipeline: Pipeline) -> None:
    pipeline.dumps.mkdir()
    for path in REAL_DUMPS.iterdir():
        if path.suffix == ".gz":
            (pipeline.dumps / path.name).write_bytes(path.read_bytes())
        else:
            (pipeline.dumps / path.stem).write_bytes(lzma.decompress(path.read_bytes()))
    link(pipeline, BY_DATE)
    checked = list(verify_dumps(pipeline.settings.data_repo, Wanted(), every=True))
    assert len(checked) == 3
    assert [one.error for one in checked] == [None] * 3
    assert all(one.rows > 0 for one in checked)
