"""``python -m benchmarks.looking``: a query against restoring the dump and asking psql, a record
and a table brought back against restoring the whole dump, and the history of a record against
checking out each night and searching it, in one run, as ratios; over some real nights, and over a
year of nights that were made up from the last one."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.measure import clean_environment, middle, run, timed
from benchmarks.nights import written_nights
from benchmarks.world import PPR_ASSETS, Arena
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.upkeep import keep_small
from ppr_assets.operations.dumping.dump import dump
from ppr_assets.operations.publishing.publish import publish
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.connection import connect

SQL = "select count(*), max(name) from public.organization"
_PSQL = str(EMBEDDED_BIN / "psql")
_SCRATCH = "looked_into"
_CHECKED_OUT = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking", description=__doc__)
    parser.add_argument("--organizations", type=int, default=11_000, help="about 80 MB of dump")
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--year", type=int, default=365, help="nights that are made up")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        arena = Arena(folder / "looking", options.organizations)
        try:
            _publish(arena, options.nights)
            _query(arena, options.rounds)
            _patches(arena)
            _history(arena, options.rounds)
            _year(arena, options.year, options.rounds)
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


def _patches(arena: Arena) -> None:
    """Once each: what was brought back is the same afterwards."""
    env, folder = arena.environment(), arena.playground.folder
    database = arena.playground.settings().database
    with connect(database) as session:
        row = session.execute("SELECT min(id) FROM public.organization").fetchone()
        assert row is not None
    restored = run([PPR_ASSETS, "restore", "--into", "patch_peer"], env, folder)
    for what, rows, spoilt in (
        ("a record", ["--record", "organization", row[0]], f"WHERE id = '{row[0]}'"),
        ("a table", ["--table", "organization"], ""),
    ):
        with connect(database) as session:
            session.execute(
                f"UPDATE public.organization SET name = name || ' spoilt' {spoilt}".encode()
            )
        for words in ([], ["--apply"]):
            file = f"{what.replace(' ', '_')}{len(words)}.sql"
            one = run([PPR_ASSETS, "restore", *rows, "--out", file, *words], env, folder)
            print(
                f"{what}{' applied' if words else ' shown'}: {one.seconds:.2f} s, of processors "
                f"without the server's {one.processors:.2f} s, peak {one.peak / 2**20:.0f} MiB; a "
                f"whole restore: {restored.seconds:.2f} s; ratio "
                f"{one.seconds / restored.seconds:.2f}"
            )


def _history(arena: Arena, rounds: int) -> None:
    env, clone = arena.environment(), arena.playground.data_repo
    listed = ["git", "log", "--format=%H", "--diff-filter=A", "--", "sql_dumps/*.sql"]
    commits = subprocess.run(listed, cwd=clone, env=env, check=True, capture_output=True, text=True)
    rows = (clone / "sql_dumps" / "latest.sql").read_text().partition("\nCOPY public.organization ")
    key = rows[2].split("\n")[1].split("\t")[0]
    _followed(env, clone, commits.stdout.split(), key, rounds)


def _year(arena: Arena, nights: int, rounds: int) -> None:
    clone = arena.playground.folder / "year.git"
    key = written_nights(clone, arena.playground.data_repo / "sql_dumps" / "latest.sql", nights)
    listed = subprocess.run(
        ["git", "rev-list", "main"], cwd=clone, check=True, capture_output=True, text=True
    )
    env = {**arena.environment(), "DATA_REPO_PATH": str(clone), "DATA_REPO_URL": ""}
    _followed(env, clone, listed.stdout.split(), key, rounds)
    _followed(env, clone, listed.stdout.split(), "nobody", rounds)


def _followed(
    env: dict[str, str], clone: Path, commits: Sequence[str], key: str, rounds: int
) -> None:
    """The peer checks out no more than some of the nights."""
    other = clone.parent / "checked_out"
    shutil.rmtree(other, ignore_errors=True)
    subprocess.run(["git", "clone", "-qn", str(clone), str(other)], check=True)
    few = commits[:: max(len(commits) // _CHECKED_OUT, 1)]
    script = "".join(
        f"git checkout -q {commit} && "
        f"grep -m1 '^{key}\t' $(ls sql_dumps/*.sql | tail -1) >/dev/null || true;"
        for commit in reversed(few)
    )
    samples, peers = [], []
    for _ in range(rounds):
        samples.append(run([PPR_ASSETS, "history", "organization", key, "--offline"], env))
        peers.append(run(["sh", "-c", script], clean_environment(), other))
    ours, peer = middle(samples), middle(peers)
    here, there = ours.processors / len(commits), peer.processors / len(few)
    print(
        f"history of {key} over {len(commits)} nights: {ours.seconds:.2f} s, of processors "
        f"{ours.processors:.2f} s, peak {ours.peak / 2**20:.0f} MiB; {len(few)} of them checked "
        f"out: {peer.seconds:.2f} s, {peer.processors:.2f} s; ratio of processors by night "
        f"{here / there:.2f}"
    )


if __name__ == "__main__":
    main()
