"""The names of databases that restores and drills make beside their target.

``<target>_restoring_<YYYYMMDDHHMMSS>`` while it is filled, ``<target>_before_<YYYYMMDDHHMMSS>``
when it was replaced, in UTC. PostgreSQL cuts names after 63 bytes, so a long target is shortened:
its first characters, an underscore, and eight hexadecimal digits of the SHA-256 of its name.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

LONGEST = 63
"""Bytes that PostgreSQL keeps of a name."""

SCRATCH = "drill"
"""What the name of a scratch database has after that of the database whose dump it is."""

PROOF_SCRATCH = "proof"
"""The same in a night's run, which must not wait for a drill."""

_DIGITS = 14
_HASH = 8
Kind = Literal["restoring", "before"]


class Leftover(NamedTuple):
    """A database beside the target: half made by a run that was killed, or a former target."""

    name: str
    kind: Kind
    made_at: datetime
    bytes: int | None
    """On the server's disk; None where the role may not look."""


def restoring_name(target: str, moment: datetime) -> str:
    """The name of a database while it is filled."""
    return _beginning(target, "restoring") + _stamp(moment)


def former_name(target: str, moment: datetime) -> str:
    """The name that the target gets when it is replaced."""
    return _beginning(target, "before") + _stamp(moment)


def parse(target: str, name: str) -> tuple[Kind, datetime] | None:
    """What ``name`` is to ``target``; None when it is something else's."""
    kinds: tuple[Kind, ...] = ("restoring", "before")
    for kind in kinds:
        beginning = _beginning(target, kind)
        digits = name.removeprefix(beginning)
        if name.startswith(beginning) and re.fullmatch(r"[0-9]{14}", digits):
            try:
                return kind, datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            except ValueError:  # the 31st of February: not of our making
                return None
    return None


def _beginning(target: str, kind: Kind) -> str:
    room = LONGEST - len(f"_{kind}_") - _DIGITS
    encoded = target.encode()
    if len(encoded) > room:
        kept = encoded[: room - _HASH - 1].decode(errors="ignore")
        target = f"{kept}_{hashlib.sha256(encoded).hexdigest()[:_HASH]}"
    return f"{target}_{kind}_"


def _stamp(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a database's moment needs a time zone")
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"
