"""``python -m benchmarks.looking``: a query against restoring the dump and asking psql, and the
history of a record against checking out each night and searching it, in one run, as ratios."""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.measure import clean_environment, middle, run, timed
from benchmarks.world import PPR_ASSETS, Arena
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.operations.dumping.dump import dump
from ppr_assets.operations.publishing.publish import publish
from ppr_assets.operations.publishing.upkeep import keep_small
from ppr_assets.postgres.embedded import EMBEDDED_BIN

SQL = "select count(*), max(name) from public.organization"
_PSQL = str(EMBEDDED_BIN / "psql")
_SCRATCH = "looked_into"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking", description=__doc__)
    parser.add_argument("--organizations", type=int, default=11_000, help="about 80 MB of dump")
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        arena = Arena(folder / "looking", options.organizations)
        try:
            _publish(arena, options.nights)
            _query(arena, options.rounds)
            _history(arena, options.rounds)
        finally:
            arena.stop()


def _publish(arena: Arena, nights: int) -> None:
    settings = arena.playground.settings()
    settings = replace(settings, dump=replace(settings.dump, proof="off"))
    for night in range(nights):
        arena.change_one_percent(night)
        with open_data_repo(settings.data_repo) as repo:
            dump(settings, repo)
            publish(settings.dump, repo)
            keep_small(repo)


def _query(arena: Arena, rounds: int) -> None:
    env = arena.environment()
    dump = arena.playground.data_repo / "sql_dumps" / "latest.sql"
    into = {**env, "PGUSER": "postgres", "PGDATABASE": _SCRATCH}

    def psql(*words: str, database: str = _SCRATCH) -> None:
        argv = [_PSQL, "-qX", "-o", os.devnull, *words]
        here = {**into, "PGDATABASE": database}
        subprocess.run(argv, env=here, check=True, stderr=subprocess.DEVNULL)

    def restored_and_asked() -> None:
        psql("-f", str(dump))
        psql("-c", SQL)

    samples, peers = [], []
    for _ in range(rounds):
        samples.append(run([PPR_ASSETS, "query", SQL, "--offline"], env))
        psql("-c", f"CREATE DATABASE {_SCRATCH}", database="postgres")
        peers.append(timed(restored_and_asked))
        psql("-c", f"DROP DATABASE {_SCRATCH}", database="postgres")
    ours = middle(samples)
    megabytes = dump.stat().st_size / 1e6
    print(
        f"query of a dump of {megabytes:.0f} MB: {ours.seconds:.2f} s, of processors "
        f"{ours.processors:.2f} s; psql, restored and asked: {median(peers):.2f} s; ratio "
        f"{ours.seconds / median(peers):.2f}; peak {ours.peak / 2**20:.0f} MiB"
    )


def _history(arena: Arena, rounds: int) -> None:
    env, clone = arena.environment(), arena.playground.data_repo
    other = arena.playground.folder / "checked_out"
    subprocess.run(["git", "clone", "-q", str(clone), str(other)], env=env, check=True)
    listed = ["git", "log", "--format=%H", "--diff-filter=A", "--", "sql_dumps/*.sql"]
    commits = subprocess.run(listed, cwd=clone, env=env, check=True, capture_output=True, text=True)
    rows = (clone / "sql_dumps" / "latest.sql").read_text().partition("\nCOPY public.organization ")
    key = rows[2].split("\n")[1].split("\t")[0]
    script = "".join(
        f"git checkout -q {commit} && grep -m1 '^{key}\t' sql_dumps/latest.sql >/dev/null;"
        for commit in reversed(commits.stdout.split())
    )
    samples, peers = [], []
    for _ in range(rounds):
        samples.append(run([PPR_ASSETS, "history", "organization", key, "--offline"], env))
        peers.append(run(["sh", "-c", script], clean_environment(), other))
    ours, peer = middle(samples), middle(peers)
    print(
        f"history over {len(commits.stdout.split())} nights: {ours.seconds:.2f} s, of processors "
        f"{ours.processors:.2f} s; each checked out: {peer.seconds:.2f} s, "
        f"{peer.processors:.2f} s; ratio of processors {ours.processors / peer.processors:.2f}"
    )


if __name__ == "__main__":
    main()
