"""Look at all that others get: the branch, its age, the copies; and does it restore?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DataRepoError, DumpDamaged, DumpMissing, DumpUnproven, NotAsPublished
from ppr_assets.operations.outside.age import NightsHere, nights_here, too_old
from ppr_assets.operations.outside.branch import Branch, PublicDump, look_at_branch
from ppr_assets.operations.outside.findings import Finding, failure_of
from ppr_assets.operations.outside.memory import recalled, remember
from ppr_assets.operations.outside.places import PlaceSeen, look_at_places
from ppr_assets.operations.outside.stranger import Stranger, stranger
from ppr_assets.operations.restoring.drill import DrillOutcome, drill
from ppr_assets.operations.restoring.loading import proof_seconds
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.rules.incidents import NO_BRANCH, STALE, UNREACHABLE, UNRESTORABLE
from ppr_assets.settings import Settings

NO_REMOTE = "there is no remote, so nobody else gets what is published"
NOT_PUSHED = "PUBLISHER_PUSH_ENABLED is false here, so the age is not judged"
NOTHING_YET = "nothing is published yet"
"""Remarks: as it was set up, and no incident."""

_ANSWERS = (Finding(UNREACHABLE), Finding(NO_BRANCH))


class Looked(Struct, frozen=True):
    """What was found ``at`` a moment. ``who`` is None without a remote; ``since``: when the data
    were last known to be those of ``dump``."""

    at: datetime
    who: Stranger | None
    branch: Sequence[Finding]
    dump: PublicDump | None
    since: datetime | None
    places: Sequence[PlaceSeen]
    remarks: Sequence[str] = ()

    @property
    def findings(self) -> Sequence[Finding]:
        return [*self.branch, *(one.finding for one in self.places)]

    def error(self) -> NotAsPublished | None:
        return failure_of(self.findings)

    def to_json(self) -> dict[str, Any]:
        dump, manifest = self.dump, self.dump.manifest if self.dump else None
        return {
            "at": self.at.isoformat(),
            "branch": self.who.where if self.who else None,
            "private": self.who.private if self.who else None,
            "dump": dump.name if dump else None,
            "commit": dump.commit if dump else None,
            "sha256": manifest.sha256 if manifest else None,
            "read": dump.read if dump else False,
            "since": self.since.isoformat() if self.since else None,
            "places": [{"place": one.place, "newest": one.newest} for one in self.places],
            "findings": [finding_json(one) for one in self.findings],
            "remarks": [*self.remarks],
        }


def finding_json(one: Finding) -> dict[str, Any]:
    error = one.error
    told = {"message": error.message, "hint": error.hint} if error else None
    return {"subject": one.subject, "error": told}


def look(settings: Settings, *, good: datetime | None, at: datetime) -> Looked:
    """``good``: when the last good night ended, where this machine knows of any.

    Raises :class:`SettingsError` for a remote that nobody can read without a key.
    """
    nights, memory = nights_here(settings, good), recalled(settings.data_repo)
    who = stranger(settings.data_repo)
    branch = look_at_branch(who, memory) if who else Branch([])
    places = look_at_places(settings, branch.dump, memory, at)
    remember(settings.data_repo, memory)
    findings, remarks = _judged(settings, nights, branch, at)
    return Looked(
        at,
        who,
        findings,
        branch.dump,
        nights.confirmed(branch.dump) if branch.dump else None,
        places,
        remarks if who else [NO_REMOTE],
    )


def _judged(
    settings: Settings, nights: NightsHere, branch: Branch, at: datetime
) -> tuple[Sequence[Finding], Sequence[str]]:
    """With the age. A data repository that is only being set up is no incident; and that the remote
    or its branch was away is not over before others get what could not go there meanwhile."""
    if branch.dump is None:
        new = nights.clone and nights.latest is None
        found = [one for one in branch.findings if not (new and isinstance(one.error, DumpMissing))]
        return found, [NOTHING_YET] if len(found) < len(branch.findings) else []
    old = branch.older or too_old(settings, nights, branch.dump, at)
    follows = old is not None or nights.undelivered
    found = [one for one in branch.findings if not (follows and one in _ANSWERS)]
    return [*found, Finding(STALE, old)], [] if nights.pushes else [NOT_PUSHED]


def restore_published(settings: Settings) -> tuple[Finding, DrillOutcome | None]:
    """Restore what others get into a scratch database, compare, drop it.

    Raises :class:`NotAsPublished` for what :func:`look` tells of, and :class:`Busy`,
    :class:`DatabaseUnreachable` and their kin where the dump is not to blame.
    """
    who = stranger(settings.data_repo)
    if who is None:
        raise NotAsPublished(NO_REMOTE, hint="set DATA_REPO_URL, and PUBLISHER_PUSH_ENABLED=true.")
    try:
        with found_dump(who.settings, Wanted(source=who.url)) as found:
            limit = Deadline(proof_seconds(found))
            outcome = drill(ProofPlace.of(settings), found, deadline=limit)
    except DumpUnproven as error:
        return Finding(UNRESTORABLE, error), None
    except (DumpDamaged, DataRepoError) as error:
        memory = recalled(settings.data_repo)
        memory.whole.pop(who.where, None)  # so that the next look reads it again, and tells
        remember(settings.data_repo, memory)
        raise NotAsPublished(error.message, hint=error.hint) from error
    return Finding(UNRESTORABLE), outcome
