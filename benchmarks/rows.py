"""The lines of the table: what was measured, beside which peer, and what was aimed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks import audit, canonical, nightly, profile, restore, sensor, series
from benchmarks.measure import Sample, run
from benchmarks.world import PPR_ASSETS, Arena
from ppr_assets.cli.shared.console import size
from ppr_assets.plain_sql.dump_file import stored_bytes

MIB = 2**20
LINE = 20_000_000
"""Bits a second that a usual line takes up."""


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    peer: str
    ratio: str
    goal: str


def night_rows(arena: Arena, rounds: int) -> Iterator[Row]:
    found = nightly.nights(arena, rounds)
    for what, ours, peer, goal in (
        ("nightly run, whole process, against bare", "ours", "bare", "peer + 3 s"),
        ("the same with the dump proven by a restore, against bare", "proven", "bare", "+ 4.5 s"),
        ("nightly run against upstream, its remote on this machine", "ours", "upstream", ""),
    ):
        yield _night(what, found[ours], found[peer], goal)
    sent = ", ".join(size(found[name].pushed) for name in ("ours", "upstream"))
    yield _night(
        f"the same where the bytes pushed ({sent}) cross a line of 20 Mbit/s, computed",
        _over_line(found["ours"]),
        _over_line(found["upstream"]),
        "less than the peer",
    )
    unchanged = found["unchanged"]
    yield Row("a night without changes", _measured(unchanged), "", "", "2.5 s at 9,200")


def _night(what: str, ours: Sample, peer: Sample, goal: str) -> Row:
    more = ours.seconds - peer.seconds
    return Row(
        what,
        _measured(ours),
        f"{peer.seconds:.2f} s, of processors {peer.processors:.2f} s",
        f"{ours.seconds / peer.seconds:.2f} ({more:+.2f} s)",
        goal,
    )


def _measured(ours: Sample) -> str:
    words = f"{ours.seconds:.2f} s, of processors {ours.processors:.2f} s"
    return f"{words}, {ours.peak / MIB:.0f} MiB"


def _over_line(sample: Sample) -> Sample:
    return replace(sample, seconds=sample.seconds + 8 * sample.pushed / LINE)


def filter_rows(arena: Arena, rounds: int) -> Iterator[Row]:
    found = canonical.figures(arena, rounds)
    yield Row(
        f"canonical filter alone, {found.bytes / MIB:.0f} MiB",
        f"{found.bytes / 1e6 / found.alone:.0f} MB/s",
        "",
        "",
        "150 MB/s",
    )
    yield Row(
        "search for secrets alone, the forms compiled",
        f"{found.bytes / 1e6 / found.search:.0f} MB/s",
        "",
        "",
        "700 MB/s",
    )
    yield Row(
        "a dump (pg_dump, filter, fsync, SHA-256 read back) against `pg_dump > file`",
        f"{found.filtered:.2f} s",
        f"{found.pg_dump:.2f} s",
        f"{found.filtered / found.pg_dump:.2f}",
        "1.40",
    )
    yield Row(
        "the same with the search for secrets on the way, against without",
        f"{found.searched:.2f} s",
        f"{found.filtered:.2f} s",
        f"{found.searched / found.filtered:.2f}",
        "1.15",
    )
    yield Row(
        "the same with search, withholding and profile, against without",
        f"{found.published:.2f} s",
        f"{found.filtered:.2f} s",
        f"{found.published / found.filtered:.2f}",
        "",
    )


def profile_row(arena: Arena, rounds: int) -> Row:
    """Of the dump that the filter was measured with, see :func:`filter_rows`."""
    found = profile.figures(arena.playground.folder / "canonical" / "raw.sql", rounds)
    return Row(
        f"profile of every column ({found.bytes / 1024:.0f} KiB of manifest), a processor's time, "
        "against the canonical filter's",
        f"{found.profile * 1000:.0f} ms, held to 60 nights {found.judging * 1000:.0f} ms",
        f"{found.filter * 1000:.0f} ms",
        f"{found.profile / found.filter:.2f}",
        "0.25, 15 % of a dump",
    )


def restore_rows(arena: Arena, rounds: int) -> Iterator[Row]:
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


def audit_row(arena: Arena, rounds: int) -> Row:
    found = audit.figures(arena, rounds)
    return Row(
        f"audit of {found.dumps} dumps, {found.bytes / MIB:.0f} MiB, against git cat-file",
        f"{found.audit.seconds:.2f} s, {found.audit.peak / MIB:.0f} MiB",
        f"{found.cat_file:.2f} s",
        f"{found.audit.seconds / found.cat_file:.2f}",
        "1.50",
    )


def tick_row(arena: Arena) -> Row:
    found = sensor.figures(arena, 30)
    return Row(
        "idle sensor tick against git ls-remote",
        f"{found.tick * 1000:.1f} ms",
        f"{found.ls_remote * 1000:.1f} ms",
        f"{found.tick / found.ls_remote:.2f}",
        "1.20",
    )


def memory_row(arena: Arena) -> Row:
    """Of the arena's first dump."""
    sample = run([PPR_ASSETS, "dump"], arena.environment())
    dumps = sorted(arena.playground.data_repo.glob("sql_dumps/pantry_*.sql"))
    return Row(
        f"dump and publish {stored_bytes(dumps[-1]) / 1e9:.2f} GB, peak memory",
        f"{sample.peak / MIB:.0f} MiB, {sample.seconds:.0f} s",
        "",
        "",
        "300 MiB",
    )


def series_rows(folder: Path, organizations: int, percent: float, nights: int) -> Iterator[Row]:
    """Of so many nights in a row, at ``percent`` of the rows changed."""
    found = series.figures(folder, organizations, percent=percent, nights=nights)
    files = f" in {found.files} parts" if found.files > 1 else ""
    what = f"{nights} nights of {found.dump_bytes / MIB:.0f} MiB{files}, {percent:g} % of rows"
    pushed, gzip = median(found.pushed), median(found.gzip_pushed)
    yield Row(
        f"{what} ({median(found.changed_rows):.0f}): bytes pushed a night, against gzip",
        f"{pushed / 1024:.1f} KiB (at most {max(found.pushed) / 1024:.1f})",
        f"{gzip / MIB:.1f} MiB",
        f"1/{gzip / pushed:.0f}",
        "60 KB at 1 %, 1/400",
    )
    yield Row(
        f"{what}: .git after its own upkeep, against one packed dump and all that was pushed",
        f"{found.kept / MIB:.1f} MiB",
        f"{found.expected / MIB:.1f} MiB",
        f"{found.kept / found.expected:.2f}" if found.expected else "",
        "1.10",
    )
    yield Row(
        f"{what}: commit and push, against bare git with the same files",
        f"{median(found.seconds):.2f} s",
        f"{median(found.bare_seconds):.2f} s, {median(found.bare_pushed) / 1024:.1f} KiB",
        f"{found.ratio:.2f}",
        "1.20",
    )
    yield Row(
        f"{what}: a night without changes",
        "no commit, no push" if found.unchanged_moves_nothing else "SOMETHING MOVED",
        "",
        "",
        "no commit, no push",
    )
