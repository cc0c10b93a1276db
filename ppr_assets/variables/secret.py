"""A text that is never shown by accident."""

from __future__ import annotations

from typing import NoReturn

_MASK = "********"


class Secret:
    """Holds a password or token; only :meth:`reveal` gives it away. Falsy when empty.

    ``repr``, ``str``, formatting, ``vars`` and ``dataclasses.asdict`` of whatever holds it show a
    mask. It refuses to be pickled: a pickle lands in files and other processes.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    @classmethod
    def of(cls, text: str | None) -> Secret | None:
        """A secret of what was given, None when nothing was."""
        return None if text is None else cls(text)

    def reveal(self) -> str:
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.__text == self.__text

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
