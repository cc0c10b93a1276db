"""Run pg_dump on an exported snapshot and write its canonical form to a file.

pg_dump alone decides whether its output is worth anything: its exit code is looked at before
anything else is believed, and its own words are passed on, without those that may quote a row.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, BinaryIO

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.child_process import supervised
from ppr_assets.errors import DumpDamaged, DumpFailed
from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.plain_sql.published_rows import PublishedRows
from ppr_assets.postgres.client_tools import ClientTool
from ppr_assets.postgres.sessions.failures import (
    ON_STANDBY,
    UNREADABLE,
    collided_on_standby,
    tells_of_damage,
)
from ppr_assets.postgres.sessions.libpq import APPLICATION_NAME, alive_options
from ppr_assets.postgres.snapshot.giving_way import Watch, giving_way
from ppr_assets.progress import counted
from ppr_assets.rules.finds.judgement import Finds
from ppr_assets.rules.naming import key_names
from ppr_assets.rules.profile.columns import Profile
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.publication.policy import LARGE_OBJECTS
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.settings import DatabaseSettings, child_environment

_LOCK_MILLISECONDS = 1000
"""How long pg_dump may wait for one table while it holds the others."""

_CHUNK = 1024 * 1024
_READ = 128 * 1024
"""Bytes of rows at once: fewer than a processor has at hand, since they are gone through often."""
_LOOK_SECONDS = 0.002


class WrittenDump(Struct, frozen=True):
    """A whole dump on the disk: its size in bytes, its SHA-256, and each table's rows.

    Of one that is to be published also how many values were ``withheld``, by table and column, what
    was found in the others, their profile, and the schema that it makes.
    """

    bytes: int
    sha256: str
    tables: Mapping[str, TableRecord]
    withheld: Mapping[tuple[str, str], int] = field(default_factory=dict)
    finds: Finds = field(default_factory=Finds)
    profile: Profile = field(default_factory=dict)
    schema: Schema | None = None


class PgDump(Struct, frozen=True):
    """How to dump a database: by ``plan``, what it withholds stays out; without one, the whole of
    it; without ``rows`` only what would hold them. ``search_path`` takes the place of pg_dump's
    empty one."""

    tool: ClientTool
    settings: DatabaseSettings
    stall_seconds: float
    search_path: Sequence[str] = ()
    rows: bool = True
    plan: Plan | None = None

    def write(self, snapshot: str, target: Path) -> WrittenDump:
        """Dump ``snapshot`` to ``target``, which must not exist. Whoever keeps it has it on the
        disk: what has not changed, and what is cut into parts, need not wait for that.

        Raises :class:`Disturbed` when somebody waits for a table that pg_dump has, or has one that
        it waits for; :class:`DumpFailed` when pg_dump exits with an error, is killed, writes
        nothing for ``stall_seconds``, or the file cannot be written, and :class:`DumpDamaged` when
        it claims success but the dump is not whole. ``target`` is then removed.
        """
        try:
            with target.open("x+b", buffering=_CHUNK) as file:
                written = self._write_into(file, snapshot)
            with target.open("rb") as file:  # read back: what is in the file is what is described
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = os.fstat(file.fileno()).st_size
                return replace(written, bytes=size, sha256=digest)
        except FileExistsError as error:  # somebody else's, so it stays
            raise DumpFailed(
                f"`{target}` is there already",
                hint="another run writes a dump in the same folder; run again.",
            ) from error
        except BaseException as error:
            target.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise DumpFailed(
                    f"could not write the dump to `{target.parent}`: {error.strerror or error}",
                    hint="is the disk full or read-only? Nothing was published.",
                ) from error
            raise

    def _write_into(self, file: BinaryIO, snapshot: str) -> WrittenDump:
        folder = Path(file.name).parent
        name = f"{APPLICATION_NAME} pg_dump {snapshot}"  # which one, for whoever looks there
        with (
            giving_way(self.settings, name) as watch,
            tempfile.TemporaryFile() as words,
            tempfile.TemporaryFile(dir=folder, buffering=0) as raw,
            supervised(
                self._command(snapshot),
                stdin=subprocess.DEVNULL,
                stdout=raw,
                stderr=words,
                env=child_environment(watch.environment),
            ) as process,
        ):
            output = _Output(process, raw.fileno(), self.stall_seconds, watch)
            try:
                return self._canonical(output, file, words)
            except DumpFailed as error:
                if disturbance := watch.disturbance():
                    raise disturbance from error
                raise

    def _canonical(self, output: _Output, file: BinaryIO, words: IO[bytes]) -> WrittenDump:
        folder = Path(file.name).parent
        published = PublishedRows(self.plan) if self.plan else None
        try:
            dump = canonicalize(
                counted(output.chunks()),
                file,
                spill_folder=folder,
                search_path=self.search_path,
                published=published,
            )
        except DumpDamaged:
            if output.ended:  # cut off because pg_dump failed? Then its own words say more
                _require_success(output.process, words)
            raise
        _require_success(output.process, words)
        written = WrittenDump(0, "", dump.tables)
        if published is None:
            return written
        return replace(
            written,
            withheld=published.withheld_values,
            finds=published.finds,
            profile=published.profile,
            schema=published.schema(),
        )

    def _command(self, snapshot: str) -> list[str]:
        return [
            str(self.tool.path),
            "--no-owner",
            "--no-privileges",
            "--if-exists",
            "--clean",
            "--no-subscriptions",  # their connection strings may hold a password
            "--no-password",
            f"--lock-wait-timeout={_LOCK_MILLISECONDS}",
            f"--snapshot={snapshot}",
            *alive_options(),
            *([] if self.rows else ["--schema-only"]),
            *self._left_out(),
        ]

    def _left_out(self) -> Iterator[str]:
        left_out = [*self.plan.without_rows, *self.plan.without_values] if self.plan else []
        for key in left_out:
            if key == LARGE_OBJECTS:
                yield "--no-blobs"
            else:
                yield f"--exclude-table-data={_pattern(key)}"


def _pattern(key: str) -> str:
    """For this table and no other: within quotes no letter of a pattern means anything else."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in key_names(key))


