"""``python -m benchmarks``: one table, ratios against the peers, what was aimed at."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import audit, canonical, nightly, restore, sensor
from benchmarks.measure import run
from benchmarks.world import PPR_ASSETS, Arena

MIB = 2**20


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    peer: str
    ratio: str
    goal: str


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--organizations", type=int, default=30_000, help="about 80 MB of dump")
    parser.add_argument(
        "--large", type=int, default=375_000, help="about 1 GB of dump; 0: leave out"
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = Table(title=f"medians of {options.rounds}, {options.organizations} organizations")
    for column in ("what", "measured", "peer", "ratio", "goal"):
        table.add_column(column)
    with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as folder:
        rows = _figures(Path(folder), options.organizations, options.large, options.rounds)
        for row in rows:
            table.add_row(row.what, row.measured, row.peer, row.ratio, row.goal)
    Console(width=140).print(table)


def _figures(folder: Path, organizations: int, large: int, rounds: int) -> Iterator[Row]:
    folder.chmod(0o755)
    arena = Arena(folder / "usual", organizations)
    try:
        yield from _nights(arena, rounds)
        yield from _filter(arena, rounds)
        yield _tick(arena)
        yield from _restores(arena, rounds)
        yield _audit(arena, rounds)
    finally:
        arena.stop()
    if large:
        yield _memory(folder / "large", large)


def _nights(arena: Arena, rounds: int) -> Iterator[Row]:
    found = nightly.nights(arena, rounds)
    ours = found["ours"]
    for peer, goal in (("bare", "peer + 3 s"), ("upstream", "less than the peer")):
        yield Row(
            f"nightly run, whole process, against {peer}",
            f"{ours.seconds:.2f} s, {ours.peak / MIB:.0f} MiB",
            f"{found[peer].seconds:.2f} s",
            f"{ours.seconds / found[peer].seconds:.2f} "
            f"({ours.seconds - found[peer].seconds:+.2f} s)",
            goal,
        )
    proven = found["proven"]
    yield Row(
        "the same with the dump proven by a restore, against bare",
        f"{proven.seconds:.2f} s, {proven.peak / MIB:.0f} MiB",
        f"{found['bare'].seconds:.2f} s",
        f"{proven.seconds / found['bare'].seconds:.2f} "
        f"({proven.seconds - found['bare'].seconds:+.2f} s)",
        "",
    )


def _filter(arena: Arena, rounds: int) -> Iterator[Row]:
    found = canonical.figures(arena, rounds)
    yield Row(
        f"canonical filter alone, {found.bytes / MIB:.0f} MiB",
        f"{found.bytes / 1e6 / found.alone:.0f} MB/s",
        "",
        "",
        "150 MB/s",
    )
    yield Row(
        "a dump (pg_dump, filter, fsync, SHA-256 read back) against `pg_dump > file`",
        f"{found.filtered:.2f} s",
        f"{found.pg_dump:.2f} s",
        f"{found.filtered / found.pg_dump:.2f}",
        "1.40",
    )


def _restores(arena: Arena, rounds: int) -> Iterator[Row]:
    found = restore.figures(arena, rounds)
    size = f"{found.bytes / MIB:.0f} MiB"
    for what, seconds, peer, against, goal in (
        ("load only", found.load, found.psql, "psql -f", "0.80"),
        ("load only", found.load, found.psql_single, "psql -1 -f", ""),
        ("load only", found.load, found.pg_restore, "pg_restore -j2", "1.00"),
        ("restore, whole", found.whole.seconds, found.psql, "psql -f", "1.15"),
    ):
        yield Row(
            f"{what}, {size}, against {against}",
            f"{seconds:.2f} s",
            f"{peer:.2f} s",
            f"{seconds / peer:.2f}",
            goal,
        )
    yield Row(
        f"restore, peak memory, {size}", f"{found.whole.peak / MIB:.0f} MiB", "", "", "300 MiB"
    )
    yield Row("restore, database unavailable", f"{found.unavailable:.3f} s", "", "", "0.5 s")


def _audit(arena: Arena, rounds: int) -> Row:
    found = audit.figures(arena, rounds)
    return Row(
        f"audit of {found.dumps} dumps, {found.bytes / MIB:.0f} MiB, against git cat-file",
        f"{found.audit.seconds:.2f} s, {found.audit.peak / MIB:.0f} MiB",
        f"{found.cat_file:.2f} s",
        f"{found.audit.seconds / found.cat_file:.2f}",
        "1.50",
    )


def _tick(arena: Arena) -> Row:
    found = sensor.figures(arena, 30)
    return Row(
        "idle sensor tick against git ls-remote",
        f"{found.tick * 1000:.1f} ms",
        f"{found.ls_remote * 1000:.1f} ms",
        f"{found.tick / found.ls_remote:.2f}",
        "1.20",
    )


def _memory(folder: Path, organizations: int) -> Row:
    arena = Arena(folder, organizations)
    try:
        sample = run([PPR_ASSETS, "dump"], arena.environment())
        dumps = sorted(arena.playground.data_repo.glob("sql_dumps/pantry_*.sql"))
        size = dumps[-1].stat().st_size
    finally:
        arena.stop()
    return Row(
        f"peak memory at {size / 1e9:.2f} GB of dump",
        f"{sample.peak / MIB:.0f} MiB, {sample.seconds:.0f} s",
        "",
        "",
        "300 MiB",
    )


if __name__ == "__main__":
    main()
