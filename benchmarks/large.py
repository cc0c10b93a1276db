"""``python -m benchmarks.large``: nights of a database whose dump has many parts, beside bare git.

Whole processes: ours without and with the proof, and ``pg_dump > file``, add, commit, push to one
file. A night changes so many of all rows. Peaks are those of each process by itself, git's too, and
so are the seconds of processors.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nightly import COMMIT, FLAGS
from benchmarks.series import change_rows, size_of
from benchmarks.world import PG_DUMP, PPR_ASSETS, Arena
from ppr_assets.data_repo.remote.push import SentBytes
from ppr_assets.plain_sql.dump_file import stored_bytes

MIB = 2**20
_WORTH_TELLING = 100 * MIB
_BARE = (
    f"{PG_DUMP} {FLAGS} > sql_dumps/dump.sql && {COMMIT.replace('push -q', 'push -q --progress')}"
)


@dataclass(frozen=True)
class Night:
    """Seconds of the wall and of the processors, what it said, and by the words of its command
    each process's own peak in bytes and its own seconds of a processor."""

    wall: float
    processors: float
    said: str
    peaks: dict[str, int]
    seconds: dict[str, float]

    def __str__(self) -> str:
        large = {name: peak for name, peak in self.peaks.items() if peak > _WORTH_TELLING}
        ordered = sorted(large.items(), key=lambda one: -one[1])
        told = ", ".join(f"{name} {peak / MIB:.0f} MiB" for name, peak in ordered)
        slow = ", ".join(f"{name} {s:.1f} s" for name, s in self.seconds.items() if s > 1)
        return f"{self.wall:.1f} s, of processors {self.processors:.1f} s ({slow}); {told}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--organizations", type=int, default=140_000, help="about 1 GB of dump")
    parser.add_argument("--percent", type=float, default=1.0, help="of all rows, changed a night")
    parser.add_argument("--nights", type=int, default=4, help="the last one is proven")
    parser.add_argument("--max-file-mb", type=int, default=95, help="small ones make many parts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ppr_assets_large_") as folder:
        Path(folder).chmod(0o755)
        arena = Arena(Path(folder) / "world", options.organizations)
        try:
            _nights(arena, options)
        finally:
            arena.stop()


def _nights(arena: Arena, options: argparse.Namespace) -> None:
    clone, bare = arena.playground.data_repo, arena.peer_clone("bare")
    for night in range(options.nights):
        if night:
            change_rows(arena, night, options.percent)
        proof = "server" if night == options.nights - 1 else "off"
        ways = {"SQL_DUMP_PROOF": proof, "SQL_DUMP_MAX_FILE_MB": str(options.max_file_mb)}
        with SentBytes() as sent:
            theirs = _run(
                ["bash", "-o", "pipefail", "-c", _BARE],
                arena.environment() | sent.environment,
                bare,
            )
            pushed = sent.total()
        ours = _run([PPR_ASSETS, "dump"], arena.environment() | ways, clone)
        dump = max(clone.glob("sql_dumps/pantry_*.sql"))
        parts = len(list(dump.with_suffix(".parts").glob("*")))
        sizes = [f"`.git` {size_of(path / '.git') / MIB:.0f} MiB" for path in (clone, bare)]
        sent_bytes = re.findall(r"\(([\d.,]+ [KMG]?i?B)\)", ours.said)
        print(f"night {night}, {stored_bytes(dump) / 1e6:.0f} MB in {parts} parts, proof {proof}")
        print(f"  ours {ours}; pushed {sent_bytes}, {sizes[0]}")
        print(f"  bare {theirs}; pushed {pushed / 1024:.1f} KiB, {sizes[1]}")
        print(
            f"  ratio {ours.wall / theirs.wall:.2f} ({ours.wall - theirs.wall:+.1f} s), "
            f"of processors {ours.processors / theirs.processors:.2f}",
            flush=True,
        )


def _run(argv: list[str], env: Mapping[str, str], cwd: Path) -> Night:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen(
        argv, env=dict(env), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watcher = _TreeWatcher(process.pid)
        watcher.start()
        said, _ = process.communicate()
        wall = time.perf_counter() - started
    watcher.ended.set()
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv, said)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processors = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Night(wall, processors, said, watcher.peaks, watcher.seconds())


class _TreeWatcher(threading.Thread):
    """Reads peak and seconds of a process and all below it, by the words of their commands."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.ended = threading.Event()
        self.peaks: dict[str, int] = {}
        self._ticks: dict[tuple[str, str], int] = {}

    def seconds(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for (name, _), ticks in self._ticks.items():
            found[name] = found.get(name, 0) + ticks / os.sysconf("SC_CLK_TCK")
        return found

    def run(self) -> None:
        while not self.ended.wait(0.05):
            waiting = [self._pid]
            while waiting:
                folder = Path("/proc", str(waiting.pop()))
                try:
                    self._look(folder)
                    for task in (folder / "task").iterdir():
                        waiting += map(int, (task / "children").read_text().split())
                except OSError:  # it has ended meanwhile
                    continue

    def _look(self, folder: Path) -> None:
        words = (folder / "cmdline").read_text(errors="replace").split("\0")
        plain = [word for word in words if word and not word.startswith("-") and "=" not in word]
        name = " ".join(Path(word).name for word in plain[:3])
        found = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text())
        if found:  # one that has ended, and nobody has waited for yet, has none
            self.peaks[name] = max(self.peaks.get(name, 0), int(found[1]) * 1024)
            user, system = (folder / "stat").read_text().rpartition(") ")[2].split()[11:13]
            self._ticks[name, folder.name] = int(user) + int(system)


if __name__ == "__main__":
    main()
