"""Many objects of the repository, without a process for each.

``git cat-file --batch-command`` answers as often as it is asked. One of them has small objects,
another one streams the large ones.

Nothing is fetched: what a partial clone lacks counts as missing here.
"""

from __future__ import annotations

import os
import subprocess
import weakref
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Literal

from msgspec import Struct

from ppr_assets.data_repo.git.command import OFFLINE, conversation
from ppr_assets.data_repo.git.errors import (
    GitCommandFailed,
    bring_back,
    failure,
    scrub,
    too_slow,
)
from ppr_assets.errors import DataRepoError

SMALL_BYTES = 16 * 1024 * 1024
"""What is read into memory at most: manifests and marks are kilobytes, dumps are streamed."""

NOT_OURS = "we write nothing that large there: look at the history of the dump folder (`git log`)."

_KEPT_BYTES = 64 * 1024
_KEPT = 256
"""Trees, commits and small files that are kept: an object never changes, and most are asked for
again by the next question."""

_KEEPING_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""For a git that puts large objects together one after the other: glibc would give the memory of
each back and take it anew, page by page, which costs as much as the work itself."""

_CACHE = ("-c", "core.deltaBaseCacheLimit=256m")
"""What the next dump is a difference to, also when it is in parts: each is one to another."""

_COMMAND = ("cat-file", "--batch-command")
_GRACE_SECONDS = 2.0
_LINE = 4096
_CHUNK = 128 * 1024  # what a processor keeps close while the rows in it are looked at


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
            self._stack.enter_context(_Session(path, timeout_seconds)) for _ in range(2)
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

    def _head(self, name: str) -> _Head:
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


class _Head(Struct, frozen=True):
    """The first line of an answer."""

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
        self.end()
        self._selector.close()

    def ask(self, what: Literal["info", "contents"], name: str) -> None:
        if self._asked or self._left:
            self.end()
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
            self.end()
            raise failure(_COMMAND, process.returncode, scrub(err))
        return piece

    def _start(self) -> subprocess.Popen[bytes]:
        env = OFFLINE | _KEEPING_MEMORY
        process = self._stack.enter_context(conversation(self._path, *_CACHE, *_COMMAND, env=env))
        assert process.stdout is not None
        self._selector.register(process.stdout, EVENT_READ)
        self._process = process
        return process

    def end(self) -> None:
        """End the process; the next question starts another one."""
        if self._process is not None and self._process.stdout is not None:
            self._selector.unregister(self._process.stdout)
        self._stack.close()
        self._process, self._buffer, self._left, self._asked = None, b"", 0, False
