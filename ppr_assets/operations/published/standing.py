"""What stands in the data repository now: is latest the dump we mean, do others have it, and what
does the commit of a published dump tell of itself?

Asked after publishing, of the repository itself and not of what publishing believes it did. The
commit tells the same as in an audit, without the dump's bytes being read once more.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.commits import Signature, commit_that_added, signature_of
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.message import parse_trailers, retired_by
from ppr_assets.data_repo.remote.address import Pages
from ppr_assets.data_repo.remote.remote import remote_has
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.published.committed import committed_sha256
from ppr_assets.rules.naming import manifest_name
from ppr_assets.rules.recorded.manifest import Manifest

_SHORT = 12
"""Digits of a commit in a command that somebody copies."""


class Standing(Struct, frozen=True):
    """``latest``: the dump that latest.sql names at the branch's tip, ``sha256`` that of its bytes.

    ``on_remote`` is None where pushing is disabled or there is no remote; ``unknown`` then holds
    the reason, as it does when the remote did not answer.
    """

    commit: str | None
    latest: str | None
    sha256: str | None
    on_remote: bool | None
    unknown: str = ""

    def is_latest(self, manifest: Manifest) -> bool:
        return self.latest == manifest.dump and self.sha256 == manifest.sha256


class CommitFacts(Struct, frozen=True):
    """``mark``: organizations, after ``commit``. ``retired``: the dumps that left with it.
    ``before``: the commit of the dump before, None for the first one. ``manifest_path`` is seen
    from the root of the repository, whose clone is at ``clone``; ``pages`` are its pages on a
    forge."""

    commit: str
    mark: int | None
    retired: tuple[str, ...]
    signature: Signature
    before: str | None
    manifest_path: str
    clone: Path
    pages: Pages | None

    def links(self) -> Mapping[str, str]:
        """The forge's pages for the commit, for what it changed and for the manifest."""
        if self.pages is None:
            return {}
        links = {
            "commit": self.pages.commit(self.commit),
            "manifest": self.pages.file(self.commit, self.manifest_path),
        }
        if self.before:
            links["diff"] = self.pages.difference(self.before, self.commit)
        return links

    def commands(self) -> Mapping[str, str]:
        """What shows the same in a terminal on this machine; of a diff also the rows."""
        git = f"git -C {shlex.quote(str(self.clone))} show"
        commit = self.commit[:_SHORT]
        commands = {
            "show": f"{git} --stat {commit}",
            "manifest": f"{git} {shlex.quote(f'{commit}:{self.manifest_path}')}",
        }
        if self.before:
            commands["diff"] = f"ppr-assets diff {self.before[:_SHORT]} {commit}"
        return commands


def standing(repo: DataRepo, commit: str) -> Standing:
    """Look at the branch's tip, and ask the remote for ``commit``."""
    now = tip(repo)
    folder = dump_folder(repo, now)
    latest = folder.latest
    digest = committed_sha256(folder, latest) if latest else None
    if repo.remote is None:
        return Standing(now, latest, digest, None, "the clone has no remote")
    if not repo.settings.push_enabled:
        return Standing(now, latest, digest, None, "PUBLISHER_PUSH_ENABLED is false")
    try:
        return Standing(now, latest, digest, remote_has(repo, commit))
    except DataRepoError as error:
        return Standing(now, latest, digest, None, error.message)


def commit_facts(repo: DataRepo, commit: str, manifest: Manifest) -> CommitFacts:
    """Look at the commit that published the dump of ``manifest``.

    What it says of the mark is in its message too, so nothing but the commit itself is read, which
    a partial clone has as well. Raises :class:`DataRepoError` where the clone lacks it.
    """
    _, _, message = repo.objects.read(commit).data.decode("utf-8", "replace").partition("\n\n")
    signature = signature_of(repo, commit)
    mark = parse_trailers(message).get("Mark", "")
    folder = DumpFolder(repo, commit)
    return CommitFacts(
        commit=commit,
        mark=int(mark) if mark.isdecimal() else None,
        retired=retired_by(message),
        signature=signature,
        before=commit_that_added(repo, commit, folder.path(manifest.previous))
        if manifest.previous
        else None,
        manifest_path=folder.path(manifest_name(manifest.dump)),
        clone=repo.path,
        pages=Pages(repo.web_url) if repo.web_url else None,
    )
