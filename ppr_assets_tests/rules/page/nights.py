"""Nights of a made-up data repository, one a day, some of them refused or overridden."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

from ppr_assets.rules.page.past import PastNight

FIRST = datetime(2016, 12, 3, 2, 0, 7, tzinfo=UTC)


def nights_of(count: int) -> tuple[list[PastNight], list[date]]:
    """Nights that published, and days of refusals."""
    dice = Random(1)
    organizations, nights, refused = 1800, [], []
    for day in range(count):
        moment = FIRST + timedelta(days=day, seconds=dice.randrange(50))
        organizations += dice.randint(-1, 4)
        if day % 97 == 40:
            refused.append(moment.date())
            continue
        overridden = day % 251 == 50
        found = organizations * 3 // 5 if overridden else organizations
        counts = (found, found * 4 // 3, found * 8 // 5)
        nights.append(PastNight(moment, counts, sum(counts) * 12_000, overridden))
    return nights, refused
