"""What a value in a dump means, as it would be read: without the escapes of COPY and of JSON, and
bytes that are written in hexadecimal digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = rb"((?:[0-9a-f]{32})+(?:[0-9a-f]{2})*)"
HEX = re.compile(rb"\\x" + _DIGITS)
HEX_IN_ROWS = re.compile(rb"\\\\x" + _DIGITS)
HEX_IN_SQL = re.compile(rb"'\\x" + _DIGITS + rb"'")
"""What may be long enough to hide a form: as it is meant, as COPY writes it, and in statements."""

_ESCAPED_BY_COPY = {b"\\" + one: bytes([n]) for one, n in zip(
    (b"b", b"f", b"n", b"r", b"t", b"v"), b"\b\f\n\r\t\v", strict=True
)}  # fmt: skip
_ESCAPED_BY_JSON = re.compile(rb'\\(?:u([0-9A-Fa-f]{4})|([bfnrt"\\/]))')
_JSON_IN_JSON = 3
_LETTERS = dict(zip(b"bfnrt", b"\b\f\n\r\t", strict=True))


def in_digits(form: re.Pattern[bytes], text: bytes) -> Iterator[bytes]:
    for digits in form.findall(text):
        yield from bytes_of(digits)


def bytes_of(digits: bytes) -> Iterator[bytes]:
    """The bytes that hexadecimal digits stand for, and the text that they are if it is UTF-16."""
    data = bytes.fromhex(digits.decode())
    yield data
    if b"\0" in data:
        yield data.replace(b"\0", b"")


def meaning(value: bytes) -> bytes:
    return without_json_escapes(without_copy_escapes(value))


def without_copy_escapes(value: bytes) -> bytes:
    if b"\\" not in value:
        return value
    parts = value.split(b"\\\\")
    for written, meant in _ESCAPED_BY_COPY.items():
        parts = [part.replace(written, meant) for part in parts]
    return b"\\".join(parts)


def without_json_escapes(value: bytes) -> bytes:
    """What a text means if it is JSON, or JSON in JSON; where it is not, no form is lost."""
    for _ in range(_JSON_IN_JSON):
        if b"\\" not in value:
            break
        value = _ESCAPED_BY_JSON.sub(_unescaped, value)
    return value


def with_quotes_once(text: bytes) -> Iterator[bytes]:
    """It as it is, and as it is meant where quotes in texts are doubled: in SQL, in CSV, and in a
    row that is a column's value."""
    yield text
    if b'""' in text or b"''" in text:
        yield text.replace(b'""', b'"').replace(b"''", b"'")


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match.group(1):
        return chr(int(match.group(1), 16)).encode("utf-8", "replace")
    letter = match.group(2)
    return bytes([_LETTERS.get(letter[0], letter[0])])
