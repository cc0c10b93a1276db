"""A dump in parts: its own file is a script that psql runs, and that says what the parts hold.

Forges refuse large files, so a large dump is cut into slices, each in a file of its own. To each
slice a few lines are added, without which psql could not read it where the slice before it ends:
the COPY statement whose rows go on, for one. The script names the bytes of each file that belong to
the dump; those of all parts together are the dump, byte by byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from msgspec import Struct

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.naming import is_dump_name, parts_folder

FIRST_LINES = b"--\n-- PostgreSQL database dump in parts\n--\n"
"""What the file of a dump in parts begins with; no other dump does."""

STOP_AS_BEFORE = b"\\set ON_ERROR_STOP :dump_stops\n"
"""The first line of each part: what the script has set to notice a missing part is over."""

_ADDED_BYTES = 1024 * 1024
"""More than the lines before or behind a slice can have, with a COPY statement of all columns."""

_SIZE = r"\d{1,18}"
_NAME = r"part_\d{3,}\.sql"
_LISTED = re.compile(
    rf"-- ({_NAME}): ({_SIZE}) bytes, SHA-256 ([0-9a-f]{{64}}); "
    rf"of the dump are bytes ({_SIZE}) to ({_SIZE})\n"
    r"\\set ON_ERROR_STOP on\n"
    rf"\\ir (\S+)/{_NAME}\n",
    re.ASCII,
)


class Part(Struct, frozen=True):
    """A file of ``bytes`` with this SHA-256, of which ``start`` to ``end`` belong to the dump."""

    name: str
    bytes: int
    sha256: str
    start: int
    end: int


class Script(Struct, frozen=True):
    """The dump's own file: which parts make it up, in their order."""

    dump: str
    parts: Sequence[Part]

    @property
    def folder(self) -> str:
        """The name of the folder of the parts, beside the script."""
        return parts_folder(self.dump)

    @property
    def bytes(self) -> int:
        """The size of the whole dump."""
        return sum(part.end - part.start for part in self.parts)

    def render(self) -> str:
        """The script's text: ``psql -f`` on it restores the dump, from whatever folder."""
        listed = "".join(
            f"-- {part.name}: {part.bytes} bytes, SHA-256 {part.sha256}; of the dump are bytes "
            f"{part.start} to {part.end}\n"
            "\\set ON_ERROR_STOP on\n"
            f"\\ir {self.folder}/{part.name}\n"
            for part in self.parts
        )
        return (
            f"{FIRST_LINES.decode()}"
            f"-- Restore all of it with psql -f {self.dump}, the parts stand in {self.folder}.\n"
            "-- The bytes named below, one after the other, are the dump. The lines around them\n"
            "-- let psql read each part, and stop it where one is missing.\n"
            "\n"
            "\\set dump_stops :ON_ERROR_STOP\n"
            f"{listed}"
            "\\set ON_ERROR_STOP :dump_stops\n"
        )

    @classmethod
    def parse(cls, text: str) -> Script:
        """Read a script. Raises :class:`DumpDamaged` for anything that :meth:`render` would not
        write: psql would run it."""
        listed = list(_LISTED.finditer(text))
        folders = {found.group(6) for found in listed}
        dump = folders.pop().removesuffix(".parts") + ".sql" if len(folders) == 1 else ""
        parts = [
            Part(found[1], int(found[2]), found[3], int(found[4]), int(found[5]))
            for found in listed
        ]
        script = cls(dump, parts)
        possible = is_dump_name(dump) and all(
            part.name == part_name(number)
            and part.start < part.end <= part.bytes
            and max(part.start, part.bytes - part.end) <= _ADDED_BYTES
            for number, part in enumerate(parts, 1)
        )
        written = script.render() if possible else ""
        if not possible or written != text:
            where = f", at byte {_same_length(text, written)}" if possible else ""
            raise DumpDamaged(
                f"the script that includes the parts is not as it was written{where}",
                hint="psql would run whatever stands there. Fetch the file again, or take another "
                "dump: `ppr-assets list` names them.",
            )
        return script


def part_name(number: int) -> str:
    """The name of part ``number``, from 1. The same slice of the next night has the same."""
    return f"part_{number:03}.sql"


class Wrapping(Struct, frozen=True):
    """The lines that are added around the slice of a part. ``statement`` is the COPY statement
    whose rows go on in it, empty when it begins elsewhere; ``cut_rows`` says that they go on
    behind it. psql's ``\\restrict`` is closed at the end of each part, since ``\\ir`` is not
    allowed below it, and opened again by the next one."""

    first: bool
    last: bool
    statement: bytes
    cut_rows: bool

    def before(self, key: str | None) -> bytes:
        opened = b"" if self.first or key is None else f"\\restrict {key}\n".encode()
        return STOP_AS_BEFORE + opened + self.statement

    def after(self, key: str | None) -> bytes:
        ended = b"\\.\n" if self.cut_rows else b""
        return ended + (b"" if self.last or key is None else f"\\unrestrict {key}\n".encode())


def key_of_slice(statement: bytes, chunks: Iterable[bytes]) -> str:
    """64 digits to take the key of a part in the middle from: of its rows and their statement, so
    that the same slice is the same file, and no row can hold the key that it is restricted by."""
    digest = hashlib.sha256(statement)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def statement_in(before: bytes) -> bytes:
    """The COPY statement in the lines before a slice, empty where there is none."""
    rest = before.removeprefix(STOP_AS_BEFORE)
    return rest.partition(b"\n")[2] if rest.startswith(b"\\restrict ") else rest


def _same_length(one: str, other: str) -> int:
    """How many characters, all of them ASCII, are the same at the beginning of both."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
