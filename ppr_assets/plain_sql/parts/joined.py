"""Read a dump that is in parts as the one dump that it is."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.byte_ranges import CHUNK, FileSlice
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parts.cuts import ABOVE_OBJECT, LARGE_OBJECT
from ppr_assets.plain_sql.parts.script import FIRST_LINES, Part, Script, Wrapping, statement_in

PARTS_TOGETHER = (
    "a dump in parts is its script, and all of its parts: fetch them again together "
    "(`git checkout -- FOLDER` in the data repository, or a fresh clone), or take another dump: "
    "`ppr-assets list` names them."
)
_HEAD = 64
_LARGEST_SCRIPT = 16 * 1024 * 1024


class _Seen(Struct, frozen=True):
    """The lines around a slice, its first bytes and its last, and what its key is taken from."""

    before: bytes
    after: bytes
    head: bytes
    tail: bytes
    key: str


class JoinedDump:
    """The dump whose script this is; ``open_part`` gives a part's file in chunks."""

    def __init__(self, script: Script, open_part: Callable[[Part], Iterator[bytes]]) -> None:
        self.script = script
        self._open_part = open_part
        self._seen: list[_Seen] = []

    def chunks(self, *, keys: bool = False) -> Iterator[bytes]:
        """The dump, from its first byte to its last; with ``keys`` also what is to be known for
        :meth:`require_wrapped`.

        Raises :class:`DumpDamaged` behind the first part that is not what the script says, and
        whatever ``open_part`` raises.
        """
        self._seen = []
        for part in self.script.parts:
            yield from self._slice(part, keys)

    def slices(self, folder: Path) -> list[FileSlice]:
        """Where the dump's bytes are, with the script in ``folder``."""
        return [
            FileSlice(folder / self.script.folder / part.name, part.start, part.end)
            for part in self.script.parts
        ]

    def require_parts(self) -> None:
        """Raise :class:`DumpDamaged` for the first part that is not what the script says."""
        for _ in self.chunks():
            pass

    def require_wrapped(self, layout: Layout) -> None:
        """Raise :class:`DumpDamaged` if a part is cut where psql cannot read on, or if something
        else stands around a slice than what psql needs there. All :meth:`chunks` have been read,
        with keys, and the dump was found to be whole."""
        blocks = layout.blocks.values()
        offset, cut_rows = 0, False
        for number, (part, seen) in enumerate(zip(self.script.parts, self._seen, strict=True)):
            first, last = number == 0, number == len(self.script.parts) - 1
            end = offset + part.end - part.start
            going_on = [block for block in blocks if block.start <= offset < block.end]
            if not (first or going_on or _begins(layout, offset, seen.head)):
                raise self._wrong(part, "does not begin where a row, an object or a line begins")
            if not seen.tail.endswith(b"\n"):
                raise self._wrong(part, "ends inside of a line")
            statement = going_on[0].statement if going_on else b""
            cut_rows = any(block.start <= end < block.end for block in blocks)
            wrapping = Wrapping(first, last, statement, cut_rows)
            key = layout.restrict_key
            if key is not None and not (first or last):
                key = seen.key[: len(key)]
            if (seen.before, seen.after) != (wrapping.before(key), wrapping.after(key)):
                raise self._wrong(
                    part,
                    "has other lines around its rows than those that continue the dump, before "
                    f"byte {part.start} or from byte {part.end} on",
                )
            offset = end

    def _wrong(self, part: Part, what: str) -> DumpDamaged:
        return DumpDamaged(f"{part.name} of `{self.script.dump}` {what}", hint=PARTS_TOGETHER)

    def _slice(self, part: Part, keys: bool) -> Iterator[bytes]:
        digest, own, position = hashlib.sha256(), hashlib.sha256(), 0
        before, after, head, tail = b"", b"", b"", b""
        for chunk in self._open_part(part):
            digest.update(chunk)
            start, end = max(part.start - position, 0), max(part.end - position, 0)
            before += chunk[:start]
            after += chunk[end:]
            position += len(chunk)
            if position > part.bytes:
                break
            if piece := chunk[start:end]:
                if keys:
                    own.update(piece if head else statement_in(before) + piece)
                head = head or piece[:_HEAD]
                tail = piece[-1:]
                yield piece
        self._seen.append(_Seen(before, after, head, tail, own.hexdigest()))
        if position != part.bytes:
            more = "more than " if position > part.bytes else ""
            have, need = f"{more}{min(position, part.bytes)} bytes", f"{part.bytes} needed"
        elif digest.hexdigest() != part.sha256:
            have, need = f"SHA-256 {digest.hexdigest():.12}…", f"{part.sha256:.12}… needed"
        else:
            return
        raise self._wrong(part, f"has {have}, {need}")


