"""How long a restore may take before it is too long, where nobody has said so."""

from __future__ import annotations

from ppr_assets.operations.dump_file import stored_bytes
from ppr_assets.operations.sources import FoundDump

MINUTES = 5
DEADLINE_SECONDS = 60.0 * MINUTES
"""The promise to whoever waits for the database."""

_GIGABYTE = 1_000_000_000


def promised_seconds(found: FoundDump) -> float:
    """Five minutes; for a dump of more than a gigabyte, five minutes for each."""
    size = found.manifest.bytes if found.manifest else stored_bytes(found.path)
    return DEADLINE_SECONDS * max(1.0, size / _GIGABYTE)
