"""The branch as a stranger gets it: its latest dump, the manifest, and whether the bytes are those.

The branch is cloned anew each time, without history and files, into a temporary folder; the dump
comes with it when it is another one than was read whole before.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import datetime
from time import sleep

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.clone.first_clone import missing_branch
from ppr_assets.data_repo.clone.remote_head import RemoteBranches, remote_branches_at
from ppr_assets.data_repo.git.errors import scrub
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.errors import DataRepoError, DumpDamaged, DumpMissing, GitTimeout, PprError
from ppr_assets.files import temporary
from ppr_assets.operations.outside.findings import Finding
from ppr_assets.operations.outside.memory import Memory
from ppr_assets.operations.outside.stranger import Stranger
from ppr_assets.operations.published.committed import dump_at
from ppr_assets.operations.restoring.loading import verified_dump
from ppr_assets.operations.sources.repository import chosen, opened
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.incidents import DAMAGED, NO_BRANCH, UNREACHABLE, UNREADABLE
from ppr_assets.rules.naming import dump_moment, manifest_name
from ppr_assets.rules.recorded.manifest import Manifest

ATTEMPTS, PAUSE_SECONDS = 3, 10.0
"""A line that is bad for a moment is no incident."""

_REFUSED = re.compile(
    r"authentication failed|could not read (username|password)|error: 4(?!08|29)\d\d|not found|"
    r"denied",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    r"resolve host|resolve proxy|connect|timed out|unreachable|early eof|hung up|unable to access|"
    r"error: (?:5\d\d|408|429)|no answer from",
    re.IGNORECASE,
)
_HERE = re.compile(r"^(?!.*remote: ).*(?:No space left|Read-only file|quota exceeded)", re.DOTALL)


class PublicDump(Struct, frozen=True):
    """The dump that latest.sql leads to. ``read``: all its bytes were, by this very look."""

    name: str
    commit: str
    manifest: Manifest | None
    read: bool = False

    @property
    def moment(self) -> datetime:
        """When its data were taken."""
        told = self.manifest.snapshot_at if self.manifest else dump_moment(self.name)
        assert told is not None  # the name of a dump has its moment
        return told


class Branch(Struct, frozen=True):
    """``dump`` is None where none could be learned of. ``older``: what a clone without a branch's
    name gets instead, where that is an older dump."""

    findings: Sequence[Finding]
    dump: PublicDump | None = None
    older: PprError | None = None


def look_at_branch(who: Stranger, memory: Memory) -> Branch:
    """Everything that goes wrong with the remote is a finding; what is wrong here is raised."""
    try:
        there = _branches(who)
    except DataRepoError as error:
        return Branch([_without_answer(who, error, UNREADABLE)])
    answers = Finding(UNREACHABLE)
    if not there.commits:
        return Branch([answers, Finding(UNREADABLE, _nothing(who))])
    if who.settings.branch not in there.commits:
        missing = missing_branch(who.settings.branch, set(there.commits))
        return Branch([answers, Finding(NO_BRANCH, missing)])
    found = [answers, Finding(NO_BRANCH)]
    try:
        described = _described(who, memory)
        older = _older(who, there, described.dump)
    except DumpMissing as error:
        return Branch([*found, Finding(UNREADABLE, error)])
    except (DumpDamaged, DataRepoError) as error:
        broken = _without_answer(who, error, DAMAGED)
        return Branch([*(found if broken.subject == DAMAGED else ()), broken])
    findings = [*found, Finding(UNREADABLE), *described.findings]
    return Branch(findings, described.dump, older)


def _branches(who: Stranger) -> RemoteBranches:
    for left in reversed(range(ATTEMPTS)):
        try:
            with scratch_folder(temporary()) as folder:
                return remote_branches_at(who.settings, who.url, folder)
        except DataRepoError as error:
            waited = isinstance(error.__cause__, GitTimeout)
            if waited or not left or not _is_away(error):
                raise
            sleep(PAUSE_SECONDS)
    raise AssertionError("the last attempt raises")


def _described(who: Stranger, memory: Memory) -> Branch:
    """The dump with its manifest, and whether its bytes are what that says."""
    with opened(who.settings, Wanted(source=who.url)) as (repo, commit, folder, _):
        committed = dump_folder(repo, commit)
        name, manifest = chosen(committed, Wanted())
        dump, objects = PublicDump(name, commit, manifest), _objects(committed, name)
        if memory.knows(who.where, objects):
            return Branch([Finding(DAMAGED)], dump)
        try:
            path = dump_at(committed, name, manifest, folder)
            verified_dump(FoundDump(name, path, manifest, commit, folder))
        except DumpDamaged as error:
            return Branch([Finding(DAMAGED, error)], dump)
        memory.whole[who.where] = objects
        return Branch([Finding(DAMAGED)], replace(dump, read=True))


def _objects(committed: DumpFolder, name: str) -> str:
    stored = committed.stored(name)
    return " ".join(filter(None, (stored.blob, stored.parts, committed.sha(manifest_name(name)))))


def _older(who: Stranger, there: RemoteBranches, dump: PublicDump | None) -> PprError | None:
    """What is said where the remote's default branch has dumps too, and older ones."""
    default, own = there.default, who.settings.branch
    if dump is None or default in (None, own) or default not in there.commits:
        return None
    if there.commits[default] == there.commits[own]:
        return None
    settings = dataclasses.replace(who.settings, branch=default)
    with opened(settings, Wanted(source=who.url)) as (repo, commit, _, _):
        committed = dump_folder(repo, commit)
        name = chosen(committed, Wanted())[0] if committed.dumps else dump.name
    if name >= dump.name:
        return None
    return PprError(
        f"who clones {scrub(who.url)} gets branch `{default}`, whose latest dump is {name}, and "
        f"{dump.name} is on `{own}`",
        hint=f"set DATA_REPO_BRANCH to the branch that others get, have the remote's default "
        f"branch be `{own}`, or remove the dumps from `{default}`.",
    )


def _is_away(error: PprError) -> bool:
    return not _REFUSED.search(error.message) and _NO_ANSWER.search(error.message) is not None


def _without_answer(who: Stranger, error: PprError, otherwise: str) -> Finding:
    """``otherwise`` is what it is where the remote has answered. Raises what is wrong here."""
    if _HERE.search(error.message):
        raise error
    if _is_away(error):
        return Finding(UNREACHABLE, error)
    if otherwise == UNREADABLE and not who.private and _REFUSED.search(error.message):
        hint = (
            "has the repository been made private, moved or removed? Where nobody is to read it "
            "without a token, set DATA_REPO_PUBLIC_URL=private."
        )
        error = DataRepoError(f"nobody can read it without a token: {error.message}", hint=hint)
    return Finding(otherwise, error)


def _nothing(who: Stranger) -> DumpMissing:
    return DumpMissing(
        f"{scrub(who.url)} has no branch yet, and so no dump",
        hint="`ppr-assets dump` publishes one, where PUBLISHER_PUSH_ENABLED is true.",
    )
