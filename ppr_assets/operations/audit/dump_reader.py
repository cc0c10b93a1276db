"""Read many dumps out of git, several at a time and in their order, ahead of whoever asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue

import ppr_assets
from ppr_assets.child_process import kill_group, supervised
from ppr_assets.data_repo.object_reader import ObjectReader
from ppr_assets.data_repo.repository import DataRepo
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.recount import layout_from, recount
from ppr_assets.postgres.layout import Layout

AT_MOST = 4
"""Dumps that are read at once; git holds each of them in memory as a whole."""

_WORTH_A_HELPER = 3
"""Dumps for each; a process needs some time to start."""

_HELPER = "ppr_assets.operations.recount"


class DumpReader:
    """Reads each blob once, whatever names it has: the same data give the same dump. A few are
    not worth other processes and are read here. Use as a context manager."""

    def __init__(self, repo: DataRepo, reader: ObjectReader, blobs: Iterable[str]) -> None:
        self._reader = reader
        self._known: dict[str, Layout | str] = {}
        self._stack = ExitStack()
        wanted = list(dict.fromkeys(blobs))
        count = min(AT_MOST, os.cpu_count() or 1, len(wanted) // _WORTH_A_HELPER)
        self._helpers = [self._start(repo) for _ in range(count if count > 1 else 0)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for helper in self._helpers:
            self._idle.put(helper)
        self._pool = ThreadPoolExecutor(max(count, 1), thread_name_prefix="audit")
        self._coming = {
            blob: self._pool.submit(self._ask, blob) for blob in wanted if self._helpers
        }

    def __enter__(self) -> DumpReader:
        return self

    def __exit__(self, *_: object) -> None:
        for helper in self._helpers:  # whoever waits for one hears that it has ended
            kill_group(helper)
        self._pool.shutdown(cancel_futures=True)
        self._stack.close()

    def read(self, blob: str) -> Layout | str:
        """What the dump holds, or why that cannot be told. Raises :class:`DataRepoError`."""
        if blob in self._coming:
            return self._coming[blob].result()
        if blob not in self._known:
            self._known[blob] = recount(self._reader, blob)
        return self._known[blob]

    def _start(self, repo: DataRepo) -> subprocess.Popen[bytes]:
        helper = self._stack.enter_context(
            supervised(
                [sys.executable, "-m", _HELPER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(ppr_assets.__file__).parents[1],  # found, whether installed or not
            )
        )
        clone = {"path": str(repo.path), "timeout_seconds": repo.settings.timeout_seconds}
        _tell(helper, json.dumps(clone))
        return helper

    def _ask(self, blob: str) -> Layout | str:
        """From a thread of the pool, of which there are as many as helpers."""
        helper = self._idle.get()
        try:
            _tell(helper, blob)
            assert helper.stdout is not None  # a pipe
            answer = helper.stdout.readline()
        finally:
            self._idle.put(helper)
        if not answer:
            raise DataRepoError("a process that reads dumps has ended before its answer")
        found = json.loads(answer)
        if "error" in found:
            raise DataRepoError(found["error"], hint=found["hint"])
        damage: str | None = found.get("damage")
        return layout_from(found["layout"]) if damage is None else damage


def _tell(helper: subprocess.Popen[bytes], line: str) -> None:
    assert helper.stdin is not None  # a pipe
    with suppress(BrokenPipeError):  # the answer will be missing
        # Less than a pipe holds, and past Python's buffer, which would fail once more when closed.
        os.write(helper.stdin.fileno(), line.encode() + b"\n")
