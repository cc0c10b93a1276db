"""One night: what its steps have come to, and how it goes without Dagster.

That is the emergency road, when what Dagster keeps runs in is broken. The operations are those that
the job runs, with every guard in them: the gate, the proof, the checks of the data repository. What
is lost is the run itself, its checks and its lineage, so the manifest and the commit carry an id
that says so.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.upkeep import keep_small
from ppr_assets.errors import PprError
from ppr_assets.failures import told
from ppr_assets.operations.copying.outcome import CopyOutcome
from ppr_assets.operations.dumping.counting import count_records
from ppr_assets.operations.dumping.dump import DumpOutcome, dump
from ppr_assets.operations.last_night import noted
from ppr_assets.operations.publishing.gate import refusal
from ppr_assets.operations.publishing.publish import PublishOutcome, publish
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.incidents import NIGHTLY, Report, failed, override_used, succeeded
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.settings import Settings


class Night(Struct):
    """The outcome of each step that has come to one, and the failure that ended the night early.

    ``counted`` is the gate's verdict on what was counted, ``plan`` what the policy means for it.
    ``published`` is also what was committed and could not be delivered, which the failure tells
    then. ``copied``: where the settings name places for copies.
    """

    run_id: str
    counted: Verdict | None = None
    plan: Plan | None = None
    dumped: DumpOutcome | None = None
    published: PublishOutcome | None = None
    copied: CopyOutcome | None = None
    failure: PprError | None = None

    @property
    def override(self) -> Override | None:
        """The decision that a gate had to be passed by; None where none needed it."""
        verdicts = (self.counted, self.dumped.verdict if self.dumped else None)
        return next((one.override for one in verdicts if one and one.override), None)


def run_unrecorded(settings: Settings, *, override: Override | None = None) -> Night:
    """What ``nightly_dump`` does, in this process, kept in no storage. A failure is returned."""
    night = Night(f"unrecorded-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}")
    with noted(settings.data_repo, night):
        try:
            with told(settings):
                _run(settings, night, override)
        except PprError as error:
            night.failure = error
    return night


def reports_of_unrecorded(night: Night) -> list[Report]:
    """What its end means for incidents."""
    at = datetime.now(UTC)
    if night.failure is not None:
        return failed(NIGHTLY, night.failure, at)
    used = night.override
    reason = f"{used.whence}: {used.reason}" if used else ""
    return [override_used(NIGHTLY, reason, at), *succeeded(NIGHTLY, at)]


def _run(settings: Settings, night: Night, override: Override | None) -> None:
    with open_data_repo(settings.data_repo) as repo:
        counted = count_records(settings, repo, given=override)
        night.counted, night.plan = counted.verdict, counted.plan
        if not night.counted.passed:
            raise refusal(night.counted)
        counted.plan.require()
        dumped = dump(settings, repo, run_id=night.run_id, given=override)
        night.dumped = dumped
        if dumped.manifest is None:
            raise refusal(dumped.verdict)
        outcome = publish(settings.dump, repo, run_id=night.run_id, given=override)
        if outcome.commit is not None:
            keep_small(repo)
            night.published = outcome
        if (failure := outcome.error()) is not None:
            raise failure
        if settings.data_repo.copies.urls:
            from ppr_assets.operations.copying.copy import copy_published  # for who has places

            night.copied = copy_published(settings, repo)
            if (failure := night.copied.error()) is not None:
                raise failure
