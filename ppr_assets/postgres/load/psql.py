"""Load a dump with psql, in one transaction: for what is not recognised whole."""

from __future__ import annotations

import math
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from ppr_assets.child_process import supervised
from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, Range
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.sections import is_data
from ppr_assets.postgres.client_tools import ClientTool, find_tool
from ppr_assets.postgres.load.public_schema import PublicSchema, public_schema
from ppr_assets.postgres.sessions.computing import AS_SET
from ppr_assets.postgres.sessions.connection import Session, connect, pinned, pinning_statements
from ppr_assets.postgres.sessions.libpq import alive_options, client_environment
from ppr_assets.progress import counted, stage
from ppr_assets.settings import DatabaseSettings, child_environment


def load_with_psql(
    file: DumpFile,
    layout: Layout,
    settings: DatabaseSettings,
    *,
    deadline: Deadline,
    rows: bool = True,
) -> None:
    """Feed the dump to psql, without the DROPs at its head, which not all work where nothing is;
    also without what it holds as data, unless ``rows``.

    Raises :class:`RestoreFailed` with psql's words, or when ``deadline`` passes, and
    :class:`PreconditionFailed` when there is no psql for this server.
    """
    with connect(settings) as connection:
        version = connection.info.server_version
        environment = _environment(settings, connection)
        public = public_schema(connection)
    tool = find_tool("psql", version // 10000, sslmode=settings.sslmode)
    argv = [str(tool.path), "-v", "ON_ERROR_STOP=1", "-X", "-q", "-w", "-f", "-", *alive_options()]
    with (
        tempfile.TemporaryFile() as words,
        supervised(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=child_environment(environment),
        ) as process,
    ):
        assert process.stdin is not None
        parts = _parts(layout, public, rows=rows)
        feeder = _Feeder(file, parts, process.stdin, pinning_statements(version))
        with stage("loading", sum(end - start for start, end in parts)), feeder.feeding(process):
            code = _ended(process, tool, deadline)
        _require_success(code, words, tool)
        if feeder.failure is not None:
            raise feeder.failure


def _environment(settings: DatabaseSettings, connection: Session) -> dict[str, str]:
    environment = client_environment(pinned(settings, connection))
    del environment["PGTZ"]  # what is computed while it loads is so in the database's own zone
    if connection.info.options:
        environment["PGOPTIONS"] = connection.info.options
    return environment


def _ended(process: subprocess.Popen[bytes], tool: ClientTool, deadline: Deadline) -> int:
    left = deadline.remaining()
    try:
        return process.wait(None if math.isinf(left) else left)
    except subprocess.TimeoutExpired:
        deadline.require(f"loading with {tool.path.name}")
        raise


def _parts(layout: Layout, public: PublicSchema, *, rows: bool) -> Sequence[Range]:
    """The dump but for its prologue and what is left out, in its order."""
    entries = [
        (entry.start, entry.end)
        for entry in layout.entries
        if public.leaves_out(entry) or (not rows and is_data(entry))
    ]
    left_out = (layout.prologue, *sorted([*layout.left_out_ranges, *entries]))
    ends = [0, *(end for _, end in left_out)]
    starts = [*(start for start, _ in left_out), layout.bytes]
    return list(zip(ends, starts, strict=True))


class _Feeder(threading.Thread):
    """Writes the dump to psql while the deadline is watched: after ``opening``, in a transaction
    whose COMMIT comes behind its last byte, so that half a dump is none."""

    def __init__(
        self, file: DumpFile, parts: Sequence[Range], pipe: IO[bytes], opening: bytes
    ) -> None:
        super().__init__(name="psql feeder")
        self._file = file
        self._parts = parts
        self._pipe = pipe
        self._opening = opening
        self.failure: RestoreFailed | OSError | None = None

    @contextmanager
    def feeding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            process.kill()  # so that the pipe breaks
            self.join()

    def run(self) -> None:
        try:
            with suppress(BrokenPipeError), self._pipe:  # psql has ended, and says why
                self._pipe.write(self._opening + AS_SET + b"BEGIN;\n")
                for part in self._parts:
                    for chunk in counted(self._file.chunks(*part)):
                        self._pipe.write(chunk)
                self._pipe.write(b"\nCOMMIT;\n")
        except (RestoreFailed, OSError) as error:
            self.failure = error


def _require_success(code: int, words: IO[bytes], tool: ClientTool) -> None:
    if code == 0:
        return
    words.seek(0)
    said = " ".join(words.read(64 * 1024).decode("utf-8", "replace").split())
    how = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
    hint = "nothing was put in place; the database serves as before."
    if "\\restrict" in said:
        hint = f"psql {tool.version} does not know \\restrict; install its newest minor version."
    raise RestoreFailed(
        f"psql could not restore the dump ({how}): {said[:600] or 'it said nothing'}", hint=hint
    )
