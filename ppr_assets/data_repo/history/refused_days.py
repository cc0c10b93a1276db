"""The days on which the gate or the policy has refused a dump, as far as this clone knows.

A refusal makes no commit, so it is noted beside the clone, and the next dump's commit tells it: the
day and nothing else, so that no number of what was refused gets out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import PolicyRefused
from ppr_assets.files import write_whole

_NAME = "refused_days"
_MOST = 300
"""As many as a page tells of."""


def refused_days(repo: DataRepo) -> list[date]:
    """In order; what is no day there is passed over."""
    try:
        lines = (repo.state_dir / _NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    days = set()
    for line in lines:
        with suppress(ValueError):
            days.add(date.fromisoformat(line))
    return sorted(days)


def note_refusal(repo: DataRepo, moment: datetime) -> None:
    """Note its day in UTC, once. A full disk is no reason not to hear of the refusal itself."""
    day = moment.astimezone(UTC).date()
    with suppress(OSError):
        known = refused_days(repo)
        if day not in known:
            repo.state_dir.mkdir(exist_ok=True)
            text = "".join(f"{one}\n" for one in [*known, day][-_MOST:])
            path = repo.state_dir / _NAME
            write_whole(path, text, beside=path.with_suffix(".partial"))


@contextmanager
def policy_refusals_noted(repo: DataRepo) -> Iterator[None]:
    """Note the day where the policy refuses what is done within."""
    try:
        yield
    except PolicyRefused:
        note_refusal(repo, datetime.now(UTC))
        raise
