"""Variables whose names are nearly ours: they would do nothing, and nobody would know."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_OF_OURS = re.compile(r"(?:PPR_|SQL_|DUMP_|PUBLISHER_)+")
"""How names of ours begin, one more or one less of which is easily written."""
_ALIKE = 0.9
"""Two letters in another order or one more in a name of a dozen; TEST_DB for POSTGRES_DB is not."""


def misspelt(names: Iterable[str], ours: Collection[str]) -> tuple[str, ...]:
    """What to say of those of ``names`` that are nearly one of ``ours``, sorted."""
    known = {*ours}
    strange = sorted(name for name in names if name not in known)
    found = ((name, _begun_otherwise(name, ours) or _nearest(name, ours)) for name in strange)
    return tuple(
        f"{name} is set and does nothing; did you mean {meant}?" for name, meant in found if meant
    )


def _begun_otherwise(name: str, ours: Collection[str]) -> str:
    """In small letters, or with another beginning of ours: PPR_SQL_DUMP_DIR, SQL_KEEP_LAST."""
    if name.islower():
        return name.upper() if name.upper() in ours else ""
    if not _OF_OURS.match(name):
        return ""
    same = (one for one in ours if _OF_OURS.sub("", one, 1) == _OF_OURS.sub("", name, 1))
    return next(same, "")


def _close(name: str, other: str) -> bool:
    """Whether it is worth the look: an environment has a hundred names."""
    return "_" in name and abs(len(name) - len(other)) <= 2 and name[:1] == other[:1]


def _nearest(name: str, ours: Collection[str]) -> str:
    near = [one for one in ours if _close(name, one)]
    if not near:
        return ""
    from difflib import get_close_matches  # hardly ever, and it takes a while to load

    return next(iter(get_close_matches(name, near, n=1, cutoff=_ALIKE)), "")
