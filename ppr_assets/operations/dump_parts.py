"""Read a dump that is in parts as the one dump that it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ppr_assets.errors import DumpDamaged
from ppr_assets.postgres.layout import Layout
from ppr_assets.postgres.load.dump_file import FileSlice
from ppr_assets.rules.parts import FIRST_LINES, Part, Script, Wrapping, key_in

PARTS_TOGETHER = (
    "a dump in parts is its script, and all of its parts: fetch them again together "
    "(`git checkout -- FOLDER` in the data repository, or a fresh clone), or take another dump: "
    "`ppr-assets list` names them."
)
_CHUNK = 1024 * 1024
_LARGEST_SCRIPT = 16 * 1024 * 1024


class JoinedDump:
    """The dump whose script this is; ``open_part`` gives a part's file in chunks."""

    def __init__(self, script: Script, open_part: Callable[[Part], Iterator[bytes]]) -> None:
        self.script = script
        self._open_part = open_part
        self._around: list[tuple[bytes, bytes]] = []

    def chunks(self) -> Iterator[bytes]:
        """The dump, from its first byte to its last.

        Raises :class:`DumpDamaged` behind the first part that is not what the script says, and
        whatever ``open_part`` raises.
        """
        self._around = []
        for part in self.script.parts:
            yield from self._slice(part)

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
        """Raise :class:`DumpDamaged` if something else stands around a slice than what psql needs
        to read on there. All :meth:`chunks` have been read, and the dump was found to be whole."""
        blocks = [entry.copy for entry in layout.entries if entry.copy]
        offset = 0
        for number, (part, around) in enumerate(zip(self.script.parts, self._around, strict=True)):
            first, last = number == 0, number == len(self.script.parts) - 1
            end = offset + part.end - part.start
            going_on = [block for block in blocks if block.start <= offset < block.end]
            statement = f"{going_on[0].statement}\n" if going_on else ""
            wrapping = Wrapping(
                first=first,
                last=last,
                statement=statement.encode("utf-8", "surrogateescape"),
                cut_rows=any(block.start <= end < block.end for block in blocks),
            )
            key = layout.restrict_key
            if key is not None and not (first or last):
                key = key_in(around[0])
            if around != (wrapping.before(key), wrapping.after(key)):
                raise DumpDamaged(
                    f"{part.name} of `{self.script.dump}` has other lines around its rows than "
                    "those that continue the dump, before byte "
                    f"{part.start} or from byte {part.end} on",
                    hint=PARTS_TOGETHER,
                )
            offset = end

    def _slice(self, part: Part) -> Iterator[bytes]:
        digest, position = hashlib.sha256(), 0
        before, after = b"", b""
        for chunk in self._open_part(part):
            digest.update(chunk)
            start, end = max(part.start - position, 0), max(part.end - position, 0)
            before += chunk[:start]
            after += chunk[end:]
            position += len(chunk)
            if position > part.bytes:
                break
            if piece := chunk[start:end]:
                yield piece
        self._around.append((before, after))
        if position != part.bytes:
            more = "more than " if position > part.bytes else ""
            have, need = f"{more}{min(position, part.bytes)} bytes", f"{part.bytes} needed"
        elif digest.hexdigest() != part.sha256:
            have, need = f"SHA-256 {digest.hexdigest():.12}…", f"{part.sha256:.12}… needed"
        else:
            return
        raise DumpDamaged(
            f"{part.name} of `{self.script.dump}` has {have}, {need}", hint=PARTS_TOGETHER
        )


def parts_on_disk(path: Path) -> JoinedDump | None:
    """The dump whose script is the file at ``path``; None where that is no script.

    Raises :class:`DumpDamaged` where a part is missing, is not of its size, or is one too many.
    """
    script = read_script(path)
    if script is None:
        return None
    folder = path.parent / script.folder
    have = (
        {entry.name: entry.stat().st_size for entry in folder.iterdir()} if folder.is_dir() else {}
    )
    require_parts(script, have)
    return JoinedDump(script, lambda part: _read(folder / part.name))


def read_script(path: Path) -> Script | None:
    """The script at ``path``, None where another file is. Raises :class:`DumpDamaged`."""
    try:
        with path.open("rb") as file:
            if file.read(len(FIRST_LINES)) != FIRST_LINES:
                return None
            text = FIRST_LINES + file.read(_LARGEST_SCRIPT)
    except OSError:
        return None  # whoever reads the file itself says why it cannot be read
    return Script.parse(text.decode("ascii", "replace"))


def require_parts(script: Script, have: dict[str, int]) -> None:
    """Hold the files of the folder, with their sizes in bytes, against the script."""
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
    foreign = sorted(have.keys() - {part.name for part in script.parts})
    if foreign:
        raise DumpDamaged(
            f"{script.folder} holds `{foreign[0]}`, which is no part of `{script.dump}`",
            hint="somebody put it there, or it is left of another dump; look at it and remove it.",
        )


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise DumpDamaged(
            f"`{path.parent.name}{os.sep}{path.name}` cannot be read: {error.strerror or error}",
            hint="may this user read it, and is the disk healthy?",
        ) from error