class _Output:
    """What pg_dump writes, in chunks, with a limit on its silence.

    It writes to a file without a name and is read from there: a pipe would hold it up, and with
    it the snapshot that the database keeps for it, whenever the rows of a table are sorted.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        descriptor: int,
        stall_seconds: float,
        watch: Watch,
    ) -> None:
        self.process = process
        self._descriptor = descriptor
        self._stall_seconds = stall_seconds
        self._watch = watch
        self.ended = False

    def chunks(self) -> Iterator[bytes]:
        position, heard = 0, monotonic()
        while True:
            ended = self.process.poll() is not None  # first, so that its last words are read
            chunk = os.pread(self._descriptor, _READ, position)
            if not ended:  # an ended one tells more about why
                self._watch.require_eyes()
            if chunk:
                position += len(chunk)
                yield chunk
                heard = monotonic()
            elif ended:
                self.ended = True
                return
            elif monotonic() - heard > self._stall_seconds:
                raise _silent(self._stall_seconds)
            else:
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(_LOOK_SECONDS)


def _require_success(process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
    code = process.wait()  # its output has ended because it has
    if code != 0:
        words.seek(0)
        said = _own_words(words.read().decode("utf-8", "replace"))
        how = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
        if "SET TRANSACTION SNAPSHOT" in said:
            raise DumpFailed(
                f"pg_dump does not find our snapshot on the server that it came to: {said}",
                hint="is POSTGRES_HOST a load balancer, or the name of several readers? "
                "PPR_DIRECT_HOST and PPR_DIRECT_PORT name one server. Nothing was published.",
            )
        raise DumpFailed(f"pg_dump failed ({how}): {said or 'it said nothing'}", hint=_hint(said))


def _own_words(said: str) -> str:
    """The first lines of its messages. What the server says behind them, and what functions of the
    database let it say between them, may quote rows that nobody is to read."""
    return " ".join(" ".join(re.findall(r"^\S*pg_dump\S*: .*", said, re.MULTILINE)).split())


def _hint(said: str) -> str:
    if tells_of_damage(said):
        return UNREADABLE
    if collided_on_standby(said):
        return ON_STANDBY
    room = "make room: pg_dump writes in the data repository, a server on its own disk. "
    return f"{room if 'No space left' in said else ''}Nothing was published; the last dump stands."


def _silent(seconds: float) -> DumpFailed:
    return DumpFailed(
        f"pg_dump wrote nothing for {seconds:g} s and was ended",
        hint="is a migration holding a lock on a table, or the server overloaded? "
        "SQL_DUMP_STALL_SECONDS sets the limit.",
    )
