"""The entries of a dump, put together line by line from pg_dump's own comments.

Only a comment between two statements can begin an entry: what looks like one inside a function, a
name or a row never gets here. Nothing here is damage; what fits into no entry is remembered as
unrecognised, and such a dump can still be given to psql from top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.inserted_rows import InsertedRows
from ppr_assets.plain_sql.parsing.pieces import (
    ENCODING,
    NAME,
    CopyRows,
    Line,
    quoted,
    shown,
    unquoted,
)
from ppr_assets.plain_sql.parsing.reach import reach_of
from ppr_assets.rules.naming import key_names

_BLOCK = re.compile(
    rb"--\n"
    rb"(?:-- TOC entry \d[^\n]*\n(?:-- Dependencies: [^\n]*\n)?)?"  # pg_dump --verbose
    rb"-- (?:(?:Data|Statistics) for )?Name: (?P<name>[^\n]*); Type: (?P<kind>[^;\n]*); "
    rb"Schema: (?P<schema>[^\n]*); Owner: [^\n]*?(?:; Tablespace: (?P<tablespace>[^\n]*))?\n"
    rb"--\n"
)
_AMBIGUOUS = re.compile(rb"; (?:Name|Type|Schema|Owner): ")
_FIELDS = 3
_DUMPED_FROM = b"-- Dumped from database version "
_DUMPED_BY = b"-- Dumped by pg_dump version "
_SETTING = (b"SET ", b"RESET ")
_SEARCH_PATH = b"SELECT pg_catalog.set_config('search_path'"
_PATH = re.compile(rb"SELECT pg_catalog\.set_config\('search_path', '((?:[^']|'')*)', false\);")
_EXTENSION = re.compile(rb"CREATE EXTENSION (?:IF NOT EXISTS )?(" + NAME + rb")")
_PROLOGUE = re.compile(
    rb"DROP |ALTER .* DROP |SELECT pg_catalog\.lo_unlink\(|CREATE OR REPLACE VIEW ", re.DOTALL
)
_REMEMBERED = 64 * 1024
"""Bytes of a statement that are looked at; what it is stands at its beginning."""
_WITH_BODY = frozenset({"FUNCTION", "PROCEDURE"})
"""Kinds of entries that may hold statements of SQL which do not run when the entry is made."""
_LARGE_OBJECTS = frozenset({"BLOB", "BLOBS", "BLOB METADATA"})
"""Kinds of entries that pg_dump puts into transactions of their own."""

Key = tuple[str, str, str]
"""Kind, schema and name of an entry."""


class CopyBlock(Struct, frozen=True):
    """A table's rows: ``start`` to ``end`` in the file, without the ``\\.`` line. ``sha256`` is
    that of the rows in the order of their bytes, each with its newline. ``statement`` is the COPY
    for these ``columns``, with its newline."""

    key: str
    statement: bytes
    columns: Sequence[str]
    start: int
    end: int
    rows: int
    sha256: str

    @property
    def table(self) -> bytes:
        """Its name as SQL has it, qualified and quoted."""
        return quoted(*key_names(self.key))


class Entry(Struct, frozen=True):
    """An object of the dump.

    ``kind``, ``schema``, ``name`` and ``tablespace`` are as pg_dump's comment has them (with spaces
    for newlines, "-" for no schema, no tablespace for that of the database); ``start`` to ``end``
    is its SQL, for a table's data with the ``\\.`` line. A SET that pg_dump wrote above the
    comment, for this entry and those after it, belongs to none.
    """

    kind: str
    schema: str
    name: str
    start: int
    end: int
    copy: CopyBlock | None = None
    tablespace: str = ""

    @property
    def identity(self) -> Key:
        return self.kind, self.schema, self.name


class EntryCollector:
    """Takes the pieces of a dump in their order."""

    def __init__(self) -> None:
        self.server_version = ""
        self.pg_dump_version = ""
        self.encoding = ""
        self.search_path = ""
        self.header = (0, 0)
        self.prologue = (0, 0)
        self.extensions: list[str] = []
        self.unrecognised = ""
        self.own_transaction = ""
        self.inserted = InsertedRows()
        self._entries: list[Entry] = []
        self._entry: Entry | None = None
        self._comment = b""
        self._statement = bytearray()
        self._start = 0

    def line(self, line: Line) -> None:
        if line.between:
            self._between(line)
            return
        if line.begins:
            self._comment = b""
            self._start = line.start
            self._statement.clear()
        if len(self._statement) < _REMEMBERED:
            self._statement += line.text
        self.inserted.line(line)
        if line.ends:
            self._finish_statement(line.start + len(line.text))

    def copy(self, rows: CopyRows, block: CopyBlock) -> None:
        end = block.end + len(b"\\.\n")
        entry = self._entry
        if entry is None or entry.kind != "TABLE DATA" or entry.end > entry.start:
            self._do_not_recognise(rows.statement)
            self._finish_entry()
            entry = Entry("TABLE DATA", rows.schema, rows.name, 0, 0)
        self._entry = replace(entry, start=rows.start, end=end, copy=block)

    def finished(self) -> tuple[Entry, ...]:
        self._finish_entry()
        return tuple(self._entries)

    def _between(self, line: Line) -> None:
        if line.text == b"\n":
            self._comment = b""
            return
        # A second "--" line ends a block, or begins one right after something else.
        self._comment += line.text
        if self._entry is None and not self._entries:
            self._version(line.text)
        if line.text == b"--\n" and len(self._comment) > len(line.text):
            found = _BLOCK.fullmatch(self._comment)
            if found:
                self._begin_entry(found, line.start + len(line.text))
            self._comment = b"" if found else line.text

    def _version(self, comment: bytes) -> None:
        if comment.startswith(_DUMPED_FROM):
            self.server_version = comment[len(_DUMPED_FROM) :].decode("utf-8", "replace").strip()
        elif comment.startswith(_DUMPED_BY):
            self.pg_dump_version = comment[len(_DUMPED_BY) :].decode("utf-8", "replace").strip()

    def _begin_entry(self, found: re.Match[bytes], at: int) -> None:
        self._finish_entry()
        kind, schema, name, tablespace = (
            (found.group(part) or b"").decode("utf-8", "surrogateescape")
            for part in ("kind", "schema", "name", "tablespace")
        )
        if len(_AMBIGUOUS.findall(found.group())) != _FIELDS:  # a name that forges another kind
            self._do_not_recognise(found.group().split(b"\n")[-3])
        self._entry = Entry(kind, schema, name, at, at, tablespace=tablespace)

    def _finish_entry(self) -> None:
        if self._entry is not None:
            self._entries.append(self._entry)
            self._entry = None

    def _finish_statement(self, end: int) -> None:
        statement = bytes(self._statement)
        self._look_at(statement)
        setting = statement.startswith(_SETTING)
        no_prologue = self.prologue[0] == self.prologue[1]
        if self._entry is not None:
            self._statement_of(self._entry, statement, setting, end)
        elif no_prologue and (setting or statement.startswith(_SEARCH_PATH)):
            self._header_setting(statement, end)
        elif _PROLOGUE.match(statement):
            self.prologue = (self._start if no_prologue else self.prologue[0], end)
        elif not setting:
            self._do_not_recognise(statement)

    def _look_at(self, statement: bytes) -> None:
        """What a statement does beside its object; one in a function's body does nothing yet."""
        kind = self._entry.kind if self._entry else ""
        in_body = kind in _WITH_BODY and not statement.startswith((b"CREATE ", b"COMMIT"))
        if not in_body:
            self.inserted.finished(statement)
        reach = reach_of(statement)
        if reach == "outside":
            raise DumpDamaged(
                f"a statement that acts outside the database at byte {self._start}: "
                f"{shown(statement)}",
                hint="pg_dump writes none into a dump of one database (one of pg_dumpall, or of "
                "`pg_dump --create`, is not one). Nothing was run: take it out of a copy of the "
                "file, and run it by hand if it is wanted.",
            )
        if reach == "transaction" and not (in_body or kind in _LARGE_OBJECTS):
            self.own_transaction = self.own_transaction or shown(statement)

    def _statement_of(self, entry: Entry, statement: bytes, setting: bool, end: int) -> None:
        """A statement below an entry's comment. The SET for the next entries stands there too."""
        if setting and entry.end > entry.start:
            return
        if entry.copy is not None:
            self._do_not_recognise(statement)
        if found := _EXTENSION.match(statement):
            self.extensions.append(unquoted(found.group(1)))
        start = entry.start if entry.end > entry.start else self._start
        self._entry = replace(entry, start=start, end=end)

    def _header_setting(self, statement: bytes, end: int) -> None:
        self.header = (self.header[0] or self._start, end)
        self.prologue = (end, end)
        if found := ENCODING.match(statement):
            self.encoding = found.group(1).decode("ascii", "replace")
        elif found := _PATH.match(statement):
            self.search_path = found.group(1).decode("utf-8", "replace").replace("''", "'")

    def _do_not_recognise(self, text: bytes) -> None:
        self.unrecognised = self.unrecognised or shown(text)
