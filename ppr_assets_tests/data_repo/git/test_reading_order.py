"""Large objects are asked for in the order that git puts them together in."""

from __future__ import annotations

from random import Random

from ppr_assets.data_repo.git.objects import write_blob
from ppr_assets.data_repo.git.reading_order import reading_order
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets_tests.fix_git import Somebody

_NIGHTS = 12


def _nights(repo: DataRepo, owner: Somebody) -> list[str]:
    """Some versions of a file, each a little larger than the one before it, in one pack."""
    random = Random(1)
    lines = [f"{random.getrandbits(256):x}\n" for _ in range(500)]
    for night in range(_NIGHTS):
        lines[night * 7] += f"changed in night {night}\n"
        owner.commit(f"Night {night}", {"dump.sql": "".join(lines)})
    owner.git("repack", "-adfq")
    listed = owner.git("log", "--reverse", "--format=", "--raw", "--no-abbrev", "--", "dump.sql")
    return [line.split()[3] for line in listed.splitlines() if line]


def _bases(repo: DataRepo, blobs: list[str]) -> dict[str, str]:
    """What git has stored as a difference, and to which of the others."""
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    found = repo.git("cat-file", "--batch-check=%(deltabase)", stdin=asked).decode().split()
    return {blob: base for blob, base in zip(blobs, found, strict=True) if base in blobs}


def test_a_difference_is_read_next_to_its_base_or_after_it(
    data_repo: DataRepo, owner: Somebody
) -> None:
    blobs = _nights(data_repo, owner)
    bases = _bases(data_repo, blobs)
    assert len(bases) > _NIGHTS // 2, "the pack has no chain to follow"
    order = reading_order(data_repo, blobs)
    assert sorted(order) == sorted(blobs)
    place = {blob: at for at, blob in enumerate(order)}
    assert all(place[base] <= place[blob] + 1 for blob, base in bases.items())
    assert any(place[base] == place[blob] + 1 for blob, base in bases.items())


def test_what_is_stored_whole_or_is_not_here_keeps_its_place(
    data_repo: DataRepo, owner: Somebody
) -> None:
    whole = [write_blob(data_repo, f"{number}\n".encode()) for number in range(3)]
    missing = "1" * 40
    assert reading_order(data_repo, []) == []
    assert reading_order(data_repo, [*whole, missing]) == [*whole, missing]
