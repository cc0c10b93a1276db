"""Dagster's storage where it is files: looked at before Dagster stumbles over one of them.

SQLite's own words name no file, and Dagster waits for locks for half a minute and more.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from ppr_assets.errors import StorageFailed

EMERGENCY = "`ppr-assets dump --without-record` dumps without it"
_SHARED = {
    "history/runs.db": "SELECT run_id FROM runs LIMIT 0",
    "history/runs/index.db": "SELECT run_id FROM event_logs LIMIT 0",
    "schedules/schedules.db": "SELECT id FROM jobs LIMIT 0",
}
"""Those of all runs, and what only works in Dagster's own; each run has one more of its own."""

LOCK_SECONDS = 5.0
"""As long as Dagster's own sessions wait for one another."""


def require_files(home: Path) -> None:
    """Raise :class:`StorageFailed` for a file of Dagster's that is damaged, locked or read-only."""
    for path, ask in _shared(storage_folder(home)).items():
        if error := _broken(path, ask):
            raise broken(path, error)


def broken_file(home: Path) -> tuple[Path, Exception] | None:
    """The first file that is not whole, of each run's as well: every page of all is read."""
    folder = storage_folder(home)
    shared = _shared(folder)
    of_runs = sorted({*folder.glob("history/runs/*.db")} - {*shared}) if folder else []
    for path in [*shared, *of_runs]:
        if error := _broken(path, shared.get(path), whole=True):
            return path, error
    return None


def broken(path: Path, error: Exception) -> StorageFailed:
    """What is wrong with the file, and the way out."""
    message = f"Dagster's storage `{path}` cannot be used: {error}"
    if "locked" in str(error):
        return StorageFailed(
            message,
            hint=f"another process holds it: `fuser {path}` names it, end that one if it hangs. "
            f"To back up at once, {EMERGENCY}.",
        )
    if "is full" in str(error) or "I/O" in str(error):
        return StorageFailed(
            message,
            hint=f"is the disk of `{path.parent}` full, or failing? Make room, or look at the "
            f"system's log. To back up at once, {EMERGENCY}.",
        )
    if isinstance(error, PermissionError) or "readonly" in str(error):
        return StorageFailed(
            message,
            hint="let the user that runs this write there, or name another folder in DAGSTER_HOME; "
            f"to back up at once, {EMERGENCY}.",
        )
    return StorageFailed(
        message,
        hint=f"`mv {path} {path}.broken`, as well as its `-wal` and `-shm`: Dagster makes a "
        f"new one, without the runs that were in it. To back up at once, {EMERGENCY}.",
    )


def _broken(path: Path, ask: str | None, *, whole: bool = False) -> Exception | None:
    try:
        if not path.is_file():
            return IsADirectoryError("it is not a file")
        if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
            return PermissionError("it may not be written")
        with closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as session:
            session.execute("BEGIN IMMEDIATE")
            tables = session.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if ask and tables != (0,):  # Dagster fills an empty one
                session.execute(ask)
            told = session.execute("PRAGMA quick_check(1)").fetchone() if whole else ("ok",)
            session.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        return error
    return None if told == ("ok",) else sqlite3.DatabaseError(" ".join(str(told[0]).split()))


def _shared(folder: Path | None) -> dict[Path, str]:
    return {
        path: ask for name, ask in _SHARED.items() if folder and (path := folder / name).exists()
    }


def storage_folder(home: Path) -> Path | None:
    """The home, or what its ``dagster.yaml`` names instead; None where that is not a folder."""
    try:
        text = (home / "dagster.yaml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return home  # Dagster will say what it makes of it
    if re.search(r"^\s*(postgres|mysql):", text, re.MULTILINE):
        return None
    named = re.search(r"^\s*sqlite:\s*\n\s+base_dir:\s*[\"']?([^\"'\s]+)", text, re.MULTILINE)
    return home / named[1] if named else home
