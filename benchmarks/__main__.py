"""``python -m benchmarks``: one table, ratios against the peers, what was aimed at."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import rows
from benchmarks.rows import Row
from benchmarks.world import Arena

PERCENT = (0.2, 1.0, 5.0)
"""Of all rows, that change from one night to the next."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--organizations", type=int, default=11_000, help="about 80 MB of dump")
    parser.add_argument(
        "--large", type=int, default=375_000, help="about 1 GB of dump; 0: leave out"
    )
    parser.add_argument("--rounds", type=int, default=5, help="0: only the nights in a row")
    parser.add_argument("--nights", type=int, default=30, help="nights in a row; 0: leave out")
    parser.add_argument(
        "--split", type=int, default=75_000, help="for nights of about 200 MB; 0: leave out"
    )
    options = parser.parse_args()
    table = Table(title=f"medians of {options.rounds}, {options.organizations} organizations")
    for column in ("what", "measured", "peer", "ratio", "goal"):
        table.add_column(column)
    with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as folder:
        for row in _figures(Path(folder), options):
            table.add_row(row.what, row.measured, row.peer, row.ratio, row.goal)
    Console(width=140).print(table)


def _figures(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    folder.chmod(0o755)
    if options.rounds:
        yield from _usual(folder / "usual", options.organizations, options.rounds)
    if options.nights:
        for percent in PERCENT:
            yield from rows.series_rows(
                folder / f"series_{percent}", options.organizations, percent, options.nights
            )
        if options.split:
            yield from rows.series_rows(folder / "split", options.split, 1.0, options.nights)
    if options.large:
        yield from _large(folder / "large", options.large, options.rounds)


def _usual(folder: Path, organizations: int, rounds: int) -> Iterator[Row]:
    arena = Arena(folder, organizations)
    try:
        yield from rows.night_rows(arena, rounds)
        yield from rows.filter_rows(arena, rounds)
        yield rows.profile_row(arena, rounds)
        yield rows.tick_row(arena)
        yield from rows.restore_rows(arena, rounds)
        yield rows.audit_row(arena, rounds)
    finally:
        arena.stop()


def _large(folder: Path, organizations: int, rounds: int) -> Iterator[Row]:
    arena = Arena(folder, organizations)
    try:
        yield rows.memory_row(arena)
        if rounds:
            yield from rows.restore_rows(arena, rounds)
    finally:
        arena.stop()


if __name__ == "__main__":
    main()
