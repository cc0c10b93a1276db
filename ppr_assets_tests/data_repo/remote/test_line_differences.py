"""Differences between two versions of a file of lines, found along the lines."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from ppr_assets.data_repo.remote.line_differences import Content, Instruction, differences

LINES = [b"%06d\t%032x\tsome words that stand in each\n" % (at, at**7) for at in range(60_000)]


def _found(folder: Path, old: bytes, new: bytes) -> list[Instruction]:
    files = [folder / "old", folder / "new"]
    for path, data in zip(files, (old, new), strict=True):
        path.write_bytes(data)
    with files[0].open("rb") as was, files[1].open("rb") as now:
        found = list(differences(Content(was), Content(now)))
    assert new == b"".join(
        one if isinstance(one, bytes) else old[one[0] : sum(one)] for one in found
    )
    return found


def _new_bytes(found: list[Instruction]) -> int:
    return sum(len(one) for one in found if isinstance(one, bytes))


def test_only_what_is_otherwise_in_a_line_is_new(tmp_path: Path) -> None:
    changed = [*LINES]
    for at in range(0, len(LINES), 100):
        changed[at] = LINES[at].replace(b"some words", b"other words")
    found = _found(tmp_path, b"".join(LINES), b"".join(changed))
    assert _new_bytes(found) <= 600 * len(b"other")


def test_lines_that_come_and_go_cost_no_others(tmp_path: Path) -> None:
    new = [*LINES]
    new[40_000:40_000] = [b"here for the first time, and only here\n"] * 300
    del new[10_000:10_900]
    found = _found(tmp_path, b"".join(LINES), b"".join(new))
    assert _new_bytes(found) < 300 * 40 + 100


@pytest.mark.parametrize("seed", range(6))
def test_whatever_has_changed_the_new_file_comes_of_the_old_one(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    old = LINES[: chance.randrange(20, 40_000)]
    new = [*old]
    for _ in range(chance.randrange(200)):
        at, some = chance.randrange(len(new) + 1), chance.randrange(20)
        new[at : at + some] = chance.choice(
            ([], [b"\n", b"\\.\n"], [chance.randbytes(900)], LINES[some : 2 * some])
        )
    _found(tmp_path, b"".join(old), b"".join(new) + chance.choice((b"", b"no end")) or b"-")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a", b"a"),
        (b"a", b"b"),
        (b"\n", b"\n\n\n"),
        (b"one line\n" * 9, b"x"),
        (bytes(9 << 20), b"\1" + bytes(9 << 20)),
        (b"".join(LINES), b"".join(reversed(LINES[:3000]))),
    ],
    ids=["same", "other", "short lines", "all but nothing", "no lines", "another order"],
)
def test_files_that_are_hardly_alike(tmp_path: Path, old: bytes, new: bytes) -> None:
    _found(tmp_path, old, new)


def test_a_file_that_becomes_shorter_meanwhile_is_told(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(b"".join(LINES))
    with (tmp_path / "old").open("rb") as was, (tmp_path / "new").open("rb") as now:
        found = differences(Content(was), Content(now))
        next(found)
        os.truncate(tmp_path / "old", 2_000_000)
        with pytest.raises(OSError, match="shorter"):
            list(found)
