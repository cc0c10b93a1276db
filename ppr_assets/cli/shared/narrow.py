"""Lines and tables as they fit a terminal, narrow or wide: nothing is cut, and a name stays whole.

In a pipe there is no width, so that each thing stays on its line.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Collection, Iterator, Sequence

_TAG = re.compile(r"\[/?[a-z]+\]")
_GAP = re.compile(r" {2,}(?=\S)")
_LABELS = 30
"""Columns in which a line may have its labels; what follows them is what is wrapped."""
_LEAST_ROOM = 20
"""Columns for the last cells of a table to be wrapped in, else each row has lines of its own."""


def width() -> int:
    """Of the terminal, or what COLUMNS says; 0 where there is none."""
    return shutil.get_terminal_size((0, 0)).columns


def fitted(text: str, columns: int) -> str:
    """Each line of ``text`` wrapped at its blanks, what goes on below where it began after its
    labels. A word that is longer than the terminal stays as it is."""
    if not columns:
        return text
    return "\n".join("\n".join(_wrapped(line, columns)) for line in text.split("\n"))


def table_lines(
    rows: Sequence[Sequence[str]], numbers: Collection[int], columns: int
) -> Iterator[str]:
    """Aligned columns, the last of them wrapped where that is enough, or else each row on lines of
    its own, under its first cell. The first row is the heading, the first line is its."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    if columns and before + widths[-1] > columns and columns - before < _LEAST_ROOM:
        yield from _on_lines_of_their_own(rows, columns)
        return
    for row in rows:
        cells = (
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line = "  ".join(cells).rstrip()
        yield "\n".join(_hanging(line, columns, before)) if columns else line


def _on_lines_of_their_own(rows: Sequence[Sequence[str]], columns: int) -> Iterator[str]:
    heading, *rest = rows
    named = next(number for number, name in enumerate(heading) if name)
    titles = range(named + 1)
    last = len(heading) - 1
    yield fitted(", ".join(filter(None, heading)), columns)
    for row in rest:
        title = "  ".join(row[number] for number in titles if row[number])
        short = [f"{heading[n]} {row[n]}" for n in range(named + 1, last) if row[n]]
        yield "\n".join(
            [
                *_hanging(title, columns, 2),
                *(_hanging(f"  {', '.join(short)}", columns, 2) if short else ()),
                *(_hanging(f"  {row[last]}", columns, 2) if row[last] else ()),
            ]
        )


def _wrapped(line: str, columns: int) -> list[str]:
    shown = _TAG.sub("", line)
    if len(shown) <= columns:
        return [line]
    labels = [gap.end() for gap in _GAP.finditer(shown) if gap.end() <= _LABELS] or [2]
    fitting = [one for one in (2, *labels) if one + _longest(shown[one:], columns - 2) <= columns]
    return _hanging(line, columns, max(fitting or labels))


def _longest(text: str, most: int) -> int:
    """Of the words that fit at all: one that never does pushes no other over the edge."""
    return max((size for size in map(len, text.split()) if size <= most), default=0)


def _hanging(line: str, columns: int, indent: int) -> list[str]:
    """``indent`` is that of what goes on below; tags take no room."""
    if len(_TAG.sub("", line)) <= columns:
        return [line]
    begins = indent
    for tag in _TAG.finditer(line):
        begins += len(tag[0]) if tag.start() < begins else 0
    head = line[:begins]
    first, *rest = textwrap.wrap(
        line[len(head) :],
        columns,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
    return [head + first[indent:], *rest]
