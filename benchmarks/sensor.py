"""An idle sensor tick against one ``git ls-remote`` on the same clone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import clean_environment, timed
from benchmarks.world import Arena
from ppr_assets.demo.playground import BRANCH
from ppr_assets.operations.watch import SeenCommits, look_for_publication


@dataclass(frozen=True)
class TickFigures:
    """Median seconds of a tick that finds nothing new, and of ``git ls-remote``."""

    tick: float
    ls_remote: float


def figures(arena: Arena, rounds: int) -> TickFigures:
    settings = arena.playground.settings()
    seen = look_for_publication(settings, SeenCommits()).seen
    command = ["git", "ls-remote", "origin", f"refs/heads/{BRANCH}"]
    ticks, peers = [], []
    for _ in range(rounds + 3):
        ticks.append(timed(lambda: look_for_publication(settings, seen)))
        peers.append(
            timed(
                lambda: subprocess.run(
                    command,
                    cwd=arena.playground.data_repo,
                    env=clean_environment(),
                    capture_output=True,
                    check=True,
                )
            )
        )
    return TickFigures(median(ticks[3:]), median(peers[3:]))
