"""Dumps as they are published at a commit of a data repository: ours, another clone, or a URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.temporary_clone import temporary_clone
from ppr_assets.data_repo.git.errors import scrub
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import commit_named, tip
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.errors import DataRepoError, DumpMissing
from ppr_assets.files import temporary
from ppr_assets.operations.published.committed import brought, dump_at
from ppr_assets.operations.published.view import View, look, named
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump, Wanted, choose, latest_link
from ppr_assets.rules.naming import LATEST_PACKED, manifest_name
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DataRepoSettings


@contextmanager
def opened(
    settings: DataRepoSettings, wanted: Wanted
) -> Iterator[tuple[DataRepo, str, Path, View | None]]:
    """The repository, the commit to look at, a folder to work in, and where the commit is from
    (None: it was named, or is of another repository)."""
    source = wanted.source
    if source is not None and not Path(source).exists():
        if ":" not in source:
            raise DumpMissing(
                f"there is no folder `{source}` to take a dump from",
                hint="look at the path; another machine's repository is given by its URL.",
            )
        with scratch_folder(temporary()) as folder:
            history = bool(wanted.at)
            with temporary_clone(
                settings, source, folder / "data.git", with_history=history
            ) as repo:
                yield repo, commit_named(repo, wanted.at or "HEAD"), folder, None
        return
    if source is not None:
        settings = replace(settings, path=Path(source).resolve(), url=None)
    with open_data_repo(settings) as repo:
        view = None if source or wanted.at else look(repo, offline=wanted.offline)
        newest = view.commit if view else tip(repo)
        if newest is None:
            raise DumpMissing(
                f"branch `{repo.branch}` of `{repo.path}` has no commit yet, and so no dump",
                hint="`ppr-assets dump` makes one of a database; --from takes one from elsewhere.",
            )
        # In the clone of ours there is room for a dump; another repository is only read.
        ours = source is None and os.access(repo.git_dir, os.W_OK)
        with scratch_folder(repo.state_dir / "restoring" if ours else temporary()) as folder:
            offline = wanted.offline or source is not None
            commit = named(repo, wanted.at, offline=offline) if wanted.at else newest
            yield repo, commit, folder, view


def remote_source(settings: DataRepoSettings) -> str:
    """DATA_REPO_URL, or the URL that the clone calls ``origin``; always a URL where it is a folder.

    A folder's path would be read in place, a URL is cloned. Raises :class:`DataRepoError` if there
    is not a remote.
    """
    url = settings.url
    if url is None:
        with open_data_repo(settings) as repo:
            url = repo.remote_url
    if url is None:
        raise DataRepoError(
            f"`{settings.path}` has no remote to take a dump from, and DATA_REPO_URL is not set",
            hint="a dump that only this machine has is lost with it: set DATA_REPO_URL, and "
            "PUBLISHER_PUSH_ENABLED=true.",
        )
    folder = settings.path / url
    return folder.resolve().as_uri() if folder.exists() else url


def published(repo: DataRepo, commit: str, wanted: Wanted, folder: Path) -> FoundDump:
    committed = dump_folder(repo, commit)
    name, manifest = chosen(committed, wanted)
    path = dump_at(committed, name, manifest, folder)
    return FoundDump(name, path, manifest, commit, folder)


def chosen(committed: DumpFolder, wanted: Wanted) -> tuple[str, Manifest | None]:
    """The dump that is meant, and what is told of it, without its bytes. Raises
    :class:`DumpMissing`, and :class:`DumpDamaged` for a manifest that cannot be read."""
    repo = committed.repo
    place = scrub(repo.remote_url or "") if repo.bare else repo.path
    where = f"commit {(committed.commit or '')[:10]} of `{place}`"
    latest = _linked(committed, latest_link(wanted.dump))
    if latest is None and wanted.dump is None:
        latest = _linked(committed, LATEST_PACKED)
    name = choose(committed.dumps, latest, wanted, where)
    manifest = committed.manifest(name) if brought(committed, manifest_name(name)) else None
    return name, manifest


def _linked(committed: DumpFolder, link: str) -> str | None:
    return committed.linked(link) if brought(committed, link) else None
