"""A commit of the dump folder made again, out of what was recorded of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from ppr_assets.data_repo.git.objects import (
    Blob,
    Identity,
    NewFile,
    write_changed_tree,
    write_commit,
)
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.dump_page import files_of_page, page_at
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.history.message import compose_message, parse_trailers
from ppr_assets.operations.publishing.dump_commit import StagedObjects, files_of_dump
from ppr_assets.rules.naming import is_dump_name, manifest_name, parts_folder
from ppr_assets.rules.recorded.commit import CommitRecord

_AUTHOR = re.compile(r"(?P<name>[^<>]+) <(?P<email>[^<>]*)>")


def write_again(
    repo: DataRepo,
    base: str | None,
    record: CommitRecord,
    stored: StagedObjects | None,
    described: bytes,
) -> str:
    """A commit on ``base`` with the words, author and date of the recorded one, its mark and
    policy, and its dump (``stored``, ``described`` by its manifest's bytes) where it has one. What
    it retired goes as far as it is there."""
    folder = dump_folder(repo, base)
    changes: dict[str, Blob | NewFile | None] = dict.fromkeys(_retired(folder, record))
    if record.dump is not None and stored is not None:
        changes |= files_of_dump(repo, folder, record.dump, stored, described)
    changes |= {folder.path(name): NewFile(FILE, data) for name, data in record.files.items()}
    return write_commit(
        repo,
        write_changed_tree(repo, base, changes),
        parents=[base] if base else [],
        message=record.message,
        author=_author(repo, record),
    )


def write_closing(repo: DataRepo, tip: str, place: str, dumps: Sequence[str]) -> str:
    """A commit behind those that were made again, which says that they were, with the page that no
    copy has."""
    noun = "dump" if len(dumps) == 1 else "dumps"
    message = compose_message(
        f"Rebuild the dump folder from copies: {len(dumps)} {noun}",
        {"Rebuilt-From": place, "Newest": max(dumps, default=None)},
    )
    folder, tree = dump_folder(repo, tip), tip
    if repo.settings.page:
        files = files_of_page(folder, page_at(folder))
        made = {folder.path(name): NewFile(FILE, data) for name, data in files.items()}
        tree = write_changed_tree(repo, tip, made)
    return write_commit(repo, tree, parents=[tip], message=message, author=identity(repo))


def _retired(folder: DumpFolder, record: CommitRecord) -> list[str]:
    told = parse_trailers(record.message).get("Retired", "").split()
    names = [
        name
        for dump in filter(is_dump_name, told)
        for name in (dump, manifest_name(dump), parts_folder(dump))
    ]
    return [folder.path(name) for name in names if name in folder.entries]


def _author(repo: DataRepo, record: CommitRecord) -> Identity:
    """Whoever it was, also where git would not take the name any more."""
    found = _AUTHOR.fullmatch(record.author)
    ours = replace(identity(repo), at=record.date)
    return replace(ours, name=found["name"], email=found["email"]) if found else ours
