"""git's lock files that stand in the way: whose they are, how old, and what to do about them.

git makes ``index.lock`` beside ``index`` to change it, and so with every ref. A git that is killed
outright leaves the file, and nothing in it tells its owner. Looking at processes can show that an
owner lives; it can never show that none does, since a git in another container or on another
machine is not to be seen, and ``git commit`` closes the file while an editor is open. So a lock
that is not provably our own is described and left to a human, however old it is. (Our own one on
the index is provable, see :mod:`~ppr_assets.data_repo.checkout.index`.)
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import time

_PROCESSES = Path("/proc")
_REFUSED = re.compile(
    r"^(?!remote:).*Unable to create '(?P<lock>[^\n]+\.lock)': File exists", re.MULTILINE
)


def lock_in(stderr: str) -> Path | None:
    """The lock file that git complains about in these words, if it does."""
    found = _REFUSED.search(stderr)
    return Path(found["lock"]) if found else None


def told(lock: Path) -> tuple[str, str]:
    """Whose ``lock`` is and how old, and what to do: a message and its hint."""
    try:
        age = _duration(max(0.0, time() - lock.stat().st_mtime))
    except FileNotFoundError:
        return f"another git holds `{lock}` again and again", "run again when it is done."
    openers = list(_open_in(lock))
    if openers:
        return (
            f"`{lock}` is held for {age} by {', '.join(openers)}",
            "wait for it, or end it: it removes the file itself.",
        )
    workers = list(_gits_in(lock))
    if workers:
        return (
            f"`{lock}` is there for {age}; no process has it open, but {', '.join(workers)} is at "
            "work in that repository",
            "wait for it, or end it: if the file is its own, it removes it. If it stays, "
            f"`rm {shlex.quote(str(lock))}`.",
        )
    seen = "no living process that can be seen from here has it open"
    if not _PROCESSES.is_dir():
        seen = "whether a process has it open cannot be seen on this system"
    return (
        f"`{lock}` is there for {age}; {seen}",
        "a killed git leaves such a file. When no git works in that repository, in no container "
        f"and on no other machine either, remove it: `rm {shlex.quote(str(lock))}`.",
    )


def _open_in(lock: Path) -> Iterator[str]:
    """The processes that have the file open, those of other users only for root."""
    wanted = lock.resolve()
    for process in _processes():
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                # Gone meanwhile, a pipe, or somebody else's: not this file in any case.
                with suppress(OSError):
                    if descriptor.readlink() == wanted:
                        yield _named(process)
                        break


def _gits_in(lock: Path) -> Iterator[str]:
    """The gits that work in the repository of the lock, by the folder they were started in. A
    ``cat-file`` only reads, and may stay for long, our own for one."""
    git_dir = next((folder for folder in lock.parents if (folder / "HEAD").exists()), lock.parent)
    root = git_dir.parent if git_dir.name == ".git" else git_dir
    for process in _processes():
        with suppress(OSError):
            if not (process / "comm").read_text(encoding="utf-8").startswith("git"):
                continue
            if b"cat-file" in (process / "cmdline").read_bytes().split(b"\0"):
                continue
            folder = (process / "cwd").readlink()
            if folder.is_relative_to(root.resolve()) and process.name != str(os.getpid()):
                yield _named(process)


def _processes() -> Iterator[Path]:
    if _PROCESSES.is_dir():
        yield from (entry for entry in _PROCESSES.iterdir() if entry.name.isdecimal())


def _named(process: Path) -> str:
    """``process 4711 (git commit -m x)``."""
    words = (process / "cmdline").read_bytes().split(b"\0")
    command = " ".join(word.decode("utf-8", "replace") for word in words).strip()
    return f"process {process.name} ({command[:60] or 'unnamed'})"


def _duration(seconds: float) -> str:
    """``3 hours`` and the like, in the largest unit that fills twice."""
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} seconds"
