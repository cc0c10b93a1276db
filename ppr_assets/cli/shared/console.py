"""Two consoles: facts to stdout, progress and remarks to stderr, decoration to terminals only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

import click
from rich.console import Console

from ppr_assets.rules.wording import size as size

# No emoji: a reason that somebody typed is shown as it was typed.
out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def escape_what_cannot_be_written() -> None:
    """Write names that are not text, or not in the terminal's encoding, with their bytes escaped.

    ``\\udcfc`` is the byte ``fc``, in JSON as well.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None] | None]:
    """A moving line on a live terminal, which what is given changes; nothing anywhere else."""
    if err.file.isatty():  # and not `is_terminal`, which FORCE_COLOR makes true in a log as well
        with err.status(what) as status:
            yield lambda text: status.update(text)
    else:
        yield None


def print_json(value: Any) -> None:
    """JSON for a program: never coloured, not even where the environment asks for colour."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_columns(rows: Sequence[Sequence[str]], *, numbers: Collection[int] = ()) -> None:
    """Aligned columns, never cut to the terminal's width: a name in a pipe has to be whole.

    ``numbers`` are the columns that are aligned to the right. The first row is the heading.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for line, row in enumerate(rows):
        cells = (
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        text = "  ".join(cells).rstrip()
        out.print(text, markup=False, style=None if line else "dim")
