"""An audit of the whole history against ``git cat-file`` of the same dumps, in the same clone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import Sample, clean_environment, middle, run, timed
from benchmarks.world import PPR_ASSETS, Arena
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.demo.playground import BRANCH
from ppr_assets.operations.dumping.dump import dump
from ppr_assets.operations.publishing.publish import publish

NIGHTS = 10


@dataclass(frozen=True)
class AuditFigures:
    """``dumps`` of ``bytes`` together; the audit's whole process, and median seconds of git's."""

    dumps: int
    bytes: int
    audit: Sample
    cat_file: float


def figures(arena: Arena, rounds: int) -> AuditFigures:
    """Publish some nights, pack them as upkeep does, and read them all."""
    settings = arena.playground.settings()
    for night in range(NIGHTS):
        arena.change_one_percent(50 + night)
        with open_data_repo(settings.data_repo) as repo:
            dump(settings, repo)
            publish(settings.dump, repo)
    clone = arena.playground.data_repo
    subprocess.run(["git", "repack", "-adq"], cwd=clone, env=clean_environment(), check=True)
    blobs = _published(clone)
    git = partial(_git, clone, stdin="".join(f"{blob}\n" for blob in blobs))
    sizes = git("cat-file", "--batch-check=%(objectsize)")
    audits, peers = [], []
    for _ in range(rounds):
        audits.append(run([PPR_ASSETS, "audit", "--all"], arena.environment()))
        peers.append(timed(lambda: git("cat-file", "--batch", stdout=subprocess.DEVNULL)))
    return AuditFigures(
        dumps=len(blobs),
        bytes=sum(map(int, sizes.split())),
        audit=middle(audits),
        cat_file=median(peers),
    )


def _published(clone: Path) -> list[str]:
    """The objects of all dumps, oldest first, also of those that have retired."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "--reverse", "--diff-filter=A")
    listed = _git(clone, "log", *options, BRANCH, "--", "sql_dumps/pantry_pirate_radio_*.sql")
    return [line.split()[3] for line in listed.splitlines() if line]


def _git(clone: Path, *arguments: str, stdin: str = "", stdout: int = subprocess.PIPE) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=clone,
        env=clean_environment(),
        input=stdin,
        stdout=stdout,
        text=True,
        check=True,
    )
    return done.stdout or ""
