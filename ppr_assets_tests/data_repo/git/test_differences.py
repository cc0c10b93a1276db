"""Files out of git's packs along the differences that they are stored as: the very bytes."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ppr_assets.data_repo.git.differences import Node, StoredFiles
from ppr_assets.data_repo.git.pack_files import PackFile
from ppr_assets_tests.fix_git import git

pytestmark = pytest.mark.slow

NIGHTS = 60
"""More than git's longest chain."""


def _versions(count: int) -> list[bytes]:
    chance = random.Random(7)
    lines = [b"%06d\t%s\n" % (at, chance.randbytes(40).hex().encode()) for at in range(3000)]
    versions = []
    for night in range(count):
        for _ in range(20):
            at = chance.randrange(len(lines))
            lines[at : at + 1] = [[], [lines[at], b"new %d\n" % night], [b"other\n"]][night % 3]
        versions.append(b"".join(lines))
    return versions


def _repository(folder: Path, object_format: str, versions: Sequence[bytes]) -> list[str]:
    git(folder, "init", "-q", f"--object-format={object_format}")
    files = []
    for at, version in enumerate(versions):
        (folder / f"{at}.sql").write_bytes(version)
        files.append(f"{at}.sql")
    blobs = git(folder, "hash-object", "-w", *files).split()
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Nights")
    return blobs


def _packs(folder: Path, object_format: str = "sha1") -> list[PackFile]:
    return [PackFile(one, object_format) for one in folder.glob(".git/objects/pack/*.idx")]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("by_offset", ["true", "false"])
def test_every_version_is_put_together_and_copies_are_copies(
    object_format: str, by_offset: str, tmp_path: Path
) -> None:
    versions = _versions(NIGHTS)
    blobs = _repository(tmp_path, object_format, versions)
    base_offset = f"repack.useDeltaBaseOffset={by_offset}"
    git(tmp_path, "-c", base_offset, "repack", "-adfq", "--window=5")
    files = StoredFiles(_packs(tmp_path, object_format), blobs)
    seen: dict[str | None, bytes] = {}
    whole: dict[Node, bytes] = {}
    copied = 0
    for file in files:
        whole[file.node] = seen[file.blob] = bytes(file.data)
        assert (file.base is None) == (not file.copies)
        for target, source, length in file.copies:
            assert file.base
            there = whole[file.base][source : source + length]
            assert file.data[target : target + length] == there
            copied += length
    assert files.elsewhere == set()
    assert seen == dict(zip(blobs, versions, strict=True))
    assert copied > 0.9 * sum(map(len, versions[2:]))


def test_a_base_that_nobody_asked_for_comes_without_a_name(tmp_path: Path) -> None:
    versions = _versions(4)
    blobs = _repository(tmp_path, "sha1", versions)
    git(tmp_path, "repack", "-adfq")
    bases = dict(
        line.split()
        for line in subprocess.run(
            ["git", "cat-file", "--batch-check=%(objectname) %(deltabase)"],
            input="\n".join(blobs),
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
    )
    one = next(blob for blob in blobs if bases[blob] in bases)
    came = [(file.blob, bytes(file.data)) for file in StoredFiles(_packs(tmp_path), [one])]
    assert came[-1] == (one, versions[blobs.index(one)])
    assert {blob for blob, _ in came[:-1]} == {None}


def test_what_is_loose_or_broken_or_in_another_pack_is_left_to_git(tmp_path: Path) -> None:
    blobs = _repository(tmp_path, "sha1", _versions(6))
    git(tmp_path, "repack", "-adfq")
    (tmp_path / "loose.sql").write_bytes(b"loose\n")
    loose = git(tmp_path, "hash-object", "-w", "loose.sql")
    files = StoredFiles(_packs(tmp_path), [*blobs, loose])
    assert len([*files]) == 6
    assert files.elsewhere == {loose}

    (pack,) = tmp_path.glob(".git/objects/pack/*.pack")
    data = bytearray(pack.read_bytes())
    for at in range(len(data) // 2, len(data) - 20, 97):
        data[at] ^= 255
    pack.chmod(0o644)
    pack.write_bytes(data)
    files = StoredFiles(_packs(tmp_path), blobs)
    good = {file.blob for file in files}
    assert files.elsewhere == set(blobs) - good
    assert files.elsewhere
