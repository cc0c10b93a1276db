"""The commits that this project makes: a published dump, a mark or a policy set on purpose, dumps
retired."""

from __future__ import annotations

import logging
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.staging import StagedDump
from ppr_assets.data_repo.git.objects import (
    Blob,
    NewFile,
    write_blob,
    write_changed_tree,
    write_commit,
    write_tree,
)
from ppr_assets.data_repo.git.pathspec import literal
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, SYMLINK, TREE, TreeEntry, read_tree, tip
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.history.message import Signed, compose_message, dump_message
from ppr_assets.data_repo.history.refused_days import refused_days
from ppr_assets.data_repo.remote.ready_pack import Version, make_ready
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.publishing.retention import Retention
from ppr_assets.progress import stage
from ppr_assets.rules.attributes import ATTRIBUTES, with_our_line
from ppr_assets.rules.gate.ratchet import Verdict, raised_mark
from ppr_assets.rules.mark import Mark, render_mark
from ppr_assets.rules.naming import (
    DELTA_BASE_FILE,
    DELTA_BASE_PARTS,
    DELTA_BASE_README,
    LATEST,
    LATEST_PACKED,
    PUBLICATION,
    RATCHET,
    is_dump_name,
    manifest_name,
    parts_folder,
)
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import plural

Changes = dict[str, Blob | NewFile | None]
"""What a commit makes of paths from the root; None removes one."""

UPDATED_BY = "ppr_assets"

_AT_ONCE = 2
"""Files that are stored at once: git hashes each on one processor."""

_README = (
    "`dump.sql` (with `dump.parts`, where a dump is in parts) is the newest dump once more, under "
    "a name that never changes, so that git stores and sends each night as a difference to the "
    "night before; to restore, use `../latest.sql`.\n"
)


_log = logging.getLogger(__name__)


class StagedObjects(Struct, frozen=True):
    """The objects that have a staged dump's bytes: its file's, and those of its parts by name."""

    sha: str
    parts: Mapping[str, str]


def store(repo: DataRepo, dump: StagedDump, before: Mapping[str, Version] | None) -> StagedObjects:
    """Give the repository the bytes of the dump, which takes git a while; nothing names them yet.
    For the push, make ready what it differs in from the one ``before``, and what that did not have;
    None where nothing is pushed.

    It may be asked for other things meanwhile.
    """
    parts = dump.parts
    with stage("storing the dump in git"), ThreadPoolExecutor(_AT_ONCE) as beside:
        files = {"": dump.path, **parts}
        pairs = [] if before is None else [(before.get(one), path) for one, path in files.items()]
        ready = beside.submit(make_ready, repo, pairs)
        whole, *stored = beside.map(partial(write_blob, repo), [dump.path, *parts.values()])
        if (failed := ready.exception()) is not None:  # nothing needs it
            _log.info("git makes ready itself what it pushes: %r", failed)
    return StagedObjects(whole, dict(zip(parts, stored, strict=True)))


def versions_before(repo: DataRepo) -> Mapping[str, Version] | None:
    """The newest dump as the work tree has it: its parts by their names, and the file itself by
    none; None where the next one is not to be pushed."""
    if not repo.settings.push_enabled or repo.remote is None:
        return None
    folder = dump_folder(repo, tip(repo))
    base = folder.delta_base
    names = (name for name, entry in folder.entries.items() if base and entry.sha == base.blob)
    name = next(filter(is_dump_name, names), None)
    if base is None or name is None:
        return {}
    parts = read_tree(repo.objects, base.parts) if base.parts else {}
    beside = repo.path / folder.path(parts_folder(name))
    found = {part: Version(entry.sha, beside / part) for part, entry in parts.items()}
    return {"": Version(base.blob, repo.path / folder.path(name)), **found}


class Following(Struct, frozen=True):
    """A dump that follows what is published: judged, and stored where nothing names it yet."""

    manifest: Manifest
    stored: StagedObjects
    verdict: Verdict
    retention: Retention


def write_dump_commit(repo: DataRepo, base: str | None, following: Following) -> str:
    """A commit on ``base`` with dump (and parts), manifest, latest, delta base, the attributes by
    which all of them are checked out byte for byte, and the mark that was earned, and without the
    dumps that retire, nor a link that leads to an older one.

    An overridden dump earns none. If it is the first of all, it leaves a mark of 0: a ratchet
    file that is missing beside a dump would stop every night after this one.
    """
    manifest, stored, verdict = following.manifest, following.stored, following.verdict
    now = datetime.now(UTC)
    mark = raised_mark(verdict.mark, verdict, at=now, by=UPDATED_BY)
    if mark is None:
        mark = Mark(organization=0, updated_at=now, updated_by=UPDATED_BY)
    folder = dump_folder(repo, base)
    changes: Changes = dict.fromkeys(following.retention.paths)
    changes |= files_of_dump(repo, folder, manifest.dump, stored, manifest.to_json().encode())
    if mark != folder.mark:  # raised, or the file has lost some of it
        changes[folder.path(RATCHET)] = _file(render_mark(mark))
    in_parts = manifest.dump if stored.parts else ""
    changes |= _page(folder, following.retention, in_parts=in_parts)
    message = dump_message(manifest, mark.organization, retired=following.retention.retired)
    return _commit(repo, base, changes, message, now)


