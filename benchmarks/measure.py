"""Time and memory of whole processes, several runs in turn, medians."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_UNITS = {b"B": 1, b"KiB": 2**10, b"MiB": 2**20}


@dataclass(frozen=True)
class Sample:
    """Wall seconds of a whole process, the peak resident memory of that process in bytes, the
    seconds of processors that it and its children took, and the bytes that it pushed."""

    seconds: float
    peak: int
    processors: float = 0.0
    pushed: int = 0


def run(argv: Sequence[str], env: Mapping[str, str], cwd: Path | None = None) -> Sample:
    """Run a command to its end. Raises ``CalledProcessError`` with what it said if it fails."""
    before, started = _processors(), time.perf_counter()
    with subprocess.Popen(
        argv, env=dict(env), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        watcher = _PeakWatcher(process.pid)
        watcher.start()
        said, _ = process.communicate()
        seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, argv, said)
    return Sample(seconds, watcher.peak, _processors() - before, _pushed(said))


def _processors() -> float:
    """Of all children so far; a server that they ask is none of them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pushed(said: bytes) -> int:
    """What `ppr-assets dump` says that it has pushed."""
    found = re.search(rb"which the remote has \(([\d.]+) (B|KiB|MiB)\)", said)
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def middle(samples: Sequence[Sample]) -> Sample:
    return Sample(
        median(s.seconds for s in samples),
        max(s.peak for s in samples),
        median(s.processors for s in samples),
        int(median(s.pushed for s in samples)),
    )


class _PeakWatcher(threading.Thread):
    """Reads VmHWM while the process lives: its own peak, without that of its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.peak = 0

    def run(self) -> None:
        while True:
            try:
                lines = self._status.read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                return
            found = [line for line in lines if line.startswith("VmHWM:")]
            if not found:  # a zombie has no memory
                return
            self.peak = int(found[0].split()[1]) * 1024
            time.sleep(0.02)


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without anything that could lead a command elsewhere, or have Python
    compile again what an installation has compiled."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "POSTGRES_", "GIT_", "DATA_REPO_", "SQL_DUMP_", "DAGSTER_"))
        and name != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {"GIT_CONFIG_GLOBAL": "/dev/null"} | extra
