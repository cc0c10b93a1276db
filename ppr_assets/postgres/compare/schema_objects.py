"""The objects of a dump, and those of a database as pg_dump sees them: their definitions by name.

pg_dump knows best what a table, a key or a view is. An index that is not valid it leaves out, a
constraint that was not checked it writes as NOT VALID.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from msgspec import Struct

from ppr_assets.child_process import supervised
from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.plain_sql.parsing.byte_ranges import CHUNK, DumpFile
from ppr_assets.plain_sql.parsing.layout import Entry, Layout, read_layout
from ppr_assets.plain_sql.parsing.sections import is_data
from ppr_assets.plain_sql.schema import schema_of
from ppr_assets.postgres.client_tools import ClientTool
from ppr_assets.postgres.load.public_schema import PublicSchema
from ppr_assets.postgres.sessions.failures import client_failure
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.settings import child_environment

_NOT_COMPARED = frozenset({"ACL", "DEFAULT ACL", "SUBSCRIPTION", "DATABASE"})
"""Left out of the dumps made here, as are owners, or said elsewhere."""

_LOOK_SECONDS = 0.2

_OWNER = re.compile(rb"^ALTER [^\n]* OWNER TO [^\n]*;\n", re.MULTILINE)


class Object(NamedTuple):
    """As pg_dump's comment calls it."""

    kind: str
    schema: str
    name: str

    def __str__(self) -> str:
        schema = "" if self.schema in ("public", "-") else f"{self.schema}."
        return f"{self.kind.lower()} {schema}{self.name}"


Objects = Mapping[Object, list[str]]
"""Definitions, sorted: several objects may have one name in pg_dump's comments."""


class Within(Struct, frozen=True):
    """Where a look may write, and when it stops: ``going_on`` is called now and then, and raises
    when nobody wants to know any more."""

    spill_folder: Path
    deadline: Deadline
    going_on: Callable[[], None] = lambda: None


class SchemaLook(Struct, frozen=True):
    """How to look at databases, each by the ``environment`` that pg_dump is to have there. What
    ``public`` leaves out is not looked at."""

    tool: ClientTool
    encoding: str
    public: PublicSchema
    within: Within

    def at(self, environment: Mapping[str, str]) -> tuple[Layout, Objects]:
        """What pg_dump writes of this database. Raises :class:`RestoreFailed`."""
        with self._written(environment) as path:
            with path.open("rb") as file:
                layout = read_layout(
                    _chunks(file), sorted_rows=False, spill_folder=self.within.spill_folder
                )
            with DumpFile(path) as dump:
                return layout, self.objects_of(layout, dump)

    def schema_at(self, environment: Mapping[str, str]) -> Schema:
        """As the night's dump of this database would note it. Raises :class:`RestoreFailed`."""
        with self._written(environment) as path, path.open("rb") as file:
            return schema_of(_chunks(file))

    def objects_of(self, layout: Layout, file: DumpFile) -> Objects:
        """What a dump defines; what it holds as data does not count."""
        objects: dict[Object, list[str]] = {}
        for entry in layout.entries:
            wanted = entry.kind not in _NOT_COMPARED and not is_data(entry)
            if wanted and not self.public.leaves_out(entry):
                key = Object(*entry.identity)
                objects.setdefault(key, []).append(_definition(entry, file))
        return {key: sorted(definitions) for key, definitions in objects.items()}

    @contextmanager
    def _written(self, environment: Mapping[str, str]) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(dir=self.within.spill_folder, suffix=".sql") as written:
            self._write(child_environment(environment), Path(written.name))
            yield Path(written.name)

    def _write(self, environment: Mapping[str, str], target: Path) -> None:
        argv = [str(self.tool.path), "--schema-only", "--no-owner", "--no-privileges"]
        argv += ["--no-subscriptions", "--no-password", f"--file={target}"]
        argv += [f"--encoding={self.encoding}"]
        with (
            tempfile.TemporaryFile() as words,
            supervised(
                argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment
            ) as process,
        ):
            while (code := _ended(process)) is None:
                self.within.deadline.require("comparing the objects")
                self.within.going_on()
            if code != 0:
                words.seek(0)
                said = " ".join(words.read(64 * 1024).decode("utf-8", "replace").split())
                failed = client_failure(said) or RestoreFailed
                raise failed(
                    f"pg_dump could not read the restored database (exit code {code}): "
                    f"{said[:600]}",
                    hint="nothing was put in place; the database serves as before.",
                )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


def _definition(entry: Entry, file: DumpFile) -> str:
    text = _OWNER.sub(b"", file.read(entry.start, entry.end)).strip()
    where = f"-- Tablespace: {entry.tablespace}\n" if entry.tablespace else ""
    return where + text.decode("utf-8", "surrogateescape")


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(_LOOK_SECONDS)
    return None
