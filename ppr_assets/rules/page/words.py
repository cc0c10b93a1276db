"""What the page says, in words and cells that any form of it escapes for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ppr_assets.rules.naming import LATEST, dump_moment, parts_folder
from ppr_assets.rules.page.past import Past, PastNight
from ppr_assets.rules.page.picture import number, size_of
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.trust import Trust

HEADING = (
    "time (UTC)",
    "organizations",
    "locations",
    "services",
    "size",
    "proven",
    "override",
)
NUMBERS = (1, 2, 3, 4)
"""The columns whose cells are numbers."""
_JOINED = (
    r"sed -n 's/^-- \(part_[0-9]*\.sql\):.* bytes \([0-9]*\) to \([0-9]*\)$/\1 \2 \3/p' {latest} | "
    "while read -r part start end; do "
    'tail -c +$((start + 1)) "{folder}/$part" | head -c $((end - start)); '
    "done | sha256sum | grep '^{sha256}' &&"
)
"""The bytes of all parts that belong to the dump, as its own file names them."""
MOST_ROWS = 100
MOST_LETTERS = 200
"""Of what a human wrote; the manifest has all of it."""


class KeptDump(Struct, frozen=True):
    """A dump in the folder; ``manifest`` None where it has none that can be read."""

    name: str
    manifest: Manifest | None
    in_parts: bool = False


class Page(Struct, frozen=True):
    """``kept`` newest first; ``latest`` is the one of them that latest.sql leads to."""

    kept: Sequence[KeptDump]
    latest: KeptDump | None
    past: Past


def newest(page: Page) -> Iterator[str]:
    """Of the latest dump, sentence by sentence, after its name; all words are ours."""
    dump = page.latest
    if dump is None:
        return
    if dump.manifest is None:
        yield "It has no manifest, so nothing tells what it holds."
        return
    night = PastNight.of_manifest(dump.manifest)
    organizations, locations, services = map(number, night.counts)
    yield (
        f"{organizations} organizations, {locations} locations and {services} services in "
        f"{size_of(night.bytes)}, as of {time_of(dump)} UTC."
    )
    if Trust.of(dump.manifest).proven:
        yield "It was restored and compared before it was published."


def remarks(page: Page) -> Iterator[str]:
    """What somebody should know of the latest dump, in words that are not all ours."""
    told = page.latest.manifest if page.latest else None
    for remark in Trust.of(told).remarks() if told else ():
        yield f"{_cut(remark)[:1].upper()}{_cut(remark)[1:]}."


def restoring(page: Page) -> Sequence[str]:
    """Three lines for a shell in the folder of dumps; none where psql alone cannot do it."""
    dump = page.latest
    if dump is None or dump.manifest is None or not dump.name.endswith(".sql"):
        return ()
    sha256 = dump.manifest.sha256
    whole = f"echo '{sha256}  {LATEST}' | sha256sum --check &&"
    parts = _JOINED.format(latest=LATEST, folder=parts_folder(dump.name), sha256=sha256)
    return (
        parts if dump.in_parts else whole,
        "createdb pantry_pirate_radio &&",
        f"psql -X -v ON_ERROR_STOP=1 -1 -d pantry_pirate_radio -f {LATEST}",
    )


def warning(page: Page) -> str:
    """What the three lines look at, and what not."""
    parts = (
        "It is in parts, which psql finds by itself. "
        if page.latest and page.latest.in_parts
        else ""
    )
    return f"{parts}The first line is there since psql does not notice a file that was cut off."


def row(dump: KeptDump) -> Sequence[str]:
    """The cells of :data:`HEADING`; the words of the last two are not all ours."""
    if dump.manifest is None:
        return (time_of(dump), "", "", "", "", "no manifest", "")
    night, trust = PastNight.of_manifest(dump.manifest), Trust.of(dump.manifest)
    by = f"{trust.by}: " if trust.by else ""
    return (
        time_of(dump),
        *map(number, night.counts),
        size_of(night.bytes),
        "yes" if trust.proven else _cut(trust.remarks()[0]),
        _cut(f"{by}{trust.override}") if trust.override else "",
    )


def left_out(page: Page) -> str:
    """What the table does not show, in words; empty where nothing."""
    beside = len(page.kept) - MOST_ROWS
    return f"{beside} older dumps are in this folder as well. " if beside > 0 else ""


def time_of(dump: KeptDump) -> str:
    moment = dump_moment(dump.name)
    assert moment is not None  # only dumps are shown
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def _cut(text: str) -> str:
    """On one line, and as long as a cell may be; without letters that nobody sees."""
    line = "".join(
        one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in " ".join(text.split())
    )
    return line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…"
