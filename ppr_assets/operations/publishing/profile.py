"""Hold the profile of a new dump to those of the nights before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.operations.published.nights import nights_in
from ppr_assets.operations.publishing.gate import policy
from ppr_assets.rules.profile.columns import Profile
from ppr_assets.rules.profile.guard import (
    ProfileFinding,
    ProfilePolicy,
    judge_profile,
)
from ppr_assets.rules.profile.movements import Night, largest, movements, warnings
from ppr_assets.rules.profile.schema import Schema, schema_changes
from ppr_assets.rules.withholding import Withheld
from ppr_assets.settings import DumpSettings

_MOST_SAID = 20


@dataclass(frozen=True)
class Profiled:
    """``findings`` refuse the dump; ``unusual`` is worth a warning, in words, what has changed in
    the schema first; ``largest``: the three largest movements, whether they are worth one or not.
    """

    findings: Sequence[ProfileFinding] = ()
    unusual: tuple[str, ...] = ()
    largest: tuple[str, ...] = ()


def judged_profile(
    repo: DataRepo,
    commit: str | None,
    profile: Profile,
    withheld: Sequence[Withheld],
    settings: DumpSettings,
) -> Profiled:
    """``profile`` held to the dumps in the folder at ``commit``; one whose manifest cannot be read
    is passed over, which an audit tells."""
    nights = nights_in(dump_folder(repo, commit))
    left_out = {one.name for one in withheld}
    limits = ProfilePolicy.of(policy(settings))
    moved = movements(profile, nights, left_out)
    changes = _schema_changes(profile, nights, left_out)
    return Profiled(
        judge_profile(profile, nights, limits, left_out),
        tuple([*changes, *warnings(moved)][:_MOST_SAID]),
        tuple(largest(moved)),
    )


def _schema_changes(
    profile: Profile, nights: Sequence[Night], withheld: Collection[str]
) -> list[str]:
    """Tables and columns since the last dump, as far as profiles know them."""
    if not nights:
        return []
    before, now = (
        {table: one for table, one in each.items() if table not in withheld}
        for each in (nights[-1].profile, profile)
    )
    return schema_changes(Schema.of_profile(before), Schema.of_profile(now))
