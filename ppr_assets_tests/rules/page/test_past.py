from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from ppr_assets.rules.page.past import Past, PastNight
from ppr_assets.rules.publication.withholding import Withheld
from ppr_assets_tests.rules.page.nights import nights_of
from ppr_assets_tests.rules.recorded.test_manifest import MANIFEST

FIRST = datetime(2016, 12, 3, 2, 0, 7, tzinfo=UTC)
NIGHT = PastNight(FIRST, (1800, 2300, None), 84_000_000)


def test_what_is_carried_comes_back_as_it_was() -> None:
    past = Past().with_(*nights_of(60)).thinned()
    assert past.refused
    assert any(night.overridden for night in past.nights)
    assert Past.from_text(past.to_text()) == past
    assert Past.from_text(Past().with_([NIGHT]).to_text()) == Past((NIGHT,))


@pytest.mark.parametrize(
    ("old", "new"),
    [("1800", "1801"), (" 2300 -", ""), ("20161203", "20161303"), ("page 1", "page 2")],
)
def test_what_somebody_has_changed_is_not_believed(old: str, new: str) -> None:
    text = Past().with_([NIGHT]).to_text()
    assert Past.from_text(text.replace(old, new)) is None
    assert Past.from_text(text + "\n") is None


def test_a_moment_of_any_year_is_carried() -> None:
    old = PastNight(datetime(1, 1, 1, tzinfo=UTC), (1, 1, 1))
    past = Past().with_([old], [date(1, 1, 1)]).thinned()
    assert Past.from_text(past.to_text()) == past


def test_thinned_out_night_by_night_or_once_the_same_nights_are_left() -> None:
    nights, refused = nights_of(900)
    some = Random(2)
    by_night = Past()
    for night in nights:
        again = some.sample(by_night.nights, min(5, len(by_night.nights)))
        days = [day for day in refused if day <= night.moment.date()]
        by_night = by_night.with_([*again, night], days).thinned()
    last = nights[-1].moment.date()
    assert by_night == Past().with_(nights, [day for day in refused if day <= last]).thinned()
    assert len(by_night.nights) < 366 + 90


def test_each_of_the_last_days_is_left_and_of_each_week_before_the_last_night() -> None:
    nights = [PastNight(FIRST + timedelta(hours=8 * n), (n,)) for n in range(3 * 500)]
    kept = Past().with_(nights).thinned().nights
    days = [night.moment.date() for night in kept]
    assert len(set(days)) == len(days)
    year = days[-1] - timedelta(days=366)
    assert [day for day in days if day >= year] == [year + timedelta(days=n) for n in range(367)]
    assert {day.weekday() for day in days if day < year - timedelta(days=7)} == {6}  # Sundays


def test_what_was_withheld_is_not_counted() -> None:
    hidden = Withheld("organization", "", "structure", 812)
    rows = {name: one for name, one in MANIFEST.tables.items() if name != "organization"}
    manifest = replace(MANIFEST, tables=rows, withheld=(hidden,))
    assert manifest.counts["organization"] == 812
    assert PastNight.of_manifest(manifest).counts == (None, 0, None)
    assert "812" not in Past().with_([PastNight.of_manifest(manifest)]).to_text()


def test_numbers_that_only_one_side_knows_are_joined() -> None:
    told = PastNight(FIRST, (1800, None, 5), None, overridden=True)
    assert Past().with_([NIGHT]).with_([told]).nights == (
        PastNight(FIRST, (1800, 2300, 5), 84_000_000, overridden=True),
    )
