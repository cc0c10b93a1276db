"""Where a line of a plain-SQL dump stands: in a statement, or inside something quoted.

A function body or a text default may hold a line that looks like ``COPY x FROM stdin;``. Only a
scanner that follows PostgreSQL's lexical rules (documentation, "Lexical Structure") can tell it
from a real one; guessing would sort the lines of somebody's function.
"""

from __future__ import annotations

import re

_IDENTIFIER = rb"A-Za-z0-9_\x80-\xff$"


def alone(byte: bytes) -> bytes:
    """This byte, where nothing of an identifier stands before it. The byte itself stands first: a
    pattern whose alternatives all begin with a byte finds its places many times faster."""
    return byte + rb"(?<![" + _IDENTIFIER + rb"]" + byte + rb")"


TAG = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*"
"""Between the dollars of a dollar-quoted text."""
_OPENING = re.compile(
    rb"--[^\n]*"
    rb"|/\*"
    rb"|" + alone(rb"e") + rb"'"
    rb"|" + alone(rb"E") + rb"'"
    rb"|'"
    rb'|"'
    rb"|" + alone(rb"\$") + rb"(?:" + TAG + rb")?\$"
    rb"|\\"
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_STRING_END = re.compile(rb"'")
_ESCAPE_STRING_END = re.compile(rb"\\.|''|(?P<end>')", re.DOTALL)
_IDENTIFIER_END = re.compile(rb'"')


class SqlScanner:
    """Follows quotes and comments over the lines of a dump (with standard_conforming_strings on).

    ``top_level`` is true where the next byte belongs to no string, identifier, dollar-quoted
    body or comment. ``command`` is true once a backslash has stood there: no SQL has one, so psql
    takes what follows for a command of its own.
    """

    def __init__(self) -> None:
        self._closing: re.Pattern[bytes] | None = None
        self._depth = 0  # PostgreSQL's block comments nest
        self.command = False

    @property
    def top_level(self) -> bool:
        return self._closing is None

    def feed(self, line: bytes) -> None:
        """Read one line (or several), newline included."""
        position = 0
        while True:
            if self._closing is None:
                found = _OPENING.search(line, position)
            else:
                found = self._closing.search(line, position)
            if found is None:
                return
            position = found.end()
            if self._closing is None:
                self._open(found.group())
            else:
                self._close(found)

    def _open(self, token: bytes) -> None:
        if token.startswith(b"--"):
            return
        if token == b"\\":
            self.command = True
        elif token == b"/*":
            self._closing, self._depth = _COMMENT_EDGE, 1
        elif token == b"'":
            self._closing = _STRING_END
        elif token == b'"':
            self._closing = _IDENTIFIER_END
        elif token.endswith(b"'"):
            self._closing = _ESCAPE_STRING_END
        else:
            self._closing = re.compile(re.escape(token))

    def _close(self, found: re.Match[bytes]) -> None:
        if self._closing is _COMMENT_EDGE:
            self._depth += 1 if found.group() == b"/*" else -1
            if self._depth == 0:
                self._closing = None
        elif self._closing is not _ESCAPE_STRING_END or found.group("end"):
            self._closing = None
