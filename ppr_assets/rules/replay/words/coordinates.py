"""Coordinates: which are one point, and how far two are apart."""

from __future__ import annotations

import math

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

METRES_PER_DEGREE = 111_320.0


def point(latitude: object, longitude: object) -> Point | None:
    """A point on earth from what a file holds: numbers, or numbers as text."""
    try:
        found = (float(str(latitude)), float(str(longitude)))
    except ValueError:
        return None
    on_earth = abs(found[0]) <= 90 and abs(found[1]) <= 180  # false for NaN as well
    return found if on_earth else None


def point_of_two(one: object, other: object) -> Point | None:
    """The point of two numbers in either order, which both occur: the one that lies in the states
    or territories. None where both or none do."""
    found = [point(one, other), point(other, one)]
    there = [each for each in found if each and _is_american(each)]
    return there[0] if len(there) == 1 else None


def _is_american(at: Point) -> bool:
    latitude, longitude = at
    return -15 < latitude < 72 and (longitude < -64 or longitude > 144)


def spot(at: Point) -> Point:
    """The point to a metre: what a geocoder gives twice may differ in the last digits."""
    return (round(at[0], 5) + 0.0, round(at[1], 5) + 0.0)


def metres_between(one: Point, other: Point) -> float:
    """Exact enough below some kilometres."""
    north = (one[0] - other[0]) * METRES_PER_DEGREE
    east = (one[1] - other[1]) * METRES_PER_DEGREE * math.cos(math.radians(one[0]))
    return math.hypot(north, east)
