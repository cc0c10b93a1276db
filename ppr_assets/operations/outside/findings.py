"""What a look from outside found, each thing of a subject of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from ppr_assets.errors import NotAsPublished, PprError
from ppr_assets.rules.incidents import PUBLISHED_COPY, Report, begun, over
from ppr_assets.rules.wording import BESIDE, few


class Finding(Struct, frozen=True):
    """Of ``subject``; without an ``error`` it is as it should be. What could not be looked at is
    no finding."""

    subject: str
    error: PprError | None = None

    def report(self, at: datetime, link: str = "") -> Report:
        if self.error is None:
            return over(PUBLISHED_COPY, self.subject, at)
        return begun(PUBLISHED_COPY, self.subject, at, self.error.render(), link)


def failure_of(findings: Iterable[Finding]) -> NotAsPublished | None:
    """The expected failure that they amount to, if any."""
    errors = errors_of(findings)
    if not errors:
        return None
    told = few([error.message for error in errors], 1, rest=BESIDE)
    return NotAsPublished(told, hint=errors[0].hint)


def errors_of(findings: Iterable[Finding]) -> Sequence[PprError]:
    return [one.error for one in findings if one.error is not None]
