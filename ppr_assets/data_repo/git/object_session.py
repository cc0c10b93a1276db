"""A ``git cat-file`` that is asked for one object after the other."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Literal

from msgspec import Struct

from ppr_assets.data_repo.git.command import WITHOUT_LAZY_FETCH, conversation
from ppr_assets.data_repo.git.errors import GitCommandFailed, failure, scrub, too_slow

OFFLINE = {
    **WITHOUT_LAZY_FETCH,
    "GIT_NO_REPLACE_OBJECTS": "1",  # what was published, not what somebody here shows instead
}
"""The environment for looking at history as it is in this clone."""

_KEEPING_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""For a git that puts large objects together one after the other: glibc would give the memory of
each back and take it anew, page by page, which costs as much as the work itself."""

_CACHE = ("-c", "core.deltaBaseCacheLimit=256m")
"""What the next dump is a difference to, also when it is in parts: each is one to another."""

_COMMAND = ("cat-file", "--batch-command")
_GRACE_SECONDS = 2.0
_LINE = 4096
_CHUNK = 128 * 1024  # what a processor keeps close while the rows in it are looked at


class Head(Struct, frozen=True):
    """The first line of an answer."""

    sha: str
    kind: str
    size: int


class ObjectSession:
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

    def __enter__(self) -> ObjectSession:
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

    def answer(self) -> Head | None:
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
        return Head(words[0], words[1], int(words[2]))

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
