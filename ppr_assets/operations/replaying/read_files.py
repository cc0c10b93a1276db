"""Published files become outcomes, on all processors; what they tell is kept in a file of our own,
so that memory does not grow with it."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import msgspec

from ppr_assets.child_process import helper
from ppr_assets.errors import RestoreFailed
from ppr_assets.operations.replaying.published_files import (
    LINK,
    NO_FILE,
    PROCESSED,
    TOO_LARGE,
    PublishedFile,
)
from ppr_assets.records.json_text import MOST_BYTES
from ppr_assets.records.outcome import Job, Loaded, Outcome, Rejected
from ppr_assets.records.reader import read_file
from ppr_assets.rules.replay.record import Organization
from ppr_assets.rules.replay.telling import Named, Telling, named

LARGEST = MOST_BYTES
"""Of a file that is read, and about as many of a batch."""
_AT_ONCE = 64
_HELPER = "ppr_assets.operations.replaying.reading_helper"
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Organization)


@dataclass(frozen=True, slots=True)
class Read:
    """What one file came to, and the organizations that it tells of."""

    file: PublishedFile
    outcome: Outcome
    """Of one that is loaded, without its organizations."""
    named: tuple[Named, ...] = ()
    bytes: int = 0
    """That were read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where an organization lies in :class:`Spool`, and the file that it was told in."""

    at: int
    size: int
    file: str


class Spool:
    """Organizations as they were told, in a file of the caller's."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    def keep(self, organization: bytes, file: str) -> Kept:
        kept = Kept(self._end, len(organization), file)
        self._file.write(organization)
        self._end += kept.size
        return kept

    def organization(self, kept: Kept) -> Organization:
        self._file.flush()
        return _DECODER.decode(os.pread(self._file.fileno(), kept.size, kept.at))


Told = tuple[Read, tuple[bytes, ...]]
Blob = Callable[[PublishedFile], bytes | str]
"""The bytes of a file in git, or why they are not read."""
_Given = tuple[PublishedFile, bytes | str | None]


def read_files(files: Sequence[PublishedFile], blob: Blob | None = None) -> Iterator[Told]:
    """What each file came to, in the order of the files, with its organizations as bytes for
    :class:`Spool`. ``blob`` reads those that are git's objects. Raises :class:`RestoreFailed` when
    a process that reads them ends."""
    batches = _batches(files, blob)
    count = min(os.cpu_count() or 1, -(-len(files) // _AT_ONCE))
    if count < 2:
        for batch in batches:
            yield from read_batch(batch)
        return
    with ExitStack() as stack:
        idle = [stack.enter_context(helper(_HELPER))[1] for _ in range(count)]
        busy: deque[Connection] = deque()
        for batch in batches:  # one each, so that no pipe is ever full in both directions
            one = idle.pop() if idle else busy[0]
            told = _answer(busy.popleft()) if busy and one is busy[0] else []
            with _alive():
                one.send(batch)
            busy.append(one)
            yield from told
        while busy:
            yield from _answer(busy.popleft())


def _answer(one: Connection) -> list[Told]:
    with _alive():
        told: list[Told] = one.recv()
        return told


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise RestoreFailed(
            "a process that reads published files has ended before its answer",
            hint="nothing was loaded. Run again; if it ends again, the system's log says what "
            "ended it, as a lack of memory does.",
        ) from error


def _batches(files: Sequence[PublishedFile], blob: Blob | None) -> Iterator[list[_Given]]:
    batch: list[_Given] = []
    held = 0
    for file in files:
        data = blob(file) if blob else None
        batch.append((file, data))
        held += len(data or b"")
        if len(batch) == _AT_ONCE or held >= LARGEST:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def read_batch(files: Iterable[_Given]) -> list[Told]:
    return [_read(file, data) for file, data in files]


def _read(file: PublishedFile, data: bytes | str | None) -> Told:
    if isinstance(data, str):
        return Read(file, Rejected(data)), ()
    try:
        data = _bytes(file.path) if file.path else data or b""
    except OSError as error:
        return Read(file, Rejected(_reason(error))), ()
    outcome = read_file(data)
    if not isinstance(outcome, Loaded):
        return Read(file, outcome, bytes=len(data)), ()
    by = telling(outcome.job)
    told = tuple(named(one, by) for one in outcome.organizations)
    alone = Loaded(outcome.job, (), outcome.was_truncated, outcome.without_place)
    kept = tuple(_ENCODER.encode(one) for one in outcome.organizations)
    return Read(file, alone, told, len(data)), kept


def telling(job: Job) -> Telling:
    scraper = job.scraper or PROCESSED
    return Telling(job.created_at, scraper, job.job_id, job.content_hash or job.job_id)


def _bytes(path: Path) -> bytes:
    """Of a regular file; a link may lead anywhere, and reading a pipe would never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, NO_FILE)
        if facts.st_size > LARGEST:
            raise OSError(errno.EFBIG, TOO_LARGE)
        return opened.read(LARGEST + 1)


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return LINK
    return error.strerror or str(error)
