"""A dump as one stream for psql of any version, to be loaded into a new database.

Without the two lines around it that psql knows only since August 2025 (``\\restrict``), and without
the DROPs at its head, which a new database has no use for. What those two lines keep psql from is
looked for before: no line of the stream is a command of psql's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ppr_assets.errors import DumpDamaged, RestoreFailed
from ppr_assets.operations.restoring.loading import verified_dump
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import open_dump
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Restrict


def write_stream(found: FoundDump, target: BinaryIO) -> None:
    """Verify the dump and write it to ``target``, not a byte before it was found whole.

    Raises :class:`DumpDamaged`, and :class:`RestoreFailed` where ``target`` takes no more.
    """
    layout = verified_dump(found).layout
    try:
        for piece in pieces(_stream(found, layout)):
            if isinstance(piece, CopyRows):
                for _ in piece.rows:
                    pass
    except DumpDamaged as error:
        raise DumpDamaged(
            f"`{found.name}` cannot be given to a psql that does not know \\restrict: "
            f"{error.message}",
            hint="`ppr-assets restore` loads it, and so does a newer psql.",
        ) from error
    try:
        target.writelines(_stream(found, layout))
        target.flush()
    except OSError as error:
        raise RestoreFailed(
            f"the dump could not be written to its end: {error.strerror or error}",
            hint="whoever was to read it has ended; with `psql -1` nothing was changed.",
        ) from error


def _stream(found: FoundDump, layout: Layout) -> Iterator[bytes]:
    begin, end = layout.prologue
    for piece in pieces(open_dump(found.path, name=found.name)):
        if isinstance(piece, CopyRows):
            yield piece.statement
            yield from piece.rows
            yield b"\\.\n"
        elif not isinstance(piece, Restrict) and not begin <= piece.start < end:
            yield piece.text
