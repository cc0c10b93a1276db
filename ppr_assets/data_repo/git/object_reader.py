"""Many objects of the repository, without a process for each.

``git cat-file --batch-command`` answers as often as it is asked. One of them has small objects,
another one streams the large ones.

Nothing is fetched: what a partial clone lacks counts as missing here.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ppr_assets.data_repo.git.object_session import Head, Session
from ppr_assets.data_repo.git.tree import SMALL_BYTES
from ppr_assets.errors import DataRepoError


class ObjectMissing(DataRepoError):
    """The clone does not hold an object that its history names."""


@dataclass(frozen=True)
class StoredObject:
    """An object's name, its type as git calls it, and its content without git's own header."""

    sha: str
    kind: str
    data: bytes


class ObjectReader:
    """Reads objects by any name that git understands. Use as a context manager.

    Raises :class:`ObjectMissing` for what is not here, :class:`GitTimeout` when git falls silent
    for ``timeout_seconds``, and :class:`GitCommandFailed` when it ends.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path = path
        self._stack = ExitStack()
        self._small, self._large = (
            self._stack.enter_context(Session(path, timeout_seconds)) for _ in range(2)
        )

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def name_of(self, name: str) -> str | None:
        """The object behind ``name`` (``COMMIT:path``); None if there is none."""
        self._small.ask("info", name)
        found = self._small.answer()
        return found.sha if found else None

    def size_of(self, name: str) -> int:
        """In bytes."""
        return self._head(name).size

    def read(self, name: str) -> StoredObject:
        """A small object whole. Raises :class:`DataRepoError` above :data:`SMALL_BYTES`."""
        head = self._head(name)
        if head.size > SMALL_BYTES:
            raise DataRepoError(f"`{name}` has {head.size} bytes, at most {SMALL_BYTES} are read")
        self._small.ask("contents", head.sha)
        self._small.answer()
        return StoredObject(head.sha, head.kind, b"".join(self._small.content(head.size)))

    def _head(self, name: str) -> Head:
        self._small.ask("info", name)
        head = self._small.answer()
        if head is None:
            raise _missing(self._path, name)
        return head

    def stream(self, sha: str) -> Generator[bytes]:
        """A blob in pieces. Whoever does not read it to its end costs the next one a new git."""
        self._large.ask("contents", sha)
        head = self._large.answer()
        if head is None:
            raise _missing(self._path, sha)
        yield from self._large.content(head.size)


def _missing(path: Path, name: str) -> ObjectMissing:
    return ObjectMissing(
        f"`{name}` is not in `{path}`",
        hint="a partial clone lacks it, or the clone is damaged: `git fsck` tells; a full clone "
        "has everything.",
    )
