"""A place of copies, of whatever kind: objects beside each other, each written once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct


class PlacedObject(Struct, frozen=True):
    """``tag`` is another one whenever the object was written anew, as far as the place tells."""

    bytes: int
    tag: str


class Place(Protocol):
    """Every method raises :class:`CopyFailed` where the place does not do it."""

    @property
    def shown(self) -> str:
        """Its URL, without what may be secret."""

    def objects(self) -> Mapping[str, PlacedObject]:
        """All that lies there, by name; folders below it are not looked into."""

    def put_new(self, name: str, content: Path | bytes) -> bool:
        """Write the object, unless there is one of that name: False, and that one stays."""

    def read(self, name: str) -> Iterator[bytes]:
        """The object in chunks."""

    def remove(self, name: str) -> None:
        """Remove the object; one that is gone already is well."""
