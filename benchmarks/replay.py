"""A replay of published records against merely reading them: each file and its result by
``json.loads`` of the standard library, in one process."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import clean_environment, run, timed
from benchmarks.world import PPR_ASSETS, Arena
from ppr_assets.demo.playground import DATABASE, ROLE
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.replay.rows.columns import COLUMNS

_RUNS = 4
"""Of each in turn; the shortest counts, which others on the machine have disturbed least."""


@dataclass(frozen=True)
class ReplayFigures:
    """Seconds of the standard library, of a dry run and of a whole replay, both whole processes;
    the latter's peak of memory in bytes."""

    files: int
    bytes: int
    merely_read: float
    dry_run: float
    replay: float
    peak: int


def figures(sample: Path, times: int, folder: Path) -> ReplayFigures:
    records = folder / "records"
    _unpack(sample, times, records)
    files = [path for path in records.rglob("*.json") if path.name != "summary.json"]
    arena = Arena(folder / "arena", 50)
    try:
        env = clean_environment(**arena.environment())
        words = [PPR_ASSETS, "replay", str(records)]
        merely, dry, done = [], [], []
        for _ in range(_RUNS):
            _empty(arena)
            merely.append(timed(lambda: _merely_read(files)))
            dry.append(run([*words, "--dry-run"], env).seconds)
            done.append(run(words, env))
    finally:
        arena.stop()
    size = sum(path.stat().st_size for path in files)
    seconds = min(merely), min(dry), min(one.seconds for one in done)
    return ReplayFigures(len(files), size, *seconds, max(one.peak for one in done))


def _unpack(sample: Path, times: int, records: Path) -> None:
    """Each file several times, of another job each time."""
    once = records.with_name("once")
    once.mkdir()
    subprocess.run(["tar", "-xf", sample, "-C", once], check=True)
    for path in once.rglob("*.json"):
        if "daily" not in path.parts or path.name == "summary.json":
            continue
        within = Path(*path.parts[path.parts.index("daily") :])
        job = json.loads(path.read_bytes())
        (records / within).parent.mkdir(parents=True, exist_ok=True)
        for number in range(times):
            name = f"{job['job_id']}-{number}"
            again = {**job, "job_id": name, "job": {**job["job"], "id": name}}
            (records / within).with_name(f"{name}.json").write_text(json.dumps(again))
    shutil.rmtree(records.with_name("once"))


def _merely_read(files: list[Path]) -> None:
    for path in files:
        result = json.loads(path.read_bytes())["result"].strip()
        try:
            json.loads(result.removeprefix("```json").removesuffix("```"))
        except ValueError:
            continue


def _empty(arena: Arena) -> None:
    with connect(arena.playground.server.database_settings(DATABASE, user=ROLE)) as session:
        session.execute(f"TRUNCATE {', '.join(f'public.{table}' for table in COLUMNS)} CASCADE")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("sample", type=Path, help="a .tar.xz of a data repository's daily/")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    options = parser.parse_args()
    table = Table("files", "MiB", "merely read", "dry run", "replay", "ratio", "peak")
    for times in options.times:
        with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as folder:
            Path(folder).chmod(0o755)
            found = figures(options.sample, times, Path(folder))
        table.add_row(
            str(found.files),
            f"{found.bytes / 2**20:.0f}",
            f"{found.merely_read:.2f} s",
            f"{found.dry_run:.2f} s",
            f"{found.replay:.2f} s",
            f"{found.replay / found.merely_read:.1f}",
            f"{found.peak / 2**20:.0f} MiB",
        )
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
