"""Which commits changed a few files of the dump folder, and to what, by one look at the log.

Only trees are compared; what the files held is read by whoever wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ppr_assets.data_repo.git.object_session import OFFLINE
from ppr_assets.data_repo.git.repository import DataRepo


@dataclass(frozen=True)
class FileCommit:
    """``blobs``: by name, what the commit made of those of the files that it changed (None:
    removed; a symlink counts as removed). ``parents`` are the next such commits before it."""

    sha: str
    parents: tuple[str, ...]
    message: str
    blobs: Mapping[str, str | None] = field(default_factory=dict)


def file_history(repo: DataRepo, commit: str, names: Sequence[str]) -> list[FileCommit]:
    """All of them up to ``commit``, parents before children, also those of branches whose file a
    merge did not take. A shallow clone knows only as far back as it reaches."""
    answer = repo.git_once(
        *("-c", "log.showRoot=true", "-c", "log.follow=false"),
        *("log", "--topo-order", "--reverse", "--full-history", "--parents"),
        *("-m", "--raw", "--no-abbrev", "--no-renames", "--no-show-signature"),
        *("--encoding=UTF-8", "--format=%x00%H%x00%P%x00%B%x00"),
        commit,
        "--",
        *(f":(top,literal){repo.dump_dir}/{name}" for name in names),
        env=OFFLINE,
    )
    found: dict[str, FileCommit] = {}
    fields = answer.decode("utf-8", "replace").split("\0")[1:]
    for sha, parents, message, lines in zip(*[iter(fields)] * 4, strict=True):
        before = found[sha].blobs if sha in found else {}  # a merge comes once for each parent
        changed = dict(_changed(line) for line in lines.splitlines() if "\t" in line)
        found[sha] = FileCommit(sha, tuple(parents.split()), message, {**before, **changed})
    return [*found.values()]


def _changed(line: str) -> tuple[str, str | None]:
    """Name and new blob; git quotes a path whose folder has an unusual name."""
    facts, _, path = line.partition("\t")
    _, mode, _, sha, _ = facts.split()
    regular = mode.startswith("100")
    return path.rpartition("/")[2].removesuffix('"'), sha if regular else None
