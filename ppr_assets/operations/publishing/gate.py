"""The gate as the data repository sees it: the mark at a commit, and the judgement against it.

Only what is committed counts, also what the committed file has lost since.
"""

from __future__ import annotations

from collections.abc import Mapping

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import GateRefused
from ppr_assets.operations.published.standing_mark import standing_mark
from ppr_assets.rules.gate.ratchet import Override, Verdict, judge
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import GatePolicy
from ppr_assets.settings import DumpSettings


def policy(settings: DumpSettings) -> GatePolicy:
    return GatePolicy(
        min_records=settings.min_records,
        percentage=settings.percentage,
        tables=settings.ratchet_tables,
        core_share=settings.core_share,
        point_share=settings.point_share,
    )


def override_for(settings: DumpSettings, given: Override | None) -> Override | None:
    """The human decision for this run: the one that was given for it, or the variable."""
    if given is None and settings.allow_empty:
        return Override("ALLOW_EMPTY_SQL_DUMP=true", "variable", settings.operator)
    return given


def judge_at(
    repo: DataRepo,
    commit: str | None,
    counts: Mapping[str, int],
    settings: DumpSettings,
    override: Override | None,
) -> Verdict:
    """Judge ``counts`` against the mark at ``commit``. Raises :class:`RatchetFileError`."""
    return judge(counts, mark_at(repo, commit), policy(settings), override)


def refusal(verdict: Verdict) -> GateRefused:
    """The error that a refused verdict becomes where somebody must be told."""
    return GateRefused(verdict.message, hint=verdict.hint)


def mark_at(repo: DataRepo, commit: str | None) -> Mark | None:
    """The mark that counts at ``commit``; None only where nothing was ever published. Raises what
    :func:`~ppr_assets.operations.published.standing_mark.standing_mark` raises."""
    found = standing_mark(repo, commit)
    return found.mark if found else None
