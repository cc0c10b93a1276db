"""What a commit of ours says: a subject for people, trailers for programs, and reading them back.

Trailers are git's own: the last paragraph, one ``Key: value`` a line. ``git log
--format='%(trailers:key=Records)'`` shows them, and an audit finds again what was decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from msgspec import Struct

from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import plural

_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): ?(.*)")
_ORGANIZATION = "organization"


class Signed(Struct, frozen=True):
    """Why something was decided, and by whom."""

    reason: str
    by: str

    def trailers(self) -> dict[str, str]:
        return {"Reason": self.reason, "By": self.by}


def dump_message(manifest: Manifest, mark: int | None, *, retired: Sequence[str] = ()) -> str:
    """The message of the commit that publishes the dump of ``manifest``, of which rows, run,
    override, proof and what moved most are told.

    ``mark`` is the one that this commit carries (None: no ratchet file yet), ``retired`` are the
    dumps that leave the folder.
    """
    organizations = plural(manifest.rows.get(_ORGANIZATION, 0), "organization")
    override = manifest.override
    trailers = {
        "Dump": manifest.dump,
        "Sha256": manifest.sha256,
        "Records": render_records(manifest.rows),
        "Mark": None if mark is None else str(mark),
        "Run": manifest.run_id,
        "Override": f"{override.source}: {override.reason}" if override else None,
        "Override-By": override.by if override else None,
        "Proof": str(manifest.proof) if manifest.proof else None,
        "Moved": "; ".join(manifest.movements),
        "Retired": " ".join(retired),
    }
    subject = f"Dump {manifest.dump.removesuffix('.sql')}: {organizations}"
    return compose_message(subject, trailers)


def compose_message(subject: str, trailers: Mapping[str, str | None]) -> str:
    """Subject and trailers; a trailer that is None or empty is left out.

    Newlines in a subject or a value become spaces, so that no value can pass for a trailer.
    """
    lines = [f"{key}: {_folded(value)}" for key, value in trailers.items() if value]
    parts = [_folded(subject), "\n".join(lines)]
    return "\n\n".join(filter(None, parts)) + "\n"


def parse_trailers(message: str) -> dict[str, str]:
    """The trailers of a message; empty if its last paragraph is something else.

    The first of several with the same key counts: what somebody signs on later stands below.
    """
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", message.strip()) if part.strip()]
    if len(paragraphs) < 2:
        return {}
    found: dict[str, str] = {}
    for line in paragraphs[-1].splitlines():
        trailer = _TRAILER.fullmatch(line)
        if trailer is None:
            return {}
        found.setdefault(trailer[1], trailer[2].strip())
    return found


def brings_dump(message: str) -> bool:
    """Whether this is the message of a commit of ours that publishes a dump."""
    return {"Dump", "Sha256"} <= parse_trailers(message).keys()


def retired_by(message: str) -> tuple[str, ...]:
    """The dumps that leave the folder with this commit by the keep rules, as it says."""
    return tuple(parse_trailers(message).get("Retired", "").split())


def reset_told(message: str) -> str | None:
    """Why somebody set the mark on purpose with this commit; None if it is another message."""
    trailers = parse_trailers(message)
    told = "Dump" not in trailers and {"Mark", "Reason"} <= trailers.keys()
    return trailers["Reason"] if told else None


def signed_by(message: str) -> str:
    """Who has decided what this commit does; empty where it does not say so."""
    return parse_trailers(message).get("By", "")


def render_records(records: Mapping[str, int]) -> str:
    """``organization=2500 location=3100``: the core table first, then by name.

    Whatever could end a word in a table's name is percent-encoded.
    """
    order = sorted(records, key=lambda table: (table != _ORGANIZATION, table))
    names = {table: quote(table, safe='".') for table in order}
    return " ".join(f"{names[table]}={records[table]}" for table in order)


def parse_records(text: str) -> dict[str, int]:
    """What :func:`render_records` wrote; words that are not counts are passed over."""
    words = (word.rpartition("=") for word in text.split())
    return {unquote(table): int(count) for table, _, count in words if count.isdecimal() and table}


def _folded(text: str) -> str:
    return " ".join(text.split())