def _begins(layout: Layout, offset: int, head: bytes) -> bool:
    """Whether psql can begin to read here: above an object, or in the middle of large objects."""
    around = [entry for entry in layout.entries if entry.start < offset < entry.end]
    if not around:
        return head.startswith(ABOVE_OBJECT)
    return all(entry.kind == "BLOBS" for entry in around) and head.startswith(LARGE_OBJECT)


def parts_on_disk(path: Path) -> JoinedDump | None:
    """The dump whose script is the file at ``path``; None where that is not one.

    Raises :class:`DumpDamaged` where a part is missing, is not of its size, or is one too many.
    """
    script = read_script(path)
    if script is None:
        return None
    folder = path.parent / script.folder
    try:
        have = {entry.name: entry.lstat() for entry in folder.iterdir()}
    except FileNotFoundError:
        have = {}
    except OSError as error:
        raise DumpDamaged(
            f"`{script.folder}` cannot be read: {error.strerror or error}", hint=PARTS_TOGETHER
        ) from error
    regular = {name: facts.st_size for name, facts in have.items() if stat.S_ISREG(facts.st_mode)}
    require_parts(script, regular, others=have.keys() - regular.keys())
    return JoinedDump(script, lambda part: _read(folder / part.name))


def read_script(path: Path) -> Script | None:
    """The script at ``path``, None where another file is. Raises :class:`DumpDamaged`."""
    try:
        with path.open("rb") as file:
            if file.read(len(FIRST_LINES)) != FIRST_LINES:
                return None
            text = FIRST_LINES + file.read(_LARGEST_SCRIPT)
            if file.read(1):
                raise DumpDamaged(
                    f"the script that includes the parts has more than {_LARGEST_SCRIPT} bytes",
                    hint=PARTS_TOGETHER,
                )
    except OSError:
        return None  # whoever reads the file itself says why it cannot be read
    return Script.parse(text.decode("ascii", "replace"))


def require_parts(script: Script, have: Mapping[str, int], *, others: Collection[str] = ()) -> None:
    """Hold the files of the folder, with their sizes in bytes, against the script. ``others`` is
    what is there and is not a regular file."""
    for part in script.parts:
        if part.name not in have:
            raise DumpDamaged(
                f"{part.name} of `{script.dump}` is missing in {script.folder}, "
                f"{len(script.parts)} parts needed",
                hint=PARTS_TOGETHER,
            )
        if have[part.name] != part.bytes:
            raise DumpDamaged(
                f"{part.name} of `{script.dump}` has {have[part.name]} bytes, {part.bytes} needed",
                hint=PARTS_TOGETHER,
            )
    foreign = sorted({*have, *others} - {part.name for part in script.parts})
    if foreign:
        raise DumpDamaged(
            f"{script.folder} holds `{foreign[0]}`, which is not a part of `{script.dump}`",
            hint="somebody put it there, or it is left of another dump; look at it and remove it.",
        )


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise DumpDamaged(
            f"`{path.parent.name}{os.sep}{path.name}` cannot be read: {error.strerror or error}",
            hint="may this user read it, and is the disk healthy?",
        ) from error
