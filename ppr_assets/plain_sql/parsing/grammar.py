"""The grammar of a plain-SQL dump: its header, its statements, its rows, its closing comment.

Everything that reads a dump reads it through here, so that all agree on what is a statement, what
is a row, and what only looks like one because somebody wrote it into a function or a name. What
pg_dump would not write is damage: psql would run it all the same, and say nothing of what is
missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.line_reader import LineReader
from ppr_assets.plain_sql.parsing.pieces import Line, Piece, Restrict, copy_rows, shown
from ppr_assets.plain_sql.parsing.scanner import SqlScanner

_TITLE = (b"--\n", b"-- PostgreSQL database dump\n", b"--\n")
_COMPLETE = b"-- PostgreSQL database dump complete\n"
_AFTER_COMPLETE = (b"--\n", b"\n")
_RESTRICT = re.compile(rb"\\(un)?restrict ([0-9A-Za-z]+)\n")


def pieces(chunks: Iterable[bytes], *, quoting: bool = True) -> Iterator[Piece]:
    """The dump from its first byte to its last; together the pieces, and the ``\\.`` line that
    follows the rows of each COPY, are the dump. Without ``quoting`` no error says what stands
    where something else should: it may be a row that nobody is to see.

    Raises :class:`DumpDamaged` with the byte offset of the first thing that pg_dump would not
    write: another beginning, a psql command, a quote or a COPY block that never ends, a table
    with two COPY blocks, no closing comment, something after it, or a ``\\restrict`` without its
    partner.
    """
    return _Parser(LineReader(chunks), quoting).run()


class _Parser:
    def __init__(self, reader: LineReader, quoting: bool) -> None:
        self._reader = reader
        self._quoting = quoting
        self._scanner = SqlScanner()
        self._open = False  # a statement has begun and not ended
        self._statements = 0
        self._quote_line = 0  # offset of the line that a quote was opened on
        self._key: str | None = None
        self._keys_seen: set[str] = set()

    def run(self) -> Iterator[Piece]:
        yield from self._title()
        start = self._reader.offset
        while line := self._reader.next_line():
            if not self._scanner.top_level:
                yield self._line(start, line)
            elif line.startswith(b"\\"):
                yield self._restrict(start, line)
            elif line.startswith(b"COPY "):
                yield from self._copy(start, line)
            elif line == _COMPLETE:
                yield Line(start, line, between=True)
                yield from self._ending()
                return
            else:
                yield self._line(start, line)
            start = self._reader.offset
        self._cut_off("it has no closing comment")

    def _title(self) -> Iterator[Piece]:
        for expected in _TITLE:
            start = self._reader.offset
            line = self._reader.next_line()
            if line != expected:
                if expected.startswith(line) and start + len(line) == self._reader.end():
                    self._cut_off("it has no closing comment")
                raise DumpDamaged(f"it does not begin as a plain-SQL dump at byte {start}")
            yield Line(start, line, between=True)

    def _line(self, start: int, line: bytes) -> Line:
        quoted = not self._scanner.top_level
        begins = not (self._open or quoted)
        if begins and (line == b"\n" or line.startswith(b"--")):
            return Line(start, line, between=True)
        self._scanner.feed(line)
        if self._scanner.command and self._key is None:
            self._no_command(start, line)
        if not self._scanner.top_level:
            self._quote_line = self._quote_line if quoted else start
        ends = self._scanner.top_level and line.rstrip().endswith(b";")
        self._open = not ends
        self._statements += begins
        return Line(start, line, begins, ends, quoted=quoted)

    def _restrict(self, start: int, line: bytes) -> Restrict:
        found = _RESTRICT.fullmatch(line)
        if found is None or found.group(1) or self._key is not None or self._statements:
            if not line.endswith(b"\n"):
                self._cut_off("it has no closing comment")
            self._no_command(start, line)
        self._key = found.group(2).decode()
        return Restrict(start, line, self._key, found.start(2))

    def _copy(self, start: int, line: bytes) -> Iterator[Piece]:
        parts = [self._line(start, line)]
        while not self._scanner.top_level:  # a name with a newline in it
            at = self._reader.offset
            more = self._reader.next_line()
            if not more:
                self._cut_off_in_quote()
            parts.append(self._line(at, more))
        statement = b"".join(part.text for part in parts)
        if not statement.endswith(b" FROM stdin;\n"):
            yield from parts
            return
        copy = copy_rows(start, statement, self._rows)
        if copy is None:
            raise DumpDamaged(
                f"a COPY statement that pg_dump would not write at byte {start}"
                f"{self._quote(statement)}"
            )
        if copy.key in self._keys_seen:
            raise DumpDamaged(
                f"{copy.key} has two COPY blocks, the second at byte {start}, one is right",
                hint="nothing was changed. One made by `pg_dump --load-via-partition-root` is made "
                "again without it; else take another dump: `ppr-assets list` names them.",
            )
        self._keys_seen.add(copy.key)
        yield copy
        for _ in copy.rows:  # whoever did not want them
            pass

    def _rows(self, key: str) -> Iterator[bytes]:
        try:
            yield from self._reader.rows()
        except EOFError:
            self._cut_off(f"inside the rows of {key}")

    def _ending(self) -> Iterator[Piece]:
        for expected in _AFTER_COMPLETE:
            yield self._expected(expected)
        if self._key is not None:
            yield self._unrestrict(self._key)
            yield self._expected(b"\n")
        start = self._reader.offset
        while line := self._reader.next_line():
            if line.startswith(b"\\"):
                self._no_command(start, line)
            if line != b"\n" and not line.startswith(b"--"):
                self._goes_on(start, line)
            yield Line(start, line, between=True)
            start = self._reader.offset

    def _expected(self, expected: bytes) -> Line:
        start = self._reader.offset
        line = self._reader.next_line()
        if line != expected:
            if expected.startswith(line):
                self._cut_off("inside its closing comment")
            self._goes_on(start, line)
        return Line(start, line, between=True)

    def _unrestrict(self, key: str) -> Restrict:
        start = self._reader.offset
        line = self._reader.next_line()
        found = _RESTRICT.fullmatch(line)
        if found is None or not found.group(1):
            if f"\\unrestrict {key}\n".encode().startswith(line):
                self._cut_off("it has \\restrict without \\unrestrict")
            self._goes_on(start, line)
        if found.group(2).decode() != key:
            raise DumpDamaged(f"\\unrestrict has another key than \\restrict at byte {start}")
        return Restrict(start, line, key, found.start(2))

    def _cut_off(self, how: str) -> NoReturn:
        if not self._scanner.top_level:
            self._cut_off_in_quote()
        raise DumpDamaged(f"the dump was cut off at byte {self._reader.end()}: {how}")

    def _cut_off_in_quote(self) -> NoReturn:
        raise DumpDamaged(
            f"the dump ends at byte {self._reader.end()} inside a quoted text that began in the "
            f"line at byte {self._quote_line}"
        )

    def _no_command(self, start: int, line: bytes) -> NoReturn:
        hint = ""
        if line.startswith((b"\\connect ", b"\\unrestrict ")):
            hint = "was it made with `pg_dump --create`? Make it without."
        raise DumpDamaged(
            f"a psql command where none belongs at byte {start}{self._quote(line)}", hint=hint
        )

    def _goes_on(self, start: int, line: bytes) -> NoReturn:
        raise DumpDamaged(
            f"the dump goes on after its closing comment at byte {start}{self._quote(line)}"
        )

    def _quote(self, text: bytes) -> str:
        return f": {shown(text)}" if self._quoting else ""
