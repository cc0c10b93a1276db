"""Rows as CSV, as PostgreSQL writes it: NULL is nothing, and an empty text ``""``."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType

_SPECIAL = '",\n\r'


def csv_text(rows: Sequence[Sequence[int | float | str | bytes | None]]) -> str:
    """Each on its line; of bytes their hexadecimal digits, as PostgreSQL writes them."""
    columns = [_cells(column) for column in zip(*rows, strict=True)]
    return "".join(f"{line}\n" for line in map(",".join, zip(*columns, strict=True)))


def _cells(column: Sequence[int | float | str | bytes | None]) -> Sequence[str]:
    """Most columns need no quotes at all, which is found out at once."""
    if {*map(type, column)} <= {str, NoneType} and "" not in column:
        texts = ["" if value is None else str(value) for value in column]
        together = "\t".join(texts)
        if not any(one in together for one in _SPECIAL):
            return texts
    return [_cell(value) for value in column]


def _cell(value: float | str | bytes | None) -> str:
    if value is None:
        return ""
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text if text and not ("," in text or "\n" in text or "\r" in text) else f'"{text}"'