def files_of_dump(
    repo: DataRepo, folder: DumpFolder, dump: str, stored: StagedObjects, described: bytes
) -> Changes:
    """What stands in the folder once ``dump`` is the latest, by path; ``described`` are the bytes
    of its manifest."""
    content, parts = Blob(FILE, stored.sha), _parts(repo, stored)
    return {
        folder.path(dump): content,
        folder.path(parts_folder(dump)): parts,
        folder.path(DELTA_BASE_FILE): content,
        folder.path(DELTA_BASE_PARTS): parts,
        folder.path(DELTA_BASE_README): _file(_README),
        folder.path(manifest_name(dump)): NewFile(FILE, described),
        folder.path(LATEST): NewFile(SYMLINK, dump.encode()),
        **_attributes(folder),
    }


def write_prune_commit(repo: DataRepo, base: str, retention: Retention) -> str:
    """A commit on ``base`` without the dumps that retire and a stale link, of which the page tells,
    and nothing else."""
    retired = plural(len(retention.retired), "dump")
    subject = f"Retire {retired}, keep {len(retention.kept)}"
    if not retention.retired:
        subject = f"Remove {LATEST_PACKED}, which does not lead to the latest dump"
    message = compose_message(subject, {"Retired": " ".join(retention.retired)})
    changes: Changes = dict.fromkeys(retention.paths)
    changes |= _page(dump_folder(repo, base), retention)
    return _commit(repo, base, changes, message, datetime.now(UTC))


def write_reset_commit(
    repo: DataRepo, base: str | None, before: Mark | None, after: Mark, signed: Signed
) -> str:
    """A commit on ``base`` that sets the mark and nothing else."""
    old = str(before.organization) if before else "none"
    message = compose_message(
        f"Reset the ratchet: mark {old} to {after.organization}",
        {"Mark": str(after.organization), **signed.trailers()},
    )
    changes: Changes = {DumpFolder(repo, base).path(RATCHET): _file(render_mark(after))}
    return _commit(repo, base, changes, message, after.updated_at or datetime.now(UTC))


def write_policy_commit(
    repo: DataRepo, base: str | None, text: str, subject: str, signed: Signed
) -> str:
    """A commit on ``base`` that sets what the data repository decides of what is published, and
    nothing else but that it is checked out byte for byte."""
    folder = dump_folder(repo, base)
    changes: Changes = {folder.path(PUBLICATION): _file(text), **_attributes(folder)}
    message = compose_message(subject, signed.trailers())
    return _commit(repo, base, changes, message, datetime.now(UTC))


def commit_of_dump(repo: DataRepo, tip: str, manifest: Manifest) -> str:
    """The commit that brought this dump to the branch; :class:`DataRepoError` if none did."""
    path = literal(DumpFolder(repo, tip).path(manifest.dump))
    asked = ("log", "-1", "--no-show-signature", "--format=%H", tip, "--", path)
    found = repo.git_once(*asked).decode().strip()
    if not found:
        raise DataRepoError(
            f"no commit up to {tip[:10]} holds {manifest.dump}",
            hint="a shallow clone knows only its last commits: `git fetch --unshallow`.",
        )
    return found


def _parts(repo: DataRepo, stored: StagedObjects) -> Blob | None:
    """The folder of the parts, None for a dump that is one file."""
    entries = {name.encode(): TreeEntry(FILE, "blob", sha) for name, sha in stored.parts.items()}
    return Blob(TREE, write_tree(repo, entries)) if entries else None


def _page(folder: DumpFolder, retention: Retention, *, in_parts: str = "") -> Changes:
    """The page as it is to stand beside the dumps that stay, nothing where none is wanted; the dump
    ``in_parts`` is new, and has not stood in the folder yet."""
    repo = folder.repo
    if not repo.settings.page:
        return {}
    # Late: a night that commits nothing draws no page.
    from ppr_assets.data_repo.history.dump_page import Shown, page_files

    shown = Shown.of(folder, retention.described, retention.latest, in_parts)
    files = page_files(folder, shown, refused_days(repo))
    return {folder.path(name): NewFile(FILE, data) for name, data in files.items()}


def _attributes(folder: DumpFolder) -> Changes:
    """Our line added to the folder's attributes, where it is missing; what others wrote stays."""
    path, present = folder.path(ATTRIBUTES), folder.file(ATTRIBUTES)
    if present is not None and not stat.S_ISREG(int(present.mode, 8)):
        return {}
    content = present.data if present else None
    wanted = with_our_line(content)
    return {} if wanted == content else {path: NewFile(FILE, wanted)}


def _commit(
    repo: DataRepo,
    base: str | None,
    changes: Changes,
    message: str,
    date: datetime,
) -> str:
    return write_commit(
        repo,
        write_changed_tree(repo, base, changes),
        parents=[base] if base else [],
        message=message,
        author=replace(identity(repo), at=date),
    )


def _file(text: str) -> NewFile:
    return NewFile(FILE, text.encode())
