"""In which order git gives many large objects back with the least work.

In a pack most dumps are stored as the difference to another one, that one to a third, and so on.
git keeps what it has put together last as a base, within a limit that hardly holds two dumps. By
age, each dump would be put together from the far end of its chain once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ppr_assets.data_repo.git.command import OFFLINE
from ppr_assets.data_repo.git.repository import DataRepo


def reading_order(repo: DataRepo, blobs: Sequence[str]) -> list[str]:
    """``blobs``, so that each comes soon after what it is stored as a difference to.

    Of two neighbours in a chain the difference comes first: git keeps an object only when it needs
    it as a base, and gives it out for nothing then.
    """
    bases = _bases(repo, blobs)
    below: dict[str | None, list[str]] = {}
    for blob in blobs:
        base = bases.get(blob)
        below.setdefault(base if base in bases else None, []).append(blob)
    order: list[str] = []
    swapped = False  # the last two were
    for blob in _along_the_chains(below):
        if not swapped and order and bases.get(blob) == order[-1]:
            order.insert(-1, blob)
            swapped = True
        else:
            order.append(blob)
            swapped = False
    return order


def _bases(repo: DataRepo, blobs: Sequence[str]) -> dict[str, str]:
    """What each is stored as a difference to, zeros for what is whole; without those that are not
    in this clone, and in a partial one also without those after the first of them."""
    answer = repo.git(
        "cat-file",
        "--batch-check=%(objectname) %(deltabase)",
        stdin="".join(f"{blob}\n" for blob in blobs).encode(),
        env=OFFLINE,
        ok=(0, 128),
    )
    lines = (line.split() for line in answer.decode().splitlines())
    return {blob: base for blob, base in lines if base != "missing"}


def _along_the_chains(below: dict[str | None, list[str]]) -> Iterator[str]:
    """Each before those that are stored as a difference to it; the longest branch last, so that
    what is short is done while its base is still there."""
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        blob = waiting.pop()
        yield blob
        waiting += sorted(below.get(blob, []), key=lambda other: other not in below)
