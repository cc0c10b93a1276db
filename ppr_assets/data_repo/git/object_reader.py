"""Many objects of the repository, without a process for each.

``git cat-file --batch-command`` answers as often as it is asked. One of them has small objects,
another one streams the large ones.

Nothing is fetched: what a partial clone lacks counts as missing here.
"""

from __future__ import annotations

import weakref
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.errors import bring_back
from ppr_assets.data_repo.git.object_session import Head, ObjectSession
from ppr_assets.errors import DataRepoError

SMALL_BYTES = 16 * 1024 * 1024
"""What is read into memory at most: manifests and marks are kilobytes, dumps are streamed."""

NOT_OURS = "we write nothing that large there: look at the history of the dump folder (`git log`)."

_KEPT_BYTES = 64 * 1024
_KEPT = 256
"""Trees, commits and small files that are kept: an object never changes, and most are asked for
again by the next question."""


class ObjectMissing(DataRepoError):
    """The clone does not hold the object ``name``, which its history names."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(f"`{name}` is not in `{path}`", hint=bring_back())
        self.name = name


class NotSmall(DataRepoError):
    """An object of more than :data:`SMALL_BYTES`, which is no file of ours."""


class StoredObject(Struct, frozen=True):
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
            self._stack.enter_context(ObjectSession(path, timeout_seconds)) for _ in range(2)
        )
        self._known: dict[str, StoredObject] = {}
        weakref.finalize(self, self._stack.close)  # for who closes nothing

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; a reader is of no use any more then."""
        self._stack.close()

    def rest(self) -> None:
        """End the processes for now; the next question starts another one."""
        self._small.end()
        self._large.end()

    def name_of(self, name: str) -> str | None:
        """The object behind ``name`` (``COMMIT:path``); None if there is none."""
        self._small.ask("info", name)
        found = self._small.answer()
        return found.sha if found else None

    def size_of(self, name: str) -> int:
        """In bytes."""
        return self._head(name).size

    def read(self, name: str) -> StoredObject:
        """A small object whole. Raises :class:`NotSmall` above :data:`SMALL_BYTES`."""
        if name in self._known:
            return self._known[name]
        head = self._head(name)
        if head.size > SMALL_BYTES:
            raise NotSmall(
                f"`{name}` has {head.size} bytes, at most {SMALL_BYTES} are read",
                hint=NOT_OURS,
            )
        self._small.ask("contents", head.sha)
        if self._small.answer() is None:  # somebody has removed it since
            raise ObjectMissing(self._path, name)
        found = StoredObject(head.sha, head.kind, b"".join(self._small.content(head.size)))
        if name == head.sha and head.size <= _KEPT_BYTES:
            if len(self._known) == _KEPT:
                del self._known[next(iter(self._known))]
            self._known[name] = found
        return found

    def _head(self, name: str) -> Head:
        self._small.ask("info", name)
        head = self._small.answer()
        if head is None:
            raise ObjectMissing(self._path, name)
        return head

    def stream(self, sha: str) -> Generator[bytes]:
        """A blob in pieces. Whoever does not read it to its end costs the next one a new git."""
        self._large.ask("contents", sha)
        head = self._large.answer()
        if head is None:
            raise ObjectMissing(self._path, sha)
        yield from self._large.content(head.size)
