"""``python -m benchmarks.newcomer``: from a data repository's URL to a database that can be asked,
against a full clone, createdb and psql, in one run, over histories of several lengths.

The repository is served by git's own HTTP server, and bytes are those that it sends. All nights but
the newest are made up from it.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.measure import Sample, clean_environment, middle, run
from benchmarks.nights import written_nights
from benchmarks.world import PPR_ASSETS, Arena
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.operations.dumping.dump import dump
from ppr_assets.operations.publishing.publish import publish
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets_tests.fix_http_remote import HttpRemote, serve

_CREATED = "by_hand"
_KEPT = 3


@dataclass(frozen=True)
class Came:
    """Of one way: its medians, and the bytes that the server sent."""

    sample: Sample
    sent: int

    def __str__(self) -> str:
        return (
            f"{self.sent / 1e6:.1f} MB, {self.sample.seconds:.2f} s, of processors "
            f"{self.sample.processors:.2f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.newcomer", description=__doc__)
    parser.add_argument("--organizations", type=int, default=11_000, help="about 80 MB of dump")
    parser.add_argument("--nights", type=int, nargs="+", default=[3, 60], help="lengths of history")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        arena = Arena(folder / "newcomer", options.organizations)
        try:
            newest = _published(arena)
            for nights in options.nights:
                _compare(arena, newest, nights, options.rounds)
        finally:
            arena.stop()


def _published(arena: Arena) -> Path:
    """Some nights of ours, whose dumps stand in the folder; returns the newest."""
    settings = arena.playground.settings()
    settings = replace(settings, dump=replace(settings.dump, proof="off"))
    for night in range(_KEPT):
        arena.change_one_percent(night)
        with open_data_repo(settings.data_repo) as repo:
            dump(settings, repo)
            publish(settings.dump, repo)
    return arena.playground.data_repo / "sql_dumps" / "latest.sql"


def _compare(arena: Arena, newest: Path, nights: int, rounds: int) -> None:
    folder = arena.playground.folder / f"history_{nights}"
    folder.mkdir()
    _grown(folder / "data.git", arena.playground.data_repo, newest, nights)
    with serve(HttpRemote(folder, "", public=True)) as remote:
        url = f"{remote.url}/data.git"
        ours = _repeated(remote, [_open(url, folder / str(n)) for n in range(rounds)])
        by_hand = [_by_hand(arena, url, folder / f"by_hand_{n}") for n in range(rounds)]
        peer = _repeated(remote, by_hand)
    packed = len(gzip.compress(newest.read_bytes(), 6))
    print(
        f"history of {nights + 1} nights, a dump of {newest.stat().st_size / 1e6:.1f} MB, with "
        f"gzip {packed / 1e6:.1f} MB: open {ours}, {ours.sent / packed:.2f} of the dump; clone and "
        f"psql {peer}, {peer.sent / packed:.2f}; ratio of bytes {ours.sent / peer.sent:.2f}, of "
        f"seconds {ours.sample.seconds / peer.sample.seconds:.2f}",
        flush=True,
    )
    shutil.rmtree(folder)


def _grown(bare: Path, clone: Path, newest: Path, nights: int) -> None:
    """A repository whose newest commit has what ours has, after so many nights."""
    written_nights(bare, newest, nights)

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=n@example.com", *words],
            cwd=bare,
            env=clean_environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    git("fetch", "-q", str(clone), "HEAD:refs/heads/newest")
    newest_commit = git("commit-tree", "newest^{tree}", "-p", "main", "-m", "The newest night")
    git("update-ref", "refs/heads/main", newest_commit)
    git("update-ref", "-d", "refs/heads/newest")
    git("repack", "-qd")
    for allowed in ("allowFilter", "allowAnySHA1InWant"):  # as forges do
        git("config", f"uploadpack.{allowed}", "true")


@dataclass(frozen=True)
class _Way:
    argv: Sequence[str]
    env: dict[str, str]
    folder: Path
    afterwards: Sequence[str]


def _open(url: str, folder: Path) -> _Way:
    folder.mkdir()
    return _Way(
        [PPR_ASSETS, "open", url, "--no-psql"],
        clean_environment(),
        folder,
        [PPR_ASSETS, "open", "--stop"],
    )


def _by_hand(arena: Arena, url: str, folder: Path) -> _Way:
    """As the guide has it, but for the depth: somebody who clones."""
    folder.mkdir()
    script = (
        f"git clone -q {url} data && createdb {_CREATED} && "
        f"psql -qX -v ON_ERROR_STOP=1 -o {os.devnull} -d {_CREATED} -f data/sql_dumps/latest.sql"
    )
    env = clean_environment(
        PGHOST=str(arena.playground.server.socket_dir),
        PGPORT=str(arena.playground.server.port),
        PGUSER=arena.playground.server.superuser,
    )
    env["PATH"] = f"{EMBEDDED_BIN}:{env['PATH']}"
    return _Way(["sh", "-ec", script], env, folder, ["dropdb", _CREATED])


def _repeated(remote: HttpRemote, ways: Sequence[_Way]) -> Came:
    samples, sent = [], []
    for way in ways:
        before = remote.sent
        samples.append(run(way.argv, way.env, way.folder))
        sent.append(remote.sent - before)
        subprocess.run(way.afterwards, env=way.env, cwd=way.folder, check=True, capture_output=True)
        shutil.rmtree(way.folder)
    return Came(middle(samples), int(median(sent)))


if __name__ == "__main__":
    main()
