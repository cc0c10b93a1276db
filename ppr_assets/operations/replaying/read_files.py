"""Published files become outcomes, on all processors; what they tell is kept in a file of our own,
so that memory does not grow with it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
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
from ppr_assets.records.reader import Job, Loaded, Outcome, Rejected, read_file
from ppr_assets.rules.replay.record import Organization
from ppr_assets.rules.replay.telling import Named, Telling, named

_AT_ONCE = 64
"""Files of a batch, or as many as come to the size of the largest."""
_HELPER = "ppr_assets.operations.replaying.read_files"
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Organization)
_Given = tuple[str | None, bytes | str | None]
"""Of one file that is to be read: its path; or its bytes, or why it is not read."""


class Read(Struct, frozen=True, array_like=True):
    """What one file came to. A process tells it another in msgspec's own form, which a tenth of
    pickle's time makes these values of."""

    outcome: Outcome
    """Of one that is loaded, without its organizations."""
    named: tuple[Named, ...] = ()
    organizations: tuple[bytes, ...] = ()
    """Those that are named, for :class:`Spool`."""
    size: int = 0
    """In bytes, of what was read."""


_ANSWERS = msgspec.msgpack.Decoder(list[Read])


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


Told = tuple[PublishedFile, Read]
_Batch = list[tuple[PublishedFile, bytes | str | None]]
Blob = Callable[[PublishedFile], bytes | str]
"""The bytes of a file in git, or why they are not read."""


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
    """What each file came to, in the order of the files. ``blob`` reads those that are git's
    objects. This process reads them itself where there are no ``processes``. Raises
    :class:`RestoreFailed` when one of them ends."""
    batches = _batches(files, blob)
    if not processes:
        for batch in batches:
            yield from _paired(batch, _read_all(_given(batch)))
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


def _paired(batch: _Batch, answers: Iterable[Read]) -> Iterable[Told]:
    return [(file, _of_day(read, file.day)) for (file, _), read in zip(batch, answers, strict=True)]


def _of_day(read: Read, day: str | None) -> Read:
    """By the folder that it was published in, whatever its job says of the day."""
    if day is None or not read.named or read.named[0].told.day == day:
        return read
    by = replace(read.named[0].told, day=day)
    return replace(read, named=tuple(replace(one, told=by) for one in read.named))


def _given(batch: _Batch) -> list[_Given]:
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
        if len(batch) == _AT_ONCE or held >= MOST_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _read_all(files: Iterable[_Given]) -> list[Read]:
    return [_read(path, data) for path, data in files]


def _read(path: str | None, data: bytes | str | None) -> Read:
    if isinstance(data, str):
        return Read(Rejected(data))
    try:
        data = _bytes(path) if path else data or b""
    except OSError as error:
        return Read(Rejected(_reason(error)))
    outcome = read_file(data)
    if not isinstance(outcome, Loaded):
        return Read(outcome, size=len(data))
    by = _telling(outcome.job)
    return Read(
        replace(outcome, organizations=()),
        tuple(named(one, by) for one in outcome.organizations),
        tuple(_ENCODER.encode(one) for one in outcome.organizations),
        len(data),
    )


def _telling(job: Job) -> Telling:
    scraper = job.scraper or PROCESSED
    return Telling(job.day, job.created_at, scraper, job.job_id, job.content_hash or job.job_id)


def _bytes(path: str) -> bytes:
    """Of a regular file; a link may lead anywhere, and reading a pipe would never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, NO_FILE)
        if facts.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, TOO_LARGE)
        return opened.read(facts.st_size)


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return LINK
    if error.errno == errno.ENXIO:
        return NO_FILE  # a socket
    return error.strerror or str(error)


def main(descriptor: int) -> None:
    """A process that answers each batch that comes over ``descriptor``, until the other end
    closes."""
    with suppress(EOFError, BrokenPipeError), Connection(descriptor) as asker:
        while True:
            asker.send_bytes(_ENCODER.encode(_read_all(asker.recv())))


if __name__ == "__main__":
    main(int(sys.argv[1]))
