"""The clone that dumps are published in, once it was found usable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from ppr_assets.data_repo.git.command import WITHOUT_LAZY_FETCH, run
from ppr_assets.data_repo.git.errors import GitCommandFailed, ObjectLost
from ppr_assets.data_repo.git.object_reader import ObjectReader
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings

_ASKED = (
    "--is-bare-repository",
    "--show-object-format",
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
)


class Found(Struct, frozen=True):
    """``root`` is that of the work tree, or the bare repository itself; ``git_dir`` is what all its
    work trees share, and ``linked`` says that ``root`` is an additional one of them.
    ``object_format``: ``sha1`` or ``sha256``, as git calls them."""

    root: Path
    git_dir: Path
    bare: bool
    linked: bool
    object_format: str


@dataclass(frozen=True)
class DataRepo:
    """A usable data repository; :func:`~ppr_assets.data_repo.clone.clone.open_data_repo` makes it.

    ``path`` is the root of the work tree, or the bare repository itself. ``git_dir`` is what all
    work trees of the clone share, and ``linked`` says that ``path`` is an additional one of them.
    ``remote`` is a remote's name or its URL, None without one; ``web_url`` is the page of the
    repository where the remote is a forge. ``partial``: the clone goes without files that the
    remote has. ``object_format``: ``sha1`` or ``sha256``, as git calls them. ``objects`` reads what
    the clone holds, by processes that the end of the ``with`` block ends too.
    """

    settings: DataRepoSettings
    path: Path
    git_dir: Path
    bare: bool
    linked: bool
    remote: str | None
    remote_url: str | None
    web_url: str | None
    partial: bool
    object_format: str
    objects: ObjectReader = field(init=False, repr=False, compare=False)
    _answers: dict[tuple[str, ...], bytes] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        reader = ObjectReader(self.path, self.settings.timeout_seconds)
        object.__setattr__(self, "objects", reader)

    def __enter__(self) -> DataRepo:
        return self

    def __exit__(self, *_: object) -> None:
        self.objects.close()

    @property
    def branch(self) -> str:
        return self.settings.branch

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    @property
    def dump_dir(self) -> str:
        return self.settings.dump_dir

    @property
    def state_dir(self) -> Path:
        """Our own folder beside git's: nothing in it is ever seen by somebody's ``git add``."""
        return self.git_dir / "ppr_assets"

    @property
    def shallow(self) -> bool:
        """Whether its history ends before its beginning, as ``clone --depth`` makes it."""
        return (self.git_dir / "shallow").is_file()

    def git(
        self,
        *args: str,
        stdin: bytes | BinaryIO | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
    ) -> bytes:
        """What ``git args`` prints, run at ``path`` within the configured time limit.

        It never asks the remote, see :mod:`~ppr_assets.data_repo.remote.missing_objects`.
        """
        limit = self.settings.timeout_seconds
        around = {**(WITHOUT_LAZY_FETCH if self.partial else {}), **(env or {})}
        try:
            return run(self.path, *args, timeout=limit, stdin=stdin, env=around, ok=ok).stdout
        except GitCommandFailed as failure:
            lacks = re.search(r"could not fetch (\w+) from promisor remote", failure.stderr)
            if not self.partial or lacks is None:
                raise
            raise _lacking(self.path, lacks[1], failure) from failure

    def git_once(self, *args: str, env: Mapping[str, str] | None = None) -> bytes:
        """The same for what stays true: what git says of commits by their hashes is asked once."""
        if args not in self._answers:
            self._answers[args] = self.git(*args, env=env)
        return self._answers[args]

    def word(self, *args: str, stdin: bytes | None = None, ok: tuple[int, ...] = (0,)) -> str:
        """The same for an answer of one line."""
        return self.git(*args, stdin=stdin, ok=ok).decode("utf-8", "surrogateescape").strip()


def checked_out_branch(repo: DataRepo) -> str | None:
    """The branch that HEAD is on in the clone (it may have no commit yet); None if detached."""
    head = repo.word("symbolic-ref", "--quiet", "HEAD", ok=(0, 1))
    return head.removeprefix("refs/heads/") if head else None


def is_ancestor(repo: DataRepo, older: str, newer: str) -> bool:
    """True if ``newer`` contains ``older`` or is the same commit; both must be in the clone."""
    if older == newer:
        return True
    limit = repo.settings.timeout_seconds
    arguments = ("merge-base", "--is-ancestor", older, newer)
    return run(repo.path, *arguments, timeout=limit, ok=(0, 1)).status == 0


def found_at(path: Path, *, timeout: float) -> Found:
    """Asks git, for at most ``timeout`` seconds. Raises :class:`DataRepoError` where there is no
    repository, or none that git trusts."""
    if not path.is_dir():
        raise _none_at(path)
    try:
        told = run(path, "rev-parse", *_ASKED, timeout=timeout).stdout
    except GitCommandFailed as failure:
        if "not a git repository" not in failure.stderr:
            raise
        raise _none_at(path) from failure
    bare, object_format, own, shared = map(os.fsdecode, told.splitlines())
    root = path.resolve()
    if bare == "false" and Path(own) == root:  # the `.git` of a clone was named, and not the clone
        root = root.parent
    return Found(root, Path(shared).resolve(), bare == "true", own != shared, object_format)


def _lacking(path: Path, sha: str, failure: GitCommandFailed) -> ObjectLost:
    return ObjectLost(
        f"`{path}` is a partial clone and lacks object {sha[:10]}, which its branch needs",
        status=failure.status,
        stderr=failure.stderr,
        hint=f"`git -C {path} -c gc.auto=0 fetch --refetch origin` brings back all that it should "
        "have; `git gc` may have taken it for something that the remote keeps.",
    )


def _none_at(path: Path) -> DataRepoError:
    return DataRepoError(
        f"`{path}` is not a git repository",
        hint="DATA_REPO_PATH is the root of a clone, a bare repository, or a folder that is "
        "missing or empty and becomes a clone of DATA_REPO_URL.",
    )
