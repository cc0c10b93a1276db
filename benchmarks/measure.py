"""Time and memory of whole processes, several runs in turn, medians."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Sample:
    """Wall seconds of a whole process, and the peak resident memory of that process in bytes."""

    seconds: float
    peak: int


def run(argv: Sequence[str], env: Mapping[str, str], cwd: Path | None = None) -> Sample:
    """Run a command to its end. Raises ``CalledProcessError`` with what it said if it fails."""
    started = time.perf_counter()
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
    return Sample(seconds, watcher.peak)


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def middle(samples: Sequence[Sample]) -> Sample:
    return Sample(median(s.seconds for s in samples), max(s.peak for s in samples))


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
