"""The profile of a dump: what it takes of a processor beside the canonical filter, and its size."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows
from ppr_assets.plain_sql.profile import TableProfiler
from ppr_assets.rules.profile.columns import Profile, profile_json
from ppr_assets.rules.profile.movements import EarlierNight, largest, movements

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class ProfileFigures:
    """Processor seconds of profile, filter, and of holding a profile to sixty others; bytes of the
    profile in a manifest."""

    profile: float
    filter: float
    judging: float
    bytes: int


@dataclass(frozen=True)
class _Table:
    key: str
    columns: list[str]
    rows: list[bytes]
    size: int


def figures(dump: Path, rounds: int) -> ProfileFigures:
    """Of a dump, whose rows have been sorted by then: the filter has them so in any case."""
    content = dump.read_bytes()
    tables = [_table(piece) for piece in pieces([content]) if isinstance(piece, CopyRows)]
    profile = _profile(tables)
    nights = [EarlierNight(profile)] * 60
    return ProfileFigures(
        profile=_processor(rounds, lambda: _profile(tables)),
        filter=_processor(rounds, lambda: _filter(content, dump.with_suffix(".canonical"))),
        judging=_processor(rounds, lambda: largest(movements(profile, nights))),
        bytes=len(json.dumps(profile_json(profile), indent=2)),
    )


def _table(copy: CopyRows) -> _Table:
    content = b"".join(copy.rows)
    rows = sorted(content.split(b"\n")[:-1])
    return _Table(copy.key, [*copy.columns], rows, len(content))


def _profile(tables: list[_Table]) -> Profile:
    found = {}
    for table in tables:
        profiler = TableProfiler(table.key, table.columns, rows=len(table.rows), size=table.size)
        profiler.add(table.rows)
        found[table.key] = profiler.finished()
    return found


def _filter(content: bytes, target: Path) -> None:
    chunks = (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))
    with target.open("w+b", buffering=_CHUNK) as out:
        canonicalize(chunks, out, spill_folder=target.parent)


def _processor(rounds: int, work: Callable[[], object]) -> float:
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return median(taken)
