"""Build the dump folder of a data repository anew out of copies, commit by commit, as it was.

For a repository that was deleted, or forced back to where it was before: what the branch still has
stays, and what came after its newest dump is made again. Each commit has the words, the author, the
date, the mark and the policy of the one that it stands for, so that an audit finds what it found.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.copies.contents import Contents, contents, open_place
from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.checkout.staging import StagedDump
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.clone.upkeep import keep_small
from ppr_assets.data_repo.git.objects import (
    Blob,
    Identity,
    NewFile,
    write_changed_tree,
    write_commit,
)
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, tip
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.dump_page import files_of_page, page_at
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.history.message import compose_message, retired_by
from ppr_assets.errors import DumpDamaged, DumpMissing
from ppr_assets.operations.copying.history import copied_history, missing_from
from ppr_assets.operations.publishing.delivery import NOT_PUSHED, Delivery, Ground
from ppr_assets.operations.publishing.dump_commit import StagedObjects, files_of_dump, store
from ppr_assets.operations.publishing.landing import land
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.plain_sql.dump_file import remove_dump
from ppr_assets.plain_sql.parts.split import split_dump
from ppr_assets.progress import counted, stage
from ppr_assets.rules.naming import is_dump_name, manifest_name, parts_folder
from ppr_assets.rules.recorded.commit import CommitRecord
from ppr_assets.rules.wording import plural
from ppr_assets.settings import CopyUrl, Settings

_AUTHOR = re.compile(r"(?P<name>[^<>]+) <(?P<email>[^<>]*)>")


class RebuiltFolder(Struct, frozen=True):
    """``dumps`` that came back, oldest first, with ``decisions`` between and behind them. Without
    those that are ``damaged``, or whose record is. ``commit`` is the last one, None where the
    branch lacked nothing."""

    dumps: Sequence[str]
    decisions: int
    damaged: Sequence[DumpDamaged]
    commit: str | None = None
    delivery: Delivery = NOT_PUSHED


class _Rebuilding(Struct, frozen=True):
    """``stored`` and ``damaged`` last from one attempt to the next, if the branch has moved."""

    repo: DataRepo
    there: Contents
    scratch: Path
    most_bytes: int | None
    stored: dict[str, StagedObjects] = field(default_factory=dict)
    damaged: dict[str, DumpDamaged] = field(default_factory=dict)

    def build(self, ground: Ground) -> tuple[RebuiltFolder, str | None]:
        history, unreadable = copied_history(self.there)
        records = missing_from(self.repo, ground.base, history)
        last, done = ground.base, [record for record in records if self._brought(record)]
        for record in done:
            described = self.there.data(manifest_name(record.dump)) if record.dump else b""
            stored = self.stored.get(record.dump or "")
            last = _made_again(self.repo, last, record, stored, described)
        dumps = [record.dump for record in done if record.dump]
        outcome = RebuiltFolder(
            dumps, len(done) - len(dumps), [*unreadable, *self.damaged.values()]
        )
        if not done or last is None:
            return outcome, None
        return outcome, _closing(self.repo, last, self.there.place.shown, dumps)

    def _brought(self, record: CommitRecord) -> bool:
        """Have the bytes of its dump in the repository, where nothing names them yet."""
        dump = record.dump
        if dump is None or dump in self.stored:
            return True
        try:
            self.stored[dump] = self._stored(dump)
        except DumpDamaged as error:
            self.damaged[dump] = error
            return False
        return True

    def _stored(self, dump: str) -> StagedObjects:
        manifest, path = self.there.manifest(dump), self.scratch / dump
        digest = hashlib.sha256()
        with path.open("wb") as file, stage(f"fetching {dump}", manifest.bytes):
            for chunk in counted(self.there.chunks(dump)):
                digest.update(chunk)
                file.write(chunk)
        self.there.require_same(manifest, digest.hexdigest())
        if self.most_bytes is not None and path.stat().st_size > self.most_bytes:
            split_dump(path, name=dump, most=self.most_bytes)
        staged = StagedDump(dump, path, path.with_name(manifest_name(dump)))
        try:
            return store(self.repo, staged, {})
        finally:
            remove_dump(path)


def rebuild(settings: Settings, url: CopyUrl) -> RebuiltFolder:
    """Bring back what the branch lacks, and push it where that is enabled. A repository is made at
    DATA_REPO_PATH where there is none, and no DATA_REPO_URL to clone.

    Raises :class:`CopyFailed`, :class:`DumpMissing` for a place without a copy, :class:`Busy`, and
    :class:`DataRepoError` and its kin. A push that fails is part of the outcome.
    """
    there = contents(open_place(url))
    if not there.dumps:
        raise DumpMissing(
            f"there is no copy at `{url.shown}`, so nothing to rebuild from",
            hint="look at the URL and its prefix; `ppr-assets list --from URL` lists what it has.",
        )
    if settings.data_repo.url is None and wants_clone(settings.data_repo.path):
        from ppr_assets.data_repo.clone.first_clone import make_empty

        make_empty(settings.data_repo)
    with (
        open_data_repo(settings.data_repo) as repo,
        scratch_folder(repo.state_dir / "rebuilding") as scratch,
    ):
        work = _Rebuilding(repo, there, scratch, settings.dump.max_file_bytes)
        with working_alone(repo):
            outcome, delivery = land(repo, work.build)
        keep_small(repo)
        commit = tip(repo) if outcome.dumps or outcome.decisions else None
        return replace(outcome, commit=commit, delivery=delivery)


def _made_again(
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


def _closing(repo: DataRepo, last: str, place: str, dumps: Sequence[str]) -> str:
    """A commit behind those that were made again, which says that they were, with the page that no
    copy has."""
    message = compose_message(
        f"Rebuild the dump folder from copies: {plural(len(dumps), 'dump')}",
        {"Rebuilt-From": place, "Newest": max(dumps, default=None)},
    )
    folder, tree = dump_folder(repo, last), last
    if repo.settings.page:
        files = files_of_page(folder, page_at(folder))
        made = {folder.path(name): NewFile(FILE, data) for name, data in files.items()}
        tree = write_changed_tree(repo, last, made)
    return write_commit(repo, tree, parents=[last], message=message, author=identity(repo))


def _retired(folder: DumpFolder, record: CommitRecord) -> list[str]:
    names = [
        name
        for dump in filter(is_dump_name, retired_by(record.message))
        for name in (dump, manifest_name(dump), parts_folder(dump))
    ]
    return [folder.path(name) for name in names if name in folder.entries]


def _author(repo: DataRepo, record: CommitRecord) -> Identity:
    """Whoever it was, also where git would not take the name any more."""
    found = _AUTHOR.fullmatch(record.author)
    ours = replace(identity(repo), at=record.date)
    return replace(ours, name=found["name"], email=found["email"]) if found else ours
