"""A text that is never shown by accident."""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import unquote

_MASK = "********"
_USER_OF_URL = re.compile(r"://([^/\s@]*)@")
_known: set[str] = set()
"""Texts of all secrets that this process has read."""


def without_secrets(text: str) -> str:
    """``text`` with every secret that was read masked, and with user and password of every URL.

    For words of others that are to be kept: their authors did not know what is secret here.
    """
    passwords = {
        unquote(password)
        for secret in _known
        for user in _USER_OF_URL.findall(secret)
        if (password := user.partition(":")[2])
    }
    for secret in sorted(_known | passwords, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return _USER_OF_URL.sub(f"://{_MASK}@", text)


class Secret:
    """Holds a password or token; only :meth:`reveal` gives it away. Falsy when empty.

    ``repr``, ``str``, formatting, ``vars`` and ``dataclasses.asdict`` of whatever holds it show a
    mask. It refuses to be pickled: a pickle lands in files and other processes.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text
        if text:
            _known.add(text)

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
