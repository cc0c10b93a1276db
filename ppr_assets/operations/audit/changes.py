"""What a commit did to dumps that were there before it; published dumps never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.history.commits import FolderCommit
from ppr_assets.data_repo.history.dump_folder import DumpFolder
from ppr_assets.data_repo.history.message import brings_dump, retired_by
from ppr_assets.rules.naming import DELTA_BASE, DELTA_BASE_FILE, manifest_name, parts_folder


class AuditedChange(Struct, frozen=True):
    """``wrong``: it is about what has a manifest, or a commit of ours did it. What other scripts do
    with dumps of theirs, of which nothing is recorded, is reported and no more."""

    text: str
    wrong: bool


def described(dump: str, *folders: DumpFolder) -> bool:
    return any(folder.manifest_sha(dump) is not None for folder in folders)


def changed_files(folder: DumpFolder, parents: Sequence[DumpFolder]) -> Iterator[AuditedChange]:
    """Dumps and manifests that are not what they were in any parent that has them."""
    for dump in folder.dumps:
        before = [parent for parent in parents if dump in parent.dumps]
        wrong = bool(before) and described(dump, folder, *before)
        for name, what in (
            (dump, dump),
            (parts_folder(dump), f"the parts of {dump}"),
            (manifest_name(dump), f"the manifest of {dump}"),
        ):
            shas = {parent.sha(name) for parent in before}
            have = folder.sha(name)
            if not shas or have in shas:
                continue
            if have is None:
                yield AuditedChange(f"it removed {what}, and not the dump", wrong)
            elif shas == {None}:
                yield AuditedChange(f"it added {what} after it was published", wrong)
            else:
                yield AuditedChange(f"it changed {what} after it was published", wrong)


def removed_dumps(folder: DumpFolder, parents: Sequence[DumpFolder]) -> list[str]:
    return sorted(set[str]().union(*(parent.dumps for parent in parents)).difference(folder.dumps))


def unexplained_removals(
    repo: DataRepo,
    commit: FolderCommit,
    folder: DumpFolder,
    parents: Sequence[DumpFolder],
    brought_by: Mapping[str, Sequence[str]],
) -> Iterator[AuditedChange]:
    """Dumps that went although the commit does not say that it retires them, and the other way
    round. A merge may drop what one side had retired."""
    retired = retired_by(commit.message)
    for name in retired:
        if name in folder.dumps:
            yield AuditedChange(f"it says that it retires {name}, which is still there", wrong=True)
    for name in removed_dumps(folder, parents):
        if name in retired:
            continue
        if not described(name, *parents):
            yield AuditedChange(f"it removed {name}, which has no manifest", wrong=False)
            continue
        without = [
            parent
            for parent, there in zip(commit.parents, parents, strict=True)
            if name not in there.dumps
        ]
        if not any(
            is_ancestor(repo, bringer, parent)
            for parent in without
            for bringer in brought_by.get(name, ())
        ):
            yield AuditedChange(
                f"it removed {name} and does not say that it retires it", wrong=True
            )


def wrong_names(
    commit: FolderCommit, folder: DumpFolder, parents: Sequence[DumpFolder]
) -> Iterator[AuditedChange]:
    """What this commit made of latest.sql and of the delta base, if it touched them. Other scripts
    that bring a dump of theirs leave both behind; only what they change themselves is wrong."""

    def told(one: DumpFolder) -> tuple[object, ...]:
        dump = one.leads_to or ""
        return (
            one.sha(one.link),
            one.newest,
            one.delta_base,
            one.sha(dump),
            one.sha(parts_folder(dump)),
        )

    if any(told(parent) == told(folder) for parent in parents):
        return
    ours = brings_dump(commit.message) or bool(retired_by(commit.message))
    guarded = any(described(dump, folder) for dump in folder.dumps)

    def judged(text: str, entry: str) -> AuditedChange:
        touched = all(parent.sha(entry) != folder.sha(entry) for parent in parents)
        return AuditedChange(text, ours or (guarded and touched))

    if wrong := _wrong_latest(folder):
        yield judged(wrong, folder.link)
    elif (copy := folder.delta_base) is not None and (copy.blob, copy.parts) != (
        folder.sha(folder.leads_to or ""),
        folder.sha(parts_folder(folder.leads_to or "")),
    ):
        yield judged(f"{DELTA_BASE_FILE} is another file than {folder.leads_to}", DELTA_BASE)


def _wrong_latest(folder: DumpFolder) -> str | None:
    """What is wrong with latest.sql, where there are dumps."""
    link, named = folder.link, folder.leads_to
    if not folder.dumps or named == folder.newest:
        return None
    if link not in folder.entries:
        return f"{link} is missing"
    if named is None:
        return f"{link} is not a symlink"
    if named not in folder.dumps:
        return f"{link} leads to `{named}`, which is not there"
    return f"{link} leads to {named}, and {folder.newest} is newer"
