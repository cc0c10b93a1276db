"""One variable: its name, its default, and how its text becomes a typed value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ppr_assets.errors import SettingsError
from ppr_assets.settings.kinds import UnusableValueError

T = TypeVar("T")
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Variable(Generic[T]):
    """A row of the table that ``doctor`` prints and the README shows.

    ``default`` is text as a person would write it; for a variable without one it says ``none`` or
    ``required`` and is never parsed. ``must_be`` ends the sentence "X is `abc`, must be …". The
    value of a ``secret`` is never shown.
    """

    name: str
    default: str
    parse: Callable[[str], T]
    must_be: str
    description: str
    secret: bool = False

    def text(self, values: Mapping[str, str]) -> str | None:
        """The text given, None when there is none or it is blank.

        Compose files pass an unset variable on as an empty one, so an empty text means "unset".
        """
        text = values.get(self.name, "")
        return (text if self.secret else text.strip()) or None

    def read(self, values: Mapping[str, str]) -> T:
        """The value given, or the default. Raises SettingsError."""
        return self._parsed(self.text(values) or self.default)

    def read_if_set(self, values: Mapping[str, str]) -> T | None:
        """The value given, or None. Raises SettingsError."""
        text = self.text(values)
        return None if text is None else self._parsed(text)

    def unusable(self, text: str, why: UnusableValueError) -> SettingsError:
        """The error that says what ``text`` is and what it must be."""
        shown = "set to a value not shown here" if self.secret or why.hidden else _shown(text)
        return SettingsError(f"{self.name} is {shown}, must be {self.must_be}", hint=why.hint)

    def _parsed(self, text: str) -> T:
        try:
            return self.parse(text)
        except UnusableValueError as error:
            raise self.unusable(text, error) from None


def _shown(text: str) -> str:
    printed = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return f"`{printed[:_LONGEST_SHOWN]}…`" if len(printed) > _LONGEST_SHOWN else f"`{printed}`"
