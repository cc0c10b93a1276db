"""Published files become outcomes, on all processors; what they tell is kept in a file of our own,
so that memory does not grow with it."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import IO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

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
from ppr_assets.records.outcome import Job, Loaded, NothingToLoad, Outcome, Rejected
from ppr_assets.records.reader import read_file
from ppr_assets.rules.replay.record import Organization
from ppr_assets.rules.replay.telling import Named, Telling, named

LARGEST = MOST_BYTES
"""Of a file that is read, and about as many of a batch."""
_AT_ONCE = 64
_HELPER = "ppr_assets.operations.replaying.reading_helper"
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Organization)
Given = tuple[str | None, bytes | str | None]
"""Of one file that is to be read: its path; or its bytes, or why it is not read."""


class Read(Struct, frozen=True):
    """What one file came to, and the organizations that it tells of."""

    file: PublishedFile
    outcome: Outcome
    """Of one that is loaded, without its organizations."""
    named: tuple[Named, ...] = ()
    size: int = 0
    """In bytes, of what was read."""


class Kept(Struct, frozen=True):
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
_Batch = list[tuple[PublishedFile, bytes | str | None]]
Blob = Callable[[PublishedFile], bytes | str]
"""The bytes of a file in git, or why they are not read."""


class FileAnswer(msgspec.Struct, array_like=True, frozen=True):
    """What one file came to, as a process tells another: in msgspec's own form, which a tenth of
    pickle's time makes these values of."""

    outcome: tuple[Loaded | None, NothingToLoad | None, Rejected | None]
    named: tuple[Named, ...] = ()
    kept: tuple[bytes, ...] = ()
    size: int = 0

    def of(self, file: PublishedFile) -> Told:
        (outcome,) = (one for one in self.outcome if one is not None)
        return Read(file, outcome, _of_day(self.named, file.day), self.size), self.kept


def _of_day(told: tuple[Named, ...], day: str | None) -> tuple[Named, ...]:
    """By the folder that it was published in, whatever its job says of the day."""
    if day is None or not told or told[0].told.day == day:
        return told
    by = replace(told[0].told, day=day)
    return tuple(replace(one, told=by) for one in told)


_ANSWERS = msgspec.msgpack.Decoder(list[FileAnswer])


@contextmanager
def reading_processes(files: int) -> Iterator[Sequence[Connection]]:
    """Processes that read so many files, one for each processor; none where one batch has all.
    They get ready while the caller looks at where the files go."""
    count = min(os.cpu_count() or 1, -(-files // _AT_ONCE))
    with ExitStack() as stack:
        yield [stack.enter_context(helper(_HELPER))[1] for _ in range(count if count > 1 else 0)]


def read_files(
    files: Sequence[PublishedFile],
    blob: Blob | None = None,
    processes: Sequence[Connection] = (),
) -> Iterator[Told]:
    """What each file came to, in the order of the files, with its organizations as bytes for
    :class:`Spool`. ``blob`` reads those that are git's objects. This process reads them itself
    where there are no ``processes``. Raises :class:`RestoreFailed` when one of them ends."""
    batches = _batches(files, blob)
    if not processes:
        for batch in batches:
            yield from _paired(batch, read_batch(_given(batch)))
        return
    idle = [*processes]
    busy: deque[tuple[Connection, _Batch]] = deque()
    for batch in batches:  # one each, so that no pipe is ever full in both directions
        told: Iterable[Told] = ()
        if idle:
            one = idle.pop()
        else:
            one = busy[0][0]
            told = _answer(*busy.popleft())
        with _alive():
            one.send(_given(batch))
        busy.append((one, batch))
        yield from told
    while busy:
        yield from _answer(*busy.popleft())


def _answer(one: Connection, batch: _Batch) -> Iterable[Told]:
    with _alive():
        return _paired(batch, _ANSWERS.decode(one.recv_bytes()))


def _paired(batch: _Batch, answers: Iterable[FileAnswer]) -> Iterable[Told]:
    return [answer.of(file) for (file, _), answer in zip(batch, answers, strict=True)]


def _given(batch: _Batch) -> list[Given]:
    return [(str(file.path) if file.path else None, data) for file, data in batch]


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


def _batches(files: Sequence[PublishedFile], blob: Blob | None) -> Iterator[_Batch]:
    batch: _Batch = []
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


def read_batch(files: Iterable[Given]) -> list[FileAnswer]:
    return [_read(path, data) for path, data in files]


def encoded(answers: Sequence[FileAnswer]) -> bytes:
    return _ENCODER.encode(answers)


def _read(path: str | None, data: bytes | str | None) -> FileAnswer:
    if isinstance(data, str):
        return _came_to(Rejected(data))
    try:
        data = _bytes(path) if path else data or b""
    except OSError as error:
        return _came_to(Rejected(_reason(error)))
    outcome = read_file(data)
    if not isinstance(outcome, Loaded):
        return _came_to(outcome, len(data))
    by = telling(outcome.job)
    return FileAnswer(
        (replace(outcome, organizations=()), None, None),
        tuple(named(one, by) for one in outcome.organizations),
        tuple(_ENCODER.encode(one) for one in outcome.organizations),
        len(data),
    )


def _came_to(outcome: NothingToLoad | Rejected, size: int = 0) -> FileAnswer:
    if isinstance(outcome, NothingToLoad):
        return FileAnswer((None, outcome, None), size=size)
    return FileAnswer((None, None, outcome), size=size)


def telling(job: Job) -> Telling:
    scraper = job.scraper or PROCESSED
    return Telling(job.day, job.created_at, scraper, job.job_id, job.content_hash or job.job_id)


def _bytes(path: str) -> bytes:
    """Of a regular file; a link may lead anywhere, and reading a pipe would never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, NO_FILE)
        if facts.st_size > LARGEST:
            raise OSError(errno.EFBIG, TOO_LARGE)
        return opened.read(facts.st_size)


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return LINK
    if error.errno == errno.ENXIO:
        return NO_FILE  # a socket
    return error.strerror or str(error)
