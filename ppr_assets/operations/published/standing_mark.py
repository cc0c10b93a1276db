"""The mark at a commit of the data repository: what the ratchet file says there, and what it lost.

Every clone has to judge alike, so what a partial one lacks of the file's history is fetched, and a
shallow one that cannot know it says so.
"""

from __future__ import annotations

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.commits import FileCommit, file_history
from ppr_assets.data_repo.history.dump_folder import MARK_WAY_OUT, DumpFolder, dump_folder
from ppr_assets.data_repo.history.dump_history import ever_there
from ppr_assets.data_repo.history.message import brings_dump, reset_told
from ppr_assets.data_repo.remote.missing_objects import bring, read_small_files
from ppr_assets.errors import DataRepoError, DumpDamaged, RatchetFileError
from ppr_assets.operations.published.mark_history import (
    MarkHistory,
    Marks,
    MarkVersion,
    StandingMark,
    standing,
    told_by,
)
from ppr_assets.rules.gate.ratchet import mark_told
from ppr_assets.rules.mark import Mark, parse_mark
from ppr_assets.rules.naming import DUMPS, RATCHET, manifest_name


class ShallowHistory(DataRepoError):
    """The clone's history ends before anybody could know what the mark was."""


def standing_mark(repo: DataRepo, commit: str | None) -> StandingMark | None:
    """The mark that counts at ``commit``; None only where nothing was ever published.

    Raises what the folder's mark raises, :class:`RatchetFileError` also for a file that is gone
    although there are dumps or a history, :class:`ShallowHistory`, and
    :class:`RemoteUnreachable` where a partial clone lacks the file's history.
    """
    folder = dump_folder(repo, commit)
    written = folder.mark
    if commit is None:
        return None
    if written is None and not (folder.dumps or ever_there(repo, commit, RATCHET, DUMPS)):
        _require_whole(repo, to_start=True)
        return None
    described = folder.newest_described
    names = [RATCHET, *([manifest_name(described)] if described else [])]
    commits = file_history(repo, commit, names)
    history = MarkHistory(_versions(repo, commits))
    past = history.after(commits[-1].sha) if commits else history.before(())
    _require_whole(repo, to_start=past.to_start)
    manifest: Marks = {}
    if described:
        brought = [one.parents for one in commits if one.blobs.get(manifest_name(described))]
        if any(history.before(parents).resets >= past.resets for parents in brought[-1:]):
            manifest = _told_by_manifest(folder, described)
    found = standing(written, past, manifest)
    if written is None:
        raise _missing(folder, found)
    return found


def _versions(repo: DataRepo, commits: list[FileCommit]) -> list[MarkVersion]:
    blobs = {blob for one in commits if (blob := one.blobs.get(RATCHET))}
    if repo.partial:
        bring(repo, *blobs)
    files = read_small_files(repo, blobs)
    marks = {blob: _readable(data) for blob, data in files.items()}
    return [
        MarkVersion(
            one.sha,
            one.parents,
            marks.get(one.blobs.get(RATCHET) or ""),
            ours=brings_dump(one.message) or _resets(one),
            reset=_resets(one),
        )
        for one in commits
    ]


def _resets(one: FileCommit) -> bool:
    return RATCHET in one.blobs and reset_told(one.message) is not None


def _readable(data: bytes) -> Mark | None:
    try:
        return parse_mark(data)
    except RatchetFileError:  # whoever was stopped by it has set another one since
        return None


def _told_by_manifest(folder: DumpFolder, dump: str) -> Marks:
    try:
        manifest = folder.manifest(dump)
    except DumpDamaged:  # an audit tells of it
        return {}
    if manifest is None:
        return {}
    told = mark_told(manifest.verdict, manifest.counts)
    return told_by(told, f"the manifest of {manifest.dump}")


def _require_whole(repo: DataRepo, *, to_start: bool) -> None:
    if to_start and repo.shallow:
        raise ShallowHistory(
            f"`{repo.path}` is a shallow clone, and what the mark was before cannot be known in it",
            hint="`git fetch --unshallow` brings the history, and with `--filter=blob:none` no "
            "old file with it.",
        )


def _missing(folder: DumpFolder, found: StandingMark | None) -> RatchetFileError:
    path, commit = folder.path(RATCHET), folder.commit or ""
    was = f", its mark was {found.mark.organization} organizations" if found else ""
    return RatchetFileError(
        f"`{path}` is missing in {commit[:10]} although dumps were published before{was}",
        hint=MARK_WAY_OUT,
    )
