"""Read many dumps out of git, several at a time, ahead of whoever asks for them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from math import ceil
from multiprocessing.connection import Connection
from threading import Thread

from msgspec import Struct

from ppr_assets.child_process import end_group, helper
from ppr_assets.data_repo.git.object_reader import ObjectReader
from ppr_assets.data_repo.git.reading_order import reading_order
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_tree
from ppr_assets.data_repo.history.dump_folder import StoredDump
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.audit.recount import recount
from ppr_assets.plain_sql.parsing.layout import Layout

AT_MOST = 2
"""Dumps that are read at once: the git of each takes five times the memory of a dump."""

WORTH_A_HELPER = 3
"""Dumps for each; a process needs some time to start."""

_HELPER = "ppr_assets.operations.audit.recount"


class DumpReader:
    """Reads each dump once, whatever names it has: the same data give the same dump. A few are
    not worth other processes and are read here. Use as a context manager.

    Each process reads one part of git's own order from its beginning to its end, so a dump that is
    asked for early may come late.
    """

    def __init__(self, repo: DataRepo, reader: ObjectReader, dumps: Iterable[StoredDump]) -> None:
        self._repo = repo
        self._reader = reader
        self._wanted = list(dict.fromkeys(dumps))
        self._known: dict[StoredDump, Layout | str] = {}
        self._coming: dict[StoredDump, Future[Layout | str]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> DumpReader:
        count = min(AT_MOST, os.cpu_count() or 1, len(self._wanted) // WORTH_A_HELPER)
        if count > 1:
            self._coming = {dump: Future() for dump in self._wanted}
            with ExitStack() as stack:
                self._start(count, stack)
                self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, dump: StoredDump) -> Layout | str:
        """What the dump holds, or why that cannot be told. Raises :class:`DataRepoError`."""
        if dump in self._coming:
            return self._coming[dump].result()
        if dump not in self._known:
            self._known[dump] = recount(self._reader, dump)
        return self._known[dump]

    def _start(self, count: int, stack: ExitStack) -> None:
        helpers = [stack.enter_context(_helper(self._repo)) for _ in range(count)]
        order = self._in_order()
        share = ceil(len(order) / count)
        threads = [
            Thread(target=self._ask, args=(one, order[at : at + share]), name="audit")
            for one, at in zip(helpers, range(0, len(order), share), strict=False)
        ]
        stack.callback(_end, helpers, threads)
        for thread in threads:
            thread.start()

    def _in_order(self) -> list[StoredDump]:
        """A dump in parts where its first part is due, which differs in all dumps: the others are
        in chains of their own that run alike."""
        by_blob: dict[str, list[StoredDump]] = {}
        for dump in self._wanted:
            try:
                parts = read_tree(self._reader, dump.parts) if dump.parts else {}
            except DataRepoError:  # whoever reads the dump itself says so
                parts = {}
            first = parts[min(parts)].sha if parts else dump.blob
            by_blob.setdefault(first, []).append(dump)
        return [dump for blob in reading_order(self._repo, [*by_blob]) for dump in by_blob[blob]]

    def _ask(self, asked: _Helper, dumps: Sequence[StoredDump]) -> None:
        for dump in dumps:
            try:
                found = asked.recount(dump)
            except DataRepoError as error:
                self._coming[dump].set_exception(error)
            else:
                self._coming[dump].set_result(found)


class _Helper(Struct, frozen=True):
    process: subprocess.Popen[bytes]
    connection: Connection

    def recount(self, dump: StoredDump) -> Layout | str:
        try:
            self.connection.send(dump)
            answer: Layout | str | DataRepoError = self.connection.recv()
        except (EOFError, OSError) as error:
            raise DataRepoError(
                "a process that reads dumps has ended before its answer",
                hint="run again; if it ends again, the system's log says what ended it, as a lack "
                "of memory does.",
            ) from error
        if isinstance(answer, DataRepoError):
            raise answer
        return answer


@contextmanager
def _helper(repo: DataRepo) -> Iterator[_Helper]:
    with helper(_HELPER, str(repo.path), str(repo.settings.timeout_seconds)) as started:
        yield _Helper(*started)


def _end(helpers: Sequence[_Helper], threads: Sequence[Thread]) -> None:
    """Before anybody closes the pipes that a thread may be waiting at."""
    for one in helpers:
        end_group(one.process)
    for thread in threads:
        if thread.ident is not None:  # it was started
            thread.join()
