"""The canonical filter and the search for secrets: their own throughput, and what they add to
pg_dump's wall time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO
from unittest.mock import patch

from msgspec.structs import replace

from benchmarks.measure import timed
from benchmarks.world import PG_DUMP, Arena
from ppr_assets.demo.playground import DATABASE, ROLE
from ppr_assets.plain_sql import canonical
from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line, Piece
from ppr_assets.plain_sql.searched_values import Scanner
from ppr_assets.postgres.client_tools import probe
from ppr_assets.postgres.snapshot.pg_dump import PgDump
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import Policy, shipped_policy

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class FilterFigures:
    """Bytes of the dump; seconds of the filter alone, of the search alone, of pg_dump to a file,
    of a dump as the project makes it (through the filter to a file, and the SHA-256 read
    back), of the same with the search on the way, and of what a night does: search, withholding by
    the shipped policy, and profile."""

    bytes: int
    alone: float
    search: float
    pg_dump: float
    filtered: float
    searched: float
    published: float


def figures(arena: Arena, rounds: int) -> FilterFigures:
    folder = arena.playground.folder / "canonical"
    folder.mkdir(exist_ok=True)
    raw, target = folder / "raw.sql", folder / "canonical.sql"
    alone, parsed, search, plain, filtered, searched, published = [], [], [], [], [], [], []
    for _ in range(rounds + 1):
        plain.append(timed(lambda: _pg_dump(arena, raw)))
        alone.append(timed(lambda: _filter(raw, target)))
        parsed.append(timed(lambda: _read(raw, pieces)))
        search.append(timed(lambda: _read(raw, _searched)))
        filtered.append(_write_dump(arena, target))
        with patch.object(canonical, "pieces", _searched):
            searched.append(_write_dump(arena, target))
        published.append(_write_dump(arena, target, policy=shipped_policy()))
    return FilterFigures(
        bytes=raw.stat().st_size,
        alone=median(alone[1:]),
        search=median(search[1:]) - median(parsed[1:]),
        pg_dump=median(plain[1:]),
        filtered=median(filtered[1:]),
        searched=median(searched[1:]),
        published=median(published[1:]),
    )


def _pg_dump(arena: Arena, target: Path) -> None:
    with target.open("wb") as file:
        subprocess.run([PG_DUMP], stdout=file, env=arena.environment(), check=True)


def _filter(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("w+b", buffering=_CHUNK) as out:
        canonicalize(_chunks(file), out, spill_folder=target.parent)


def _searched(chunks: Iterable[bytes], *, quoting: bool = True) -> Iterator[Piece]:
    """A dump's pieces, each searched before it is given on."""
    scanner = Scanner()
    for piece in pieces(chunks, quoting=quoting):
        if isinstance(piece, CopyRows):
            columns = piece.columns
            yield replace(piece, rows=scanner.rows(piece.key, columns, piece.rows))
        else:
            if isinstance(piece, Line):
                scanner.line(piece)
            yield piece


def _read(source: Path, parse: Callable[[Iterable[bytes]], Iterator[Piece]]) -> None:
    with source.open("rb") as file:
        for piece in parse(_chunks(file)):
            if isinstance(piece, CopyRows):
                for _ in piece.rows:
                    pass


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := os.read(file.fileno(), _CHUNK):
        yield chunk


def _write_dump(arena: Arena, target: Path, policy: Policy | None = None) -> float:
    target.unlink(missing_ok=True)
    settings = arena.playground.server.database_settings(DATABASE, user=ROLE)
    with open_snapshot(settings, exclusive=False, lock_seconds=60) as snapshot:
        name = snapshot.export()
        tool = probe(Path(PG_DUMP))
        decided = plan(policy, snapshot.relations()) if policy else None
        dump = PgDump(tool, settings, stall_seconds=60, plan=decided)
        return timed(lambda: dump.write(name, target))
