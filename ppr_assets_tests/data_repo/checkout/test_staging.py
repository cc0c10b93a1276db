"""Dumps that wait to be published."""

from __future__ import annotations

import os
import signal
import time

import pytest

from ppr_assets.data_repo.checkout.staging import (
    discard,
    discard_others,
    staged,
    staging_folder,
    sweep_partials,
    writing,
)
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets_tests.fix_git import Somebody, stage_dump

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"


def test_no_git_of_the_owner_sees_a_staged_dump(data_repo: DataRepo, owner: Somebody) -> None:
    stage_dump(data_repo, FIRST, "one\n")
    owner.git("add", "-A")
    owner.git("stash", "-u", check=False)
    owner.git("clean", "-fdxq")
    assert owner.status() == ""
    assert [dump.name for dump in staged(data_repo)] == [FIRST]


def test_only_complete_dumps_count_and_the_newest_comes_last(data_repo: DataRepo) -> None:
    stage_dump(data_repo, SECOND, "two\n")
    stage_dump(data_repo, FIRST, "one\n")
    folder = staging_folder(data_repo)
    (folder / "pantry_pirate_radio_2026-11-24_02-00-00.sql").write_text("no manifest\n")
    (folder / f".{SECOND}.partial").write_text("half\n")
    assert [dump.name for dump in staged(data_repo)] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "litter",
    [
        ".pantry_pirate_radio_2026-11-24_02-00-00.sql.partial",
        ".pantry_pirate_radio_2026-11-24_02-00-00.json.partial",
        "pantry_pirate_radio_2026-11-24_02-00-00.sql",
        "pantry_pirate_radio_2026-11-24_02-00-00.json",
    ],
)
def test_what_a_killed_run_left_is_swept(data_repo: DataRepo, litter: str) -> None:
    stage_dump(data_repo, FIRST, "one\n")
    path = staging_folder(data_repo) / litter
    path.write_text("left\n")
    assert sweep_partials(data_repo) == [path]
    assert [dump.name for dump in staged(data_repo)] == [FIRST]
    assert sorted(p.name for p in staging_folder(data_repo).iterdir()) == [
        FIRST.replace(".sql", ".json"),
        FIRST,
    ]


def test_parts_without_their_dump_are_swept(data_repo: DataRepo) -> None:
    first = stage_dump(data_repo, FIRST, "one\n")
    for folder in (first.parts_path, first.parts_path.with_name(SECOND.replace(".sql", ".parts"))):
        folder.mkdir()
        (folder / "part_001.sql").write_text("two\n")
    assert [path.name for path in sweep_partials(data_repo)] == [SECOND.replace(".sql", ".parts")]
    assert list(first.parts) == ["part_001.sql"]
    discard(first)
    assert list(staging_folder(data_repo).iterdir()) == []


def test_the_partial_file_of_a_run_at_work_is_not_swept(data_repo: DataRepo) -> None:
    with writing(data_repo) as folder:
        partial = folder / f".{FIRST}.partial"
        partial.write_text("growing\n")
        assert sweep_partials(data_repo) == []
    assert sweep_partials(data_repo) == [partial]


def test_a_writer_that_was_killed_protects_nothing(data_repo: DataRepo) -> None:
    reading, writing_end = os.pipe()
    child = os.fork()
    if child == 0:
        with writing(data_repo) as folder:
            (folder / f".{FIRST}.partial").write_text("growing\n")
            os.write(writing_end, b"written")
            time.sleep(60)
        os._exit(0)
    os.read(reading, 7)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(sweep_partials(data_repo)) == 1


def test_discarding_removes_the_pair(data_repo: DataRepo) -> None:
    first = stage_dump(data_repo, FIRST, "one\n")
    stage_dump(data_repo, SECOND, "two\n")
    discard_others(data_repo, keep=FIRST)
    assert staged(data_repo) == [first]
    discard(first)
    discard(first)
    assert list(staging_folder(data_repo).iterdir()) == []
