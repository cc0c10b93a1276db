"""Published files become outcomes, on all processors; what they tell is kept in a file of our own,
so that memory does not grow with it."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from types import TracebackType
from typing import IO

import msgspec

from ppr_assets.operations.replaying.published_files import PROCESSED, PublishedFile
from ppr_assets.records.outcome import Job, Loaded, Outcome, Rejected
from ppr_assets.records.reader import read_file
from ppr_assets.rules.replay.record import Organization
from ppr_assets.rules.replay.telling import Named, Telling, named

LARGEST = 16 * 1024 * 1024
"""Bytes of a file that is read; the largest that was ever published has less than one MB."""
_AT_ONCE = 64
_AHEAD = 3
"""Batches that wait for each process."""
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Organization)


@dataclass(frozen=True, slots=True)
class Read:
    """What one file came to, and the organizations that it tells of."""

    file: PublishedFile
    outcome: Outcome
    """Of one that is loaded, without its organizations."""
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """Where an organization lies in :class:`Spool`."""

    at: int
    size: int


class Spool:
    """Organizations as they were told, in a temporary file that has no name."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="ppr_assets_replay_")  # noqa: SIM115 - closed by __exit__
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def keep(self, organization: bytes) -> Kept:
        kept = Kept(self._end, len(organization))
        self._file.write(organization)
        self._end += kept.size
        return kept

    def organization(self, kept: Kept) -> Organization:
        self._file.flush()
        return _DECODER.decode(os.pread(self._file.fileno(), kept.size, kept.at))


Told = tuple[Read, tuple[bytes, ...]]
Blob = Callable[[PublishedFile], bytes]


def read_files(
    files: Sequence[PublishedFile], blob: Blob | None = None, *, workers: int | None = None
) -> Iterator[Told]:
    """What each file came to, in the order of the files, with its organizations as bytes for
    :class:`Spool`. ``blob`` reads those that are git's objects."""
    batches = (
        [(one, blob(one) if blob and one.sha and not one.link else None) for one in files[at:end]]
        for at in range(0, len(files), _AT_ONCE)
        if (end := at + _AT_ONCE)
    )
    workers = min(workers or os.cpu_count() or 1, -(-len(files) // _AT_ONCE))
    if workers < 2:
        for batch in batches:
            yield from read_batch(batch)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[list[Told]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(read_batch, batch))
                if len(waiting) > _AHEAD * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def read_batch(files: Iterable[tuple[PublishedFile, bytes | None]]) -> list[Told]:
    return [_read(file, data) for file, data in files]


def _read(file: PublishedFile, data: bytes | None) -> Told:
    try:
        data = _bytes(file) if data is None else data
    except OSError as error:
        return Read(file, Rejected(_reason(error))), ()
    outcome = read_file(data)
    if not isinstance(outcome, Loaded):
        return Read(file, outcome), ()
    by = telling(outcome.job)
    told = tuple(named(one, by) for one in outcome.organizations)
    alone = Loaded(outcome.job, (), outcome.was_truncated, outcome.without_place)
    kept = tuple(_ENCODER.encode(one) for one in outcome.organizations)
    return Read(file, alone, told), kept


def telling(job: Job) -> Telling:
    scraper = job.scraper or PROCESSED
    return Telling(job.created_at, scraper, job.job_id, job.content_hash or job.job_id)


def _bytes(file: PublishedFile) -> bytes:
    """Of a regular file; a link may lead anywhere, and reading a pipe would never end."""
    if file.path is None:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    descriptor = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if facts.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"more than {LARGEST // 2**20} MB")
        return opened.read(LARGEST + 1)


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a symbolic link"
    return error.strerror or str(error)
