"""The commits of the branch that touched the dump folder or files in it, and who vouches for them.

Only trees are compared; what the files held is read by whoever wants to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from ppr_assets.data_repo.git.command import OFFLINE, WHOLE_LOG
from ppr_assets.data_repo.git.listings import changed, log_format, log_rows
from ppr_assets.data_repo.git.pathspec import literal
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DataRepoError


class FolderCommit(Struct, frozen=True):
    """A commit that touched the dump folder, or merged. ``parents`` are the nearest such commits
    before it, whose folders are those of its real parents; ``date`` is the committer's."""

    sha: str
    parents: tuple[str, ...]
    date: datetime
    author: str
    message: str

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


class FileCommit(Struct, frozen=True):
    """``blobs``: by name, what the commit made of those of the files that it changed (None:
    removed; a symlink counts as removed). ``parents`` are the next such commits before it."""

    sha: str
    parents: tuple[str, ...]
    message: str
    blobs: Mapping[str, str | None] = field(default_factory=dict)


class Signature(Struct, frozen=True):
    """``good``: by a key that git is set to trust; ``unknown``: by another key, expired, or
    there is nothing to check it with; ``bad``: not that of this commit, or by a revoked key."""

    state: Literal["unsigned", "good", "unknown", "bad"]
    signer: str = ""


def ancestors(commits: Iterable[str], parents: Mapping[str, Sequence[str]]) -> set[str]:
    """``commits`` and all before them, of those whose ``parents`` are known."""
    found: set[str] = set()
    waiting = [*commits]
    while waiting:
        one = waiting.pop()
        if one not in found and one in parents:
            found.add(one)
            waiting += parents[one]
    return found


def folder_history(repo: DataRepo, commit: str) -> list[FolderCommit]:
    """All of them up to ``commit``, parents before children, other people's branches included.

    Raises :class:`DataRepoError` for a shallow clone: what came before is not there to be judged.
    """
    if repo.word("rev-parse", "--is-shallow-repository") == "true":
        raise DataRepoError(
            f"`{repo.path}` is a shallow clone, the whole history is needed",
            hint="`git fetch --unshallow` brings it.",
        )
    answer = repo.git(
        "-c",
        "log.follow=false",
        "log",
        "--topo-order",
        "--reverse",
        "--full-history",
        "--parents",  # also makes %P name those that are listed
        *log_format("%H", "%P", "%cI", "%an <%ae>", "%B"),
        commit,
        "--",
        literal(repo.dump_dir),
        env=OFFLINE,
    )
    return [
        FolderCommit(sha, tuple(parents.split()), datetime.fromisoformat(date), author, message)
        for sha, parents, date, author, message, _ in log_rows(answer, 5)
    ]


def file_history(repo: DataRepo, commit: str, names: Sequence[str]) -> list[FileCommit]:
    """All of them up to ``commit``, parents before children, also those of branches whose file a
    merge did not take. A shallow clone knows only as far back as it reaches."""
    answer = repo.git_once(
        *WHOLE_LOG,
        *("log", "--topo-order", "--reverse", "--full-history", "--parents"),
        *("-m", "--raw", "--no-abbrev", "--no-renames", *log_format("%H", "%P", "%B")),
        commit,
        "--",
        *(literal(f"{repo.dump_dir}/{name}") for name in names),
        env=OFFLINE,
    )
    found: dict[str, FileCommit] = {}
    for sha, parents, message, lines in log_rows(answer, 3):
        before = found[sha].blobs if sha in found else {}  # a merge comes once for each parent
        blobs = dict(_named(line) for line in lines.splitlines() if "\t" in line)
        found[sha] = FileCommit(sha, tuple(parents.split()), message, {**before, **blobs})
    return [*found.values()]


def _named(line: str) -> tuple[str, str | None]:
    """Name and new blob, None where no regular file has taken the place."""
    path, mode, sha = changed(line)
    return path.rpartition("/")[2], sha if mode.startswith("100") else None


def commit_that_added(repo: DataRepo, tip: str, path: str) -> str | None:
    """The newest commit up to ``tip`` that brought the file at ``path``, which may have gone since;
    None if there is none."""
    asked = ("log", "-1", "--no-show-signature", "--diff-filter=A", "--format=%H")
    found = repo.git_once(*asked, tip, "--", literal(path))
    return found.decode().strip() or None


def signature_of(repo: DataRepo, commit: str) -> Signature:
    """Who signed ``commit``, as git's configuration lets it judge (``gpg.ssh.allowedSignersFile``,
    gpg's keyring)."""
    head, _, _ = repo.objects.read(commit).data.partition(b"\n\n")
    if b"\ngpgsig" not in head:
        return Signature("unsigned")
    answer = repo.git("log", "-1", *log_format("%G?", "%GS", "%GK"), commit, env=OFFLINE)
    ((verdict, signer, key, _),) = log_rows(answer, 3)
    if verdict == "G":
        return Signature("good", signer or key)
    return Signature("bad" if verdict in "BR" else "unknown", signer or key)
