"""What a partial clone lacks: found without asking anybody, and fetched in one request.

git itself would fetch an object the moment that it is read: one request for each, without our
token, without a time limit of its own, and with an error that names no remote. It would even try
for a commit that nobody has, and get the whole history with one that somebody has. So our calls
forbid it (:meth:`DataRepo.git`), and what is going to be read is brought here before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress

from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.listings import listed
from ppr_assets.data_repo.git.object_reader import NotSmall, ObjectMissing
from ppr_assets.data_repo.git.progress_lines import progress_option
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_entries
from ppr_assets.data_repo.remote.credentials import asking
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.naming import is_dump_name


def bring(repo: DataRepo, *shas: str) -> None:
    """Have these objects here: a partial clone fetches what it lacks, any other has them.

    Raises :class:`RemoteUnreachable`.
    """
    if not repo.partial:
        for sha in shas:
            asking(repo, "cat-file", "-e", sha)
    elif wanted := lacking(repo, shas):
        lines = "".join(f"{sha}\n" for sha in wanted).encode()
        told = progress_option()
        options = (told, "--no-tags", "--no-write-fetch-head", "--refmap=", "--stdin")
        asking(
            repo,
            *("-c", "fetch.negotiationAlgorithm=noop"),  # what is here says nothing about these
            *("fetch", *options, "--no-recurse-submodules", "--filter=blob:none"),
            repo.remote or "",
            stdin=lines,
        )


def bring_published(repo: DataRepo, commit: str) -> None:
    """Have here what our own clone's work tree shows of ``commit``: the dump folder, and the files
    beside the folders on the way to it. A full clone has it all. Raises
    :class:`RemoteUnreachable`."""
    if not repo.partial:
        return
    above = ["", *(f"{path}/" for path in folders_above(repo.dump_dir))]
    shown = [
        entry.sha
        for folder in above
        for entry in read_entries(repo, commit, *filter(None, [folder])).values()
        if entry.kind == "blob"
    ]
    listing = repo.git("ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{repo.dump_dir}/")
    bring(repo, *shown, *(one.sha for _, one in listed(listing) if one.kind == "blob"))


def bring_beside_dumps(repo: DataRepo, commit: str) -> None:
    """Have here the small files of the dump folder at ``commit``: manifests, links and the mark.
    A full clone has them. Raises :class:`RemoteUnreachable`."""
    if repo.partial:
        found = read_entries(repo, commit, f"{repo.dump_dir}/")
        files = [
            entry.sha
            for path, entry in found.items()
            if entry.kind == "blob" and not is_dump_name(os.fsdecode(path.rpartition(b"/")[2]))
        ]
        bring(repo, *files)


def bring_what_is_left(repo: DataRepo, shas: Collection[str]) -> frozenset[str]:
    """The same for objects that the remote may have lost; those that it has not. A full clone has
    what it has. Raises :class:`RemoteUnreachable`."""
    lost: set[str] = set()
    while repo.partial:
        try:
            bring(repo, *(sha for sha in shas if sha not in lost))
        except DataRepoError as error:
            # Each refusal names one of them, and nothing was sent.
            failure = error.__cause__
            said = failure.stderr if isinstance(failure, GitCommandFailed) else ""
            refused = re.search(r"not our ref (\w+)", said)
            if refused is None or refused[1] in lost or refused[1] not in shas:
                raise
            lost.add(refused[1])
        else:
            break
    return frozenset(lost)


def read_small_files(repo: DataRepo, blobs: Collection[str]) -> Mapping[str, bytes]:
    """The content of ``blobs`` by name; what is lost or larger than SMALL_BYTES is left out.

    A partial clone fetches what it lacks, in one request. Raises :class:`RemoteUnreachable`.
    """
    lost = bring_what_is_left(repo, blobs)
    return small_files_here(repo, [name for name in blobs if name not in lost])


def small_files_here(repo: DataRepo, blobs: Collection[str]) -> Mapping[str, bytes]:
    """The same without asking the remote."""
    files = {}
    for name in blobs:
        with suppress(ObjectMissing, NotSmall):
            files[name] = repo.objects.read(name).data
    return files


def lacking(repo: DataRepo, shas: Collection[str]) -> list[str]:
    """Those of ``shas`` that are not here."""
    wanted = dict.fromkeys(shas)
    if not wanted:
        return []
    # Either option alone ends with an error at the first one that is promised and not here.
    how = ("--objects", "--no-walk", "--missing=print", "--ignore-missing", "--stdin")
    lines = "".join(f"{sha}\n" for sha in wanted).encode()
    here = {line.split()[0] for line in repo.git("rev-list", *how, stdin=lines).splitlines()}
    return [sha for sha in wanted if sha.encode() not in here]


def folders_above(folder: str) -> list[str]:
    """``a/b/c`` → ``a``, ``a/b``."""
    names = folder.split("/")
    return ["/".join(names[:depth]) for depth in range(1, len(names))]
