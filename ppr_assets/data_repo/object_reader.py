"""Many objects of the repository, without a process for each.

``git cat-file --batch-command`` answers as often as it is asked. One of them has small objects,
another one streams the large ones.

Nothing is fetched: what a partial clone lacks counts as missing here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Literal

from ppr_assets.data_repo.git import WITHOUT_LAZY_FETCH, conversation
from ppr_assets.data_repo.git_errors import GitCommandFailed, failure, scrub, too_slow
from ppr_assets.data_repo.tree import SMALL_BYTES
from ppr_assets.errors import DataRepoError

OFFLINE = {
    **WITHOUT_LAZY_FETCH,
    "GIT_NO_REPLACE_OBJECTS": "1",  # what was published, not what somebody here shows instead
}
"""The environment for looking at history as it is in this clone."""

_KEEPING_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""For a git that puts large objects together one after the other: glibc would give the memory of
each back and take it anew, page by page, which costs as much as the work itself."""

_COMMAND = ("cat-file", "--batch-command")
_GRACE_SECONDS = 2.0
_LINE = 4096
_CHUNK = 128 * 1024  # what a processor keeps close while the rows in it are looked at


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
            self._stack.enter_context(_Session(path, timeout_seconds)) for _ in range(2)
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

    def read(self, name: str) -> StoredObject:
        """A small object whole. Raises :class:`DataRepoError` above :data:`SMALL_BYTES`."""
        self._small.ask("info", name)
        head = self._small.answer()
        if head is None:
            raise _missing(self._path, name)
        if head.size > SMALL_BYTES:
            raise DataRepoError(f"`{name}` has {head.size} bytes, at most {SMALL_BYTES} are read")
        self._small.ask("contents", head.sha)
        self._small.answer()
        return StoredObject(head.sha, head.kind, b"".join(self._small.content(head.size)))

    def stream(self, sha: str) -> Generator[bytes]:
        """A blob in pieces. Whoever does not read it to its end costs the next one a new git."""
        self._large.ask("contents", sha)
        head = self._large.answer()
        if head is None:
            raise _missing(self._path, sha)
        yield from self._large.content(head.size)


@dataclass(frozen=True)
class _Head:
    sha: str
    kind: str
    size: int


class _Session:
    """One ``cat-file``, started when it is first asked, and again after it has ended."""

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path = path
        self._timeout = timeout_seconds
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._selector = DefaultSelector()
        self._buffer = b""
        self._left = 0  # bytes of an answer that nobody has read
        self._asked = False  # a question that has no answer yet

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._selector.close()

    def ask(self, what: Literal["info", "contents"], name: str) -> None:
        if self._asked or self._left:
            self._end()
        process = self._process or self._start()
        assert process.stdin is not None  # a pipe
        # Less than a pipe holds, so that this never waits. Of a git that has ended since, the
        # answer will tell.
        with suppress(BrokenPipeError):
            os.write(process.stdin.fileno(), f"{what} {name}\n".encode())
        self._asked = True

    def answer(self) -> _Head | None:
        """The first line of the answer; None for what is not there."""
        try:
            while b"\n" not in self._buffer:
                self._buffer += self._piece(_LINE)
        except GitCommandFailed as error:
            if "promisor remote" in error.stderr:  # what a partial clone lacks ends the process
                return None
            raise
        line, _, self._buffer = self._buffer.partition(b"\n")
        self._asked = False
        words = line.decode("utf-8", "replace").rsplit(" ", 2)
        if len(words) < 3 or not words[2].isdecimal():
            return None
        return _Head(words[0], words[1], int(words[2]))

    def content(self, size: int) -> Iterator[bytes]:
        """The object after its first line, and the newline that git puts behind it."""
        self._left = size + 1
        while self._left:
            piece = self._buffer[: self._left] or self._piece(min(_CHUNK, self._left))
            self._buffer = self._buffer[len(piece) :]
            self._left -= len(piece)
            yield piece if self._left else piece[:-1]

    def _piece(self, most: int) -> bytes:
        process = self._process
        assert process is not None and process.stdout is not None
        if not self._selector.select(self._timeout):
            raise too_slow(_COMMAND, self._timeout)
        piece = os.read(process.stdout.fileno(), most)
        if not piece:
            assert process.stderr is not None
            err = process.stderr.read()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
            self._end()
            raise failure(_COMMAND, process.returncode, scrub(err))
        return piece

    def _start(self) -> subprocess.Popen[bytes]:
        env = OFFLINE | _KEEPING_MEMORY
        process = self._stack.enter_context(conversation(self._path, *_COMMAND, env=env))
        assert process.stdout is not None
        self._selector.register(process.stdout, EVENT_READ)
        self._process = process
        return process

    def _end(self) -> None:
        """End the process; the next question starts another one."""
        if self._process is not None and self._process.stdout is not None:
            self._selector.unregister(self._process.stdout)
        self._stack.close()
        self._process, self._buffer, self._left, self._asked = None, b"", 0, False


def _missing(path: Path, name: str) -> ObjectMissing:
    return ObjectMissing(
        f"`{name}` is not in `{path}`",
        hint="a partial clone lacks it, or the clone is damaged: `git fsck` tells; a full clone "
        "has everything.",
    )
