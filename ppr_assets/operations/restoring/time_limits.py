"""How long a restore may take before it is too long, where nobody has said so."""

from __future__ import annotations

from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import stored_bytes

MINUTES = 5
DEADLINE_SECONDS = 60.0 * MINUTES
"""The promise to whoever waits for the database."""

_GIGABYTE = 1_000_000_000


PROOF_SECONDS = 3600.0
"""For whom nobody waits, at least: a dump's proof, and a drill."""


def limit_seconds(found: FoundDump) -> float:
    """Five minutes; for a dump of more than a gigabyte, five minutes for each."""
    return seconds_for(found.manifest.bytes if found.manifest else stored_bytes(found.path))


def seconds_for(size: int) -> float:
    """The same of so many bytes, a dump's or those of published records."""
    return DEADLINE_SECONDS * max(1.0, size / _GIGABYTE)


def proof_seconds(found: FoundDump) -> float:
    """How long restoring into a scratch database may take."""
    return max(PROOF_SECONDS, limit_seconds(found))
