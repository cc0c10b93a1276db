"""Whether a database has every object of a dump, the same and valid.

pg_dump is asked, since it knows best what a table, a key or a view is: it writes the database's
objects without their rows, and those entries are held to the dump's. An index that is not valid it
leaves out, a constraint that was not checked it writes as NOT VALID. What it does not write
without the rows, sequences' values and whether a materialized view is filled, is asked besides.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ppr_assets.child_process import supervised
from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.postgres.client_tools import ClientTool, find_tool
from ppr_assets.postgres.connection import pinned_environment
from ppr_assets.postgres.large_objects import large_object_differences
from ppr_assets.postgres.layout import Entry, Layout, read_layout
from ppr_assets.postgres.load.dump_file import CHUNK, DumpFile, PlainDump
from ppr_assets.postgres.load.session import open_session
from ppr_assets.postgres.value_content import value_differences
from ppr_assets.settings import DatabaseSettings, child_environment

_NOT_COMPARED = frozenset(
    {
        "ACL",  # left out of the dumps made here, as are owners and subscriptions
        "DEFAULT ACL",
        "SUBSCRIPTION",
        "DATABASE",
        "BLOB",
        "BLOB METADATA",
        "BLOBS",
        "TABLE DATA",
        "SEQUENCE SET",
        "STATISTICS DATA",
        "MATERIALIZED VIEW DATA",
    }
)
_COMPARED_BY_NAME = frozenset(
    {
        "CHECK CONSTRAINT",
        "CONSTRAINT",
        "DOMAIN",
        "EVENT TRIGGER",
        "EXTENSION",
        "FK CONSTRAINT",
        "FUNCTION",
        "INDEX",
        "MATERIALIZED VIEW",
        "POLICY",
        "SCHEMA",
        "SEQUENCE",
        "TABLE",
        "TRIGGER",
        "TYPE",
        "VIEW",
    }
)
"""What every version of pg_dump calls the same."""

_LOOK_SECONDS = 0.2

_OWNER = re.compile(rb"^ALTER [^\n]* OWNER TO [^\n]*;\n", re.MULTILINE)
Object = tuple[str, str, str]
"""Kind, schema, name."""


def schema_differences(
    settings: DatabaseSettings,
    dump: PlainDump,
    layout: Layout,
    *,
    spill_folder: Path,
    deadline: Deadline,
    going_on: Callable[[], None] = lambda: None,
) -> Sequence[str]:
    """Hold the objects in ``settings.dbname`` to those of ``dump``.

    What a human reads; empty when equal. Definitions are compared word for word when the dump was
    made by the same pg_dump from a server of the same major version, else only names.
    ``going_on`` is called now and then, and raises when nobody wants to know any more. Raises
    :class:`RestoreFailed` when the database cannot be looked at.
    """
    with DumpFile(dump) as file, open_session(settings, layout.encoding) as connection:
        tool = find_tool(
            "pg_dump", connection.info.server_version // 10000, sslmode=settings.sslmode
        )
        with tempfile.NamedTemporaryFile(dir=spill_folder, suffix=".sql") as written:
            _write_objects(tool, settings, Path(written.name), layout.encoding, deadline, going_on)
            found_layout = _layout_of(Path(written.name), spill_folder)
            with DumpFile(Path(written.name)) as found_file:
                expected = _objects(layout, file)
                found = _objects(found_layout, found_file)
        same_words = _comparable(layout, found_layout)
        return [
            *_object_differences(expected, found, words=same_words),
            *value_differences(connection, layout, file),
            *large_object_differences(connection, layout, file),
        ]


def _write_objects(
    tool: ClientTool,
    settings: DatabaseSettings,
    target: Path,
    encoding: str,
    deadline: Deadline,
    going_on: Callable[[], None],
) -> None:
    argv = [str(tool.path), "--schema-only", "--no-owner", "--no-privileges"]
    argv += ["--no-subscriptions", "--no-password", f"--file={target}", f"--encoding={encoding}"]
    environment = child_environment(pinned_environment(settings))
    with (
        tempfile.TemporaryFile() as words,
        supervised(
            argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment
        ) as process,
    ):
        while (code := _ended(process)) is None:
            deadline.require("comparing the objects")
            going_on()
        if code != 0:
            words.seek(0)
            said = " ".join(words.read(64 * 1024).decode("utf-8", "replace").split())
            raise RestoreFailed(
                f"pg_dump could not read the restored database (exit code {code}): {said[:600]}",
                hint="nothing was put in place; the database serves as before.",
            )


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(_LOOK_SECONDS)
    return None


def _layout_of(path: Path, spill_folder: Path) -> Layout:
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(CHUNK), b"")
        return read_layout(chunks, sorted_rows=False, spill_folder=spill_folder)


def _comparable(dump: Layout, found: Layout) -> bool:
    """Whether pg_dump would write the same words for the same objects."""
    servers = (layout.server_version.split(".")[0] for layout in (dump, found))
    return dump.pg_dump_version == found.pg_dump_version and len(set(servers)) == 1


def _objects(layout: Layout, file: DumpFile) -> Mapping[Object, list[str]]:
    """Digests of the definitions; several objects may have one name in pg_dump's comments."""
    objects: dict[Object, list[str]] = {}
    for entry in layout.entries:
        if entry.kind not in _NOT_COMPARED and not entry.name.startswith("LARGE OBJECT "):
            key = (entry.kind, entry.schema, entry.name)
            objects.setdefault(key, []).append(_digest(entry, file))
    return objects


def _digest(entry: Entry, file: DumpFile) -> str:
    text = _OWNER.sub(b"", file.read(entry.start, entry.end))
    where = entry.tablespace.encode("utf-8", "surrogateescape")
    return hashlib.sha256(where + b"\n" + text.strip()).hexdigest()


def _object_differences(
    expected: Mapping[Object, list[str]], found: Mapping[Object, list[str]], *, words: bool
) -> Iterator[str]:
    for key in sorted(expected.keys() | found.keys()):
        if not words and key[0] not in _COMPARED_BY_NAME:
            continue
        want, have = expected.get(key, []), found.get(key, [])
        if len(have) < len(want):
            yield f"{_described(key)} is missing"
        elif len(have) > len(want):
            yield f"{_described(key)} is not in the dump"
        elif words and sorted(have) != sorted(want):
            yield f"{_described(key)} is another than in the dump"


def _described(key: Object) -> str:
    kind, schema, name = key
    return (
        f"{kind.lower()} {name}" if schema in ("public", "-") else f"{kind.lower()} {schema}.{name}"
    )
