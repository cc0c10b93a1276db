"""What a variable's text may be: one rule for each kind, from text to typed value.

Pure text in, value out, so that every rule can be tested without an environment. Each raises
:class:`UnusableValueError`; naming the variable and its value is the business of ``variable.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

T_co = TypeVar("T_co", covariant=True)

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_DAY_SECONDS = 86_400.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, breaks of lines, marks that turn the direction of reading, bytes that are no UTF-8."""
NAME_LETTERS, _SENTENCE_LETTERS = 100, 500
"""Dagster's storage takes no longer tag than 2,704 bytes; a letter may have four."""


class UnusableValueError(Exception):
    """The text is not of this kind; ``hint`` is the way out, where there is one to give.

    ``hidden`` says that the text may hold a secret and must not be shown.
    """

    def __init__(self, hint: str = "", *, hidden: bool = False) -> None:
        super().__init__(hint)
        self.hint = hint
        self.hidden = hidden


class Kind(Struct, Generic[T_co], frozen=True):
    """A rule, and the words for it: ``must_be`` ends the sentence "X is `abc`, must be …"."""

    rule: Callable[[str], T_co]
    must_be: str

    def __call__(self, text: str) -> T_co:
        return self.rule(text)

    def named(self, must_be: str) -> Kind[T_co]:
        """The same rule in words that say more of what it is for."""
        return replace(self, must_be=must_be)


def must_be(words: str) -> Callable[[Callable[[str], T_co]], Kind[T_co]]:
    """Make a function a kind."""
    return lambda rule: Kind(rule, words)


def one_of(*words: str) -> Kind[str]:
    """One of these words, as they are written."""

    def rule(text: str) -> str:
        if text not in words:
            raise UnusableValueError
        return text

    return Kind(rule, f"one of {', '.join(words)}")


@must_be("one of true, false, 1, 0, yes, no, on, off")
def boolean(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise UnusableValueError
    return word in _TRUE


def whole_number(text: str, *, least: int, most: int) -> int:
    """Digits only: no sign, no ``1_000``, no digits of other scripts."""
    if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise UnusableValueError
    return int(text)


def decimal(text: str) -> Decimal:
    """A number in the form in which everybody writes one: no sign, no exponent."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", text):
        raise UnusableValueError
    return Decimal(text)


@must_be("a whole number of days from 1 to 36500")
def days(text: str) -> int:
    return whole_number(text, least=1, most=36_500)


@must_be("a whole number of at least 1")
def count_of_records(text: str) -> int:
    if re.fullmatch(r"0+", text):
        raise UnusableValueError(
            "The floor cannot be taken away for good. To publish once whatever was counted, set "
            "ALLOW_EMPTY_SQL_DUMP=true."
        )
    return whole_number(text, least=1, most=10**15)


@must_be("`all`, or a whole number from 0")
def keep(text: str) -> int | None:
    """How many dumps a keep rule keeps; ``all`` is None."""
    return None if text.lower() == "all" else whole_number(text, least=0, most=100_000)


@must_be("a number above 0 and at most 1")
def share(text: str) -> Decimal:
    """A share of one, kept as the decimal that was written: 0.9 as a float is not nine tenths."""
    number = _share(text)
    if not number:
        raise UnusableValueError
    return number


@must_be("a number from 0 to 1")
def share_or_none(text: str) -> Decimal:
    return _share(text)


def _share(text: str) -> Decimal:
    number = decimal(text)
    if 1 < number <= 100:
        raise UnusableValueError(f"For {text} % write {(number / 100).normalize():f}.")
    if not 0 <= number <= 1:
        raise UnusableValueError
    return number


@must_be("a number of seconds above 0 and at most 86400")
def seconds(text: str) -> float:
    """A time limit; at most a day, since a longer one is none."""
    number = float(decimal(text))
    if not 0 < number <= _DAY_SECONDS:
        raise UnusableValueError
    return number


@must_be("a number of gigabytes above 0")
def gigabytes(text: str) -> float:
    number = float(decimal(text))
    if not 0 < number < 1e6:
        raise UnusableValueError
    return number


@must_be("a number of megabytes, or 0 for no limit")
def megabytes(text: str) -> int | None:
    """In bytes; None for 0, which stands for no limit."""
    number = decimal(text)
    if not number < 10**9:
        raise UnusableValueError
    return round(number * 1_000_000) if number else None


@must_be("anything on one line")
def line(text: str) -> str:
    if _CONTROL.search(text):
        raise UnusableValueError
    return text


@must_be(f"a name on one line, of at most {NAME_LETTERS} characters")
def name(text: str) -> str:
    return _readable(text.strip(), NAME_LETTERS)


@must_be(f"a sentence of at most {_SENTENCE_LETTERS} characters, without control characters")
def sentence(text: str) -> str:
    """Why somebody decided so, which others read: on one line, however it was typed."""
    return _readable(" ".join(text.split()), _SENTENCE_LETTERS)


def _readable(text: str, most: int) -> str:
    """It is committed, and shown on terminals of others."""
    if not 0 < len(text) <= most or _UNREADABLE.search(text):
        raise UnusableValueError
    return text


@must_be("one word")
def token(text: str) -> str:
    """One word: a blank or a line break is what a careless copy leaves behind."""
    if re.search(r"\s", line(text)):
        raise UnusableValueError("Was a line break or a blank copied with it?")
    return text


@must_be("a folder")
def folder(text: str) -> Path:
    """A folder or file, with ``~`` read as a shell would (a ``.env`` file is read by no shell)."""
    try:
        return Path(line(text)).expanduser().absolute()
    except RuntimeError as error:
        raise UnusableValueError("There is no home folder here: write the whole path.") from error


@must_be("a file, with its whole path")
def absolute_file(text: str) -> Path:
    if not text.startswith(("/", "~")):
        raise UnusableValueError
    return folder(text)


@must_be("an absolute folder")
def absolute_folder(text: str) -> Path:
    if not text.startswith(("/", "~")):
        raise UnusableValueError
    return folder(text)
