"""Whose word stands."""

from __future__ import annotations

from itertools import permutations

from ppr_assets.rules.replay.record import Location, Phone, Schedule
from ppr_assets.rules.replay.rows.newest import newest
from ppr_assets.rules.replay.telling import Telling

OLD = Telling("2025-08-01", "2025-08-01", "freshtrak", "1")
NEW = Telling("2025-08-09", "2025-08-09", "freshtrak", "2")
OTHER = Telling("2025-08-05", "2025-08-05", "a_food_bank", "3")

TOLD = [
    (
        OLD,
        Location(
            "$.a",
            name="Hope Hall",
            description="Long ago",
            schedules=(Schedule("$", byday="MO"), Schedule("$", byday="TU")),
            phones=(Phone("$", "513-555-0199"),),
        ),
    ),
    (NEW, Location("$.b", name="Hope House", schedules=(Schedule("$", byday="WE"),))),
    (
        OTHER,
        Location(
            "$.c",
            description="A hall",
            coordinates=(39.1, -84.5),
            schedules=(Schedule("$x", byday="WE"),),
            phones=(Phone("$", "(513) 555-0199"),),
        ),
    ),
]


def test_the_newest_word_stands_and_what_is_unknown_takes_nothing_away() -> None:
    record, whose = newest(TOLD)
    assert record.name == "Hope House"
    assert record.description == "A hall"
    assert record.coordinates == (39.1, -84.5)
    assert (whose["name"], whose["description"]) == (NEW, OTHER)


def test_a_scrapers_older_schedules_are_gone_and_what_two_say_is_said_once() -> None:
    record, _ = newest(TOLD)
    assert [schedule.byday for schedule in record.schedules] == ["WE"]
    assert [phone.number for phone in record.phones] == ["(513) 555-0199"]


def test_the_order_of_the_files_makes_no_difference() -> None:
    assert len({repr(newest(told)) for told in permutations(TOLD)}) == 1
