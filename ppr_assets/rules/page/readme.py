"""The page as the README.md of the folder of dumps, which may be a human's as well.

Ours is what stands between two comments; the rest of the file is left as it is, and so is a file
without them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from ppr_assets.rules.naming import LATEST, PICTURE, manifest_name
from ppr_assets.rules.page.picture import described
from ppr_assets.rules.page.words import (
    HEADING,
    MOST_ROWS,
    NUMBERS,
    KeptDump,
    Page,
    left_out,
    newest,
    remarks,
    restoring,
    row,
    warning,
)

BEGIN = "<!-- ppr-assets page: written anew with each dump; above and below is yours -->"
END = "<!-- ppr-assets page: end -->"
_MARK = b"<!-- ppr-assets page:"
_OURS = re.compile(_MARK + b" (?!end )[^>]*-->.*?" + END.encode(), re.DOTALL)
_TITLE = "# Dumps of Pantry Pirate Radio's database\n\n"
_ESCAPED = str.maketrans(
    {letter: f"\\{letter}" for letter in string.punctuation}
    | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


def with_page(content: bytes | None, page: Page) -> bytes | None:
    """``content`` (None: there is no file yet) with the page in it; None for a file that has no
    place for it, or several."""
    section = f"{BEGIN}\n{''.join(_lines(page))}{END}".encode()
    if content is None:
        return _TITLE.encode() + section + b"\n"
    if not has_place(content):
        return None
    return _OURS.sub(lambda _: section, content)


def around_page(content: bytes) -> bytes:
    """What is not ours of a file that has a place for the page."""
    return _OURS.sub(b"", content)


def has_place(content: bytes) -> bool:
    """Whether the two comments are there, once."""
    return len(_OURS.findall(content)) == 1 and content.count(_MARK) == 2


def _lines(page: Page) -> Iterator[str]:
    if page.latest is None:
        yield "\nNo dump was published yet.\n\n"
        return
    name = page.latest.name
    yield f"\nThe newest dump is [{name}]({name}), to which [{LATEST}]({LATEST}) leads.\n"
    yield "".join(f"{one}\n" for one in [*newest(page), *map(escaped, remarks(page))])
    if commands := restoring(page):
        yield "\nTo restore it, in this folder:\n\n```sh\n"
        yield "".join(f"{command}\n" for command in commands)
        yield f"```\n\n{warning(page)} With ppr-assets it is `ppr-assets restore`.\n"
    yield f"\n![Records and size of the published dumps over time, in words below]({PICTURE})\n\n"
    yield f"{described(page.past)}\n\n"
    yield f"| {' | '.join(HEADING)} |\n"
    yield f"| {' | '.join('---:' if n in NUMBERS else '---' for n in range(len(HEADING)))} |\n"
    for dump in page.kept[:MOST_ROWS]:
        yield f"| {' | '.join(_cells(dump))} |\n"
    yield (
        f"\n{left_out(page)}Times lead to the dumps, and `proven` to their manifests: a dump is "
        "proven by a restore before it is published. Refusals are those that the clone which "
        "publishes has noted. Dumps that are gone from here are in the "
        "history of this repository; `ppr-assets list --history` lists them.\n\n"
    )


def _cells(dump: KeptDump) -> Iterator[str]:
    for name, cell in zip(HEADING, row(dump), strict=True):
        if name == HEADING[0]:
            yield f"[{cell}]({dump.name})"
        elif name == "proven" and dump.manifest is not None:
            yield f"[{escaped(cell)}]({manifest_name(dump.name)})"
        else:
            yield escaped(cell) if name == HEADING[-1] else cell


def escaped(text: str) -> str:
    """As Markdown that shows these very letters, in a cell of a table as well."""
    return text.translate(_ESCAPED)
