"""Strict JSON: nothing is repaired, and what is wrong is said with its place.

msgspec reads it, and is strict where the standard library is not: NaN, Infinity, numbers beyond a
double's range and lone surrogates are errors. It keeps large integers exact, and can step over the
prompt, nine tenths of a file. What it refuses is read once more by the standard library for the
words of the reason."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

T = TypeVar("T")

MOST_BYTES = 8 << 20
"""Of a file. The largest of 29,132 published ones is far below a megabyte."""

_TOO_LONG = "a number of more than 4,300 digits"
_KEYS = re.compile(r'"\s*:')
_values = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


class NotJson(ValueError):
    """The text is no JSON that can be read; says why and where."""


def decoded(text: str) -> Any:
    """The value of a JSON text. Raises ``NotJson``."""
    try:
        return _values.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise NotJson(why_not(text)) from error


def why_not(text: str | bytes) -> str:
    """In words, why the text is no JSON."""
    try:
        json.loads(text, parse_constant=_not_a_number)
    except json.JSONDecodeError as error:
        end = len(text.rstrip()) <= error.pos or error.msg.startswith("Unterminated")
        cut = "cut off: " if end else ""
        return f"{cut}{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "nested too deep"
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start}"
    except ValueError as error:
        return _TOO_LONG if "int_max_str_digits" in str(error) else str(error)
    return "a number out of range, or half of a surrogate pair"


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def repeated_keys(value: object, text: str) -> list[str]:
    """The keys that an object of the text has more than once: every reader keeps the last of them
    and loses the others. ``value`` is what was read of it.

    What was lost is not written back, so that there are fewer keys then; only a text whose number
    differs, or that hides quotes and colons in escapes, is read again.
    """
    written_back = _encoder.encode(value).count(b'":')
    if "\\u00" not in text and len(_KEYS.findall(text)) == written_back:
        return []
    return _repeated(text)


def _repeated(text: str) -> list[str]:
    found: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> dict[str, object]:
        whole: dict[str, object] = {}
        for key, value in pairs:
            if key in whole and whole[key] != value:
                found.append(key[:80])
            whole[key] = value
        return whole

    json.loads(text, object_pairs_hook=look)
    return found


def with_nul(value: object, path: str) -> str | None:
    """The JSON path of a text with a NUL, which PostgreSQL cannot store."""
    waiting = [(path, value)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, str):
            if "\0" in one:
                return where
        elif isinstance(one, dict):
            if any("\0" in key for key in one):
                return where
            waiting.extend((f"{where}.{key}", child) for key, child in one.items())
        elif isinstance(one, list):
            waiting.extend((f"{where}[{at}]", child) for at, child in enumerate(one))
    return None
