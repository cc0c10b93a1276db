"""The canonical filter: its own throughput, and what it adds to pg_dump's wall time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO

from benchmarks.measure import timed
from benchmarks.world import PG_DUMP, Arena
from ppr_assets.demo.playground import DATABASE, ROLE
from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.postgres.client_tools import probe
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import open_snapshot

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class FilterFigures:
    """Bytes of the dump; seconds of the filter alone, of pg_dump to a file, and of a dump as the
    project makes it: through the filter to a file, fsync, and the SHA-256 read back."""

    bytes: int
    alone: float
    pg_dump: float
    filtered: float


def figures(arena: Arena, rounds: int) -> FilterFigures:
    folder = arena.playground.folder / "canonical"
    folder.mkdir(exist_ok=True)
    raw, target = folder / "raw.sql", folder / "canonical.sql"
    alone, plain, filtered = [], [], []
    for _ in range(rounds + 1):
        plain.append(timed(lambda: _pg_dump(arena, raw)))
        alone.append(timed(lambda: _filter(raw, target)))
        filtered.append(_write_dump(arena, target))
    return FilterFigures(
        bytes=raw.stat().st_size,
        alone=median(alone[1:]),
        pg_dump=median(plain[1:]),
        filtered=median(filtered[1:]),
    )


def _pg_dump(arena: Arena, target: Path) -> None:
    with target.open("wb") as file:
        subprocess.run([PG_DUMP], stdout=file, env=arena.environment(), check=True)


def _filter(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("w+b", buffering=_CHUNK) as out:
        canonicalize(_chunks(file), out, spill_folder=target.parent)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := os.read(file.fileno(), _CHUNK):
        yield chunk


def _write_dump(arena: Arena, target: Path) -> float:
    target.unlink(missing_ok=True)
    settings = arena.playground.server.database_settings(DATABASE, user=ROLE)
    with open_snapshot(settings, exclusive=False, lock_seconds=60) as snapshot:
        name = snapshot.export()
        tool = probe(Path(PG_DUMP))
        return timed(lambda: PgDump(tool, settings, stall_seconds=60).write(name, target))
