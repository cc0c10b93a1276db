from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from ppr_assets.rules.page.past import Past, PastNight
from ppr_assets.rules.page.picture import carried, described, is_picture, picture
from ppr_assets_tests.rules.page.nights import FIRST, nights_of

SVG = "{http://www.w3.org/2000/svg}"


def past_of(count: int) -> Past:
    return Past().with_(*nights_of(count)).thinned()


@pytest.mark.parametrize("count", [0, 1, 2, 60, 3650])
def test_it_is_an_image_that_a_screen_reader_reads_out_and_that_runs_nothing(count: int) -> None:
    past = past_of(count)
    drawn = ET.fromstring(picture(past))
    assert (drawn.tag, drawn.get("role")) == (f"{SVG}svg", "img")
    ids = {one.get("id"): one.text for one in drawn if one.get("id")}
    assert [*ids] == str(drawn.get("aria-labelledby")).split()
    assert ids["desc"] == described(past)
    tags = {one.tag.removeprefix(SVG) for one in drawn.iter()}
    assert tags <= {
        *["svg", "title", "desc", "metadata", "style", "rect", "text", "line", "path", "circle"]
    }
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg\")|href|url\(", picture(past))


def test_ten_years_of_nights_are_far_below_100_kilobytes() -> None:
    assert len(picture(past_of(3650)).encode()) < 60_000


def test_the_worst_ten_years_are_below_100_kilobytes_too() -> None:
    """Each night is overridden, or refused, with as many records as a country has."""
    nights = [
        PastNight(
            FIRST + timedelta(days=n), (10**7 + n, 10**7, 10**8), 10**11, overridden=n % 2 > 0
        )
        for n in range(3650)
    ]
    refused = [night.moment.date() for night in nights[::2]]
    assert len(picture(Past().with_(nights, refused).thinned()).encode()) < 100_000


def test_the_same_nights_are_the_same_bytes_and_it_carries_them() -> None:
    past = past_of(400)
    assert picture(past) == picture(past_of(400))
    assert carried(picture(past)) == past


def test_a_picture_that_somebody_has_changed_stays_ours_and_is_not_believed() -> None:
    changed = picture(past_of(60)).replace("<metadata>ppr", "<metadata>\nppr")
    assert is_picture(changed)
    assert carried(changed) is None
    assert not is_picture("<svg/>")
    assert carried("<svg><metadata></metadata></svg>") is None


def test_a_night_adds_to_the_lines_and_leaves_what_was_drawn() -> None:
    nights, refused = nights_of(3640)
    before, after = (picture(Past().with_(nights[:n], refused).thinned()) for n in (-1, None))
    (old,), (new,) = (re.findall('class="a" d="([^"]+)"', one) for one in (before, after))
    assert new.startswith(old)


def test_refusals_and_overrides_are_drawn_and_told() -> None:
    nights, refused = nights_of(60)
    past = Past().with_(nights, refused)
    assert described(past).endswith(
        "one override, on 2017-01-22; one noted refusal, on 2017-01-12."
    )
    drawn = picture(past)
    assert drawn.count('class="over"') == drawn.count('class="no"') == 2  # with the legend's
    plain = picture(Past(tuple(night for night in nights if not night.overridden)))
    assert 'class="over"' not in plain
    assert 'class="no"' not in plain


def test_a_number_that_is_not_known_breaks_the_line() -> None:
    counts = [(10, 10, 10), (None, 10, 10), (30, 10, 10)]
    nights = [PastNight(FIRST + timedelta(days=n), count) for n, count in enumerate(counts)]
    (line,) = re.findall('class="a" d="([^"]+)"', picture(Past(tuple(nights))))
    assert line.count("M") == 2


@pytest.mark.parametrize("day", [datetime(9999, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_clock_that_was_wrong_by_ages_stops_no_picture(day: datetime) -> None:
    wrong = PastNight(day, (1, 2, 3), 4)
    for past in (Past((wrong,)), Past().with_([*nights_of(2)[0], wrong], [day.date()])):
        again = carried(picture(past.thinned()))
        assert again == past.thinned()
