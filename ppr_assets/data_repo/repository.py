"""The clone that dumps are published in, once it was found usable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ppr_assets.data_repo.git import run
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class DataRepo:
    """A usable data repository; :func:`~ppr_assets.data_repo.clone.open_data_repo` makes it.

    ``path`` is the root of the work tree, or the bare repository itself. ``git_dir`` is what all
    work trees of the clone share, and ``linked`` says that ``path`` is an additional one of them.
    ``remote`` is a remote's name or its URL, None without one; ``web_url`` is the page of the
    repository where the remote is a forge.
    """

    settings: DataRepoSettings
    path: Path
    git_dir: Path
    bare: bool
    linked: bool
    remote: str | None
    remote_url: str | None
    web_url: str | None

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

    def git(
        self,
        *args: str,
        stdin: bytes | BinaryIO | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (0,),
    ) -> bytes:
        """What ``git args`` prints, run at ``path`` within the configured time limit."""
        limit = self.settings.timeout_seconds
        return run(self.path, *args, timeout=limit, stdin=stdin, env=env, ok=ok).stdout

    def word(self, *args: str, stdin: bytes | None = None, ok: tuple[int, ...] = (0,)) -> str:
        """The same for an answer of one line."""
        return self.git(*args, stdin=stdin, ok=ok).decode("utf-8", "surrogateescape").strip()


def checked_out_branch(repo: DataRepo) -> str | None:
    """The branch that HEAD is on in the clone (it may have no commit yet); None if detached."""
    head = repo.word("symbolic-ref", "--quiet", "HEAD", ok=(0, 1))
    return head.removeprefix("refs/heads/") if head else None
