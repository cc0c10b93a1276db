"""What a row of a dump holds, as values of SQLite: numbers where they stay exact, texts otherwise.

========================  ==========================================================
smallint, integer, bigint  INTEGER
boolean                    INTEGER: 1 and 0, which SQLite knows as TRUE and FALSE
real, double precision     REAL; NaN and infinities stay texts
numeric                    INTEGER or REAL where that is the same number, else a text
timestamp with time zone   text, its offset with minutes (``+00:00``), as SQLite's functions read it
everything else            text, as PostgreSQL writes it (arrays as ``{a,b}``, bytes as ``\\x…``)
========================  ==========================================================
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

from ppr_assets.errors import DumpDamaged

Value = int | float | str | None

_INTEGERS = frozenset({"smallint", "integer", "bigint", "oid"})
_FLOATS = frozenset({"real", "double precision"})
_NUMERIC = re.compile(r"numeric(?:\(.*\))?")
_ZONED = re.compile(r"timestamp(?:\(\d\))? with time zone")
_SAFE_DIGITS = 15
"""Decimal digits that a REAL always gives back."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = dict(zip("bfnrtv", "\b\f\n\r\t\v", strict=True))
_WRITTEN = {ord("\\"): r"\\"} | {ord(one): rf"\{letter}" for letter, one in _ESCAPED.items()}
_ENCODINGS = {"UTF8": "utf-8", "SQL_ASCII": "utf-8", "": "utf-8"}


def sqlite_type(type_: str) -> str:
    """What a column of PostgreSQL's ``type_`` is declared as; empty for one that may hold numbers
    and texts, so that SQLite converts none of them."""
    if type_ in _INTEGERS or type_ == "boolean":
        return "INTEGER"
    if type_ in _FLOATS:
        return "REAL"
    return "" if _NUMERIC.fullmatch(type_) else "TEXT"


def rows_of(
    chunks: Iterable[bytes],
    types: Sequence[str],
    encoding: str,
    places: Sequence[int] | None = None,
) -> Iterator[list[tuple[Value, ...]]]:
    """The rows of COPY, chunk by chunk (of any length), with columns of ``types``, in ``encoding``
    as PostgreSQL calls it; of each row the values at ``places`` (all, without it). Raises
    :class:`DumpDamaged` for a value that is not of its type."""
    codec = codec_of(encoding)
    chosen = [(at, _step(types[at])) for at in (range(len(types)) if places is None else places)]
    rest = b""
    for chunk in chunks:
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        if not newline:
            continue
        lines = whole.decode(codec, "replace").split("\n")
        if not chosen:
            yield [()] * len(lines)
            continue
        try:
            columns = [*zip(*(line.split("\t") for line in lines), strict=True)]
            yield [*zip(*(_values(columns[at], step) for at, step in chosen), strict=True)]
        except (LookupError, ValueError, ArithmeticError) as error:
            raise DumpDamaged(f"a value is not of its column's type: {error}") from error


def _values(column: Sequence[str], step: Callable[[str], Value] | None) -> Sequence[Value]:
    there = [
        text if "\\" not in text else None if text == r"\N" else meant(text) for text in column
    ]
    if step is None:
        return there
    return [None if text is None else step(text) for text in there]


def codec_of(encoding: str) -> str:
    """Python's name for PostgreSQL's ``encoding``. Raises :class:`DumpDamaged`."""
    name = _ENCODINGS.get(encoding, encoding)
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise DumpDamaged(
            f"the dump's texts are in {encoding}, which is not known here",
            hint="dump the database with `pg_dump --encoding=UTF8`.",
        ) from None


def as_copied(value: str, codec: str = "utf-8") -> bytes:
    """A text as COPY writes it."""
    return value.translate(_WRITTEN).encode(codec, "replace")


def meant(value: str) -> str | None:
    """What a value of COPY stands for; None for NULL."""
    if value == r"\N":
        return None
    return _ESCAPE.sub(_unescaped, value) if "\\" in value else value


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[1], found[1])


def _step(type_: str) -> Callable[[str], Value] | None:
    if type_ in _INTEGERS:
        return int
    if type_ == "boolean":
        return _boolean
    if type_ in _FLOATS:
        return _float
    if _NUMERIC.fullmatch(type_):
        return _number
    return _zoned if _ZONED.fullmatch(type_) else None


def _boolean(text: str) -> int:
    return {"t": 1, "f": 0}[text]


def _float(text: str) -> Value:
    """SQLite has no NaN, and JSON no infinity."""
    return text if text in ("NaN", "Infinity", "-Infinity") else float(text)


def _number(text: str) -> Value:
    if text.lstrip("-").isdecimal():
        number = int(text)
        return number if -(2**63) <= number < 2**63 else text
    value = float(text)
    if len(text) <= _SAFE_DIGITS:
        return value if text[-1].isdecimal() else text  # NaN, infinities
    try:
        same = Decimal(repr(value)) == Decimal(text)
    except InvalidOperation:
        return text
    return value if same else text


def _zoned(text: str) -> str:
    return f"{text}:00" if text[-3:-2] in ("+", "-") else text
