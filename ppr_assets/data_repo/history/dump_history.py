"""Every dump that the branch ever had, with the commit that published it, by one look at the log.

Only trees are compared: no file's content is read, so a partial clone needs no remote for it. A
shallow clone knows only as far back as it reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from ppr_assets.data_repo.git.command import WHOLE_LOG
from ppr_assets.data_repo.git.listings import changed, log_format, log_rows
from ppr_assets.data_repo.git.pathspec import literal, matching
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.message import parse_records
from ppr_assets.rules.naming import DUMPS, is_dump_name

_TOLD = ("Dump", "Records", "Proof", "Override", "Override-By")
_FIELDS = (
    *("%H", "%cI"),
    *(f"%(trailers:key={key},valueonly,unfold,separator=%x20)" for key in _TOLD),
)


class DumpsChange(Struct, frozen=True):
    """A commit that added or removed dumps; ``date`` is the committer's, with its timezone."""

    commit: str
    date: datetime


class PastDump(Struct, frozen=True):
    """A dump of the history. ``published``: the last commit that added it. ``retired``: the last
    that removed it since; None while it is there. ``records`` by table, ``proof``, ``override`` and
    whose it was are as the commit tells them; empty for commits of others."""

    name: str
    published: DumpsChange
    retired: DumpsChange | None
    records: dict[str, int]
    proof: str = ""
    override: str = ""
    override_by: str = ""


def dump_history(repo: DataRepo, commit: str) -> dict[str, PastDump]:
    """By name, every dump that a commit up to ``commit`` added to the dump folder."""
    answer = repo.git(
        *WHOLE_LOG,
        *("log", "--no-renames", "--full-history", "--diff-filter=AD", "--name-status"),
        *log_format(*_FIELDS),
        commit,
        "--",
        matching(repo.dump_dir, DUMPS),
    )
    found: dict[str, PastDump] = {}
    removed: dict[str, DumpsChange] = {}
    for sha, date, dump, records, *words, lines in log_rows(answer, len(_FIELDS)):
        change = DumpsChange(sha, datetime.fromisoformat(date))
        for action, name in _dumps(lines):
            if name in found:
                continue  # what came before its last publication
            if action == "D":
                removed.setdefault(name, change)
            else:
                retired = removed.get(name)
                found[name] = (
                    PastDump(name, change, retired, parse_records(records), *words)
                    if name == dump
                    else PastDump(name, change, retired, {})
                )
    return found


def newest_manifests(repo: DataRepo, commit: str, most: int) -> dict[str, str]:
    """The blobs of the newest manifests that the branch had up to ``commit``, by their names, those
    of retired dumps too; of about so many. What a merge brought counts, what it dropped does not.
    """
    answer = repo.git_once(
        *WHOLE_LOG,
        *("log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames"),
        *("--diff-filter=A", f"--max-count={most}", "--no-show-signature", "--format="),
        commit,
        "--",
        literal(repo.dump_dir),
    )
    depth = repo.dump_dir.count("/") + 1
    found: dict[str, str] = {}
    for line in answer.decode("utf-8", "replace").splitlines():
        path, mode, sha = changed(line)
        name = path.rpartition("/")[2]
        described = is_dump_name(f"{name.removesuffix('.json')}.sql") and name.endswith(".json")
        if described and path.count("/") == depth and mode.startswith("100"):
            found.setdefault(name, sha)
    return found


def ever_there(repo: DataRepo, commit: str, *names: str) -> bool:
    """True if a file of the dump folder by one of ``names``, which may be patterns, was ever
    committed up to ``commit``, on whichever branch, also if it is gone since."""
    paths = [matching(repo.dump_dir, name) for name in names]
    return bool(repo.git_once("rev-list", "-1", "--full-history", commit, "--", *paths).strip())


def _dumps(lines: str) -> Iterator[tuple[str, str]]:
    """``A`` or ``D`` with a dump's name; git quotes a path whose folder has an unusual name."""
    for line in lines.splitlines():
        action, _, path = line.partition("\t")
        name = path.rpartition("/")[2].removesuffix('"')
        if is_dump_name(name):
            yield action, name
