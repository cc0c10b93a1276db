"""Hold the profile of a new dump to those of the nights before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.operations.published.nights import nights_before, nights_in
from ppr_assets.operations.publishing.gate import policy
from ppr_assets.rules.profile.guard import ProfileFinding, judge_profile
from ppr_assets.rules.profile.movements import EarlierNight, largest, movements, warnings
from ppr_assets.rules.profile.schema import NOTHING, Schema, schema_changes
from ppr_assets.rules.publication.withholding import Withheld
from ppr_assets.settings import DumpSettings

_MOST_SAID = 20


class Profiled(Struct, frozen=True):
    """``findings`` refuse the dump; ``unusual`` is worth a warning, in words, what has changed in
    the schema first; ``largest``: the three largest movements, whether they are worth one or not.
    """

    findings: Sequence[ProfileFinding] = ()
    unusual: tuple[str, ...] = ()
    largest: tuple[str, ...] = ()


def judged_profile(
    repo: DataRepo,
    commit: str | None,
    made: EarlierNight,
    withheld: Sequence[Withheld],
    settings: DumpSettings,
) -> Profiled:
    """``made`` held to the dumps before it at ``commit``; one whose manifest cannot be read is
    passed over, which an audit tells."""
    folder = dump_folder(repo, commit)
    before = nights_before(folder)
    left_out = {one.name for one in withheld}
    moved = movements(made.profile, before, left_out)
    changes = _schema_changes(made, before[-1], left_out) if before else []
    return Profiled(
        judge_profile(made.profile, nights_in(folder), policy(settings), left_out),
        (*_said(changes, "schema"), *_said(warnings(moved), "values")),
        tuple(largest(moved)),
    )


def _schema_changes(
    made: EarlierNight, before: EarlierNight, withheld: Collection[str]
) -> list[str]:
    """Since the last dump; where it did not write its schema down, as far as profiles know it,
    which know nothing of what is withheld."""
    if made.schema and before.schema:
        return schema_changes(before.schema, made.schema, before.reworded or NOTHING)
    told = (
        {table: one for table, one in night.profile.items() if table not in withheld}
        for night in (before, made)
    )
    return schema_changes(*map(Schema.of_profile, told))


def _said(lines: Sequence[str], of: str) -> list[str]:
    """As many as somebody reads."""
    beside = len(lines) - _MOST_SAID
    rest = [f"{beside} more changes in the {of}"] if beside > 0 else []
    return [*lines[:_MOST_SAID], *rest]
