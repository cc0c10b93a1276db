"""Addresses as they really come, and as they are compared."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from ppr_assets.rules.replay.words.texts import known

_STATES = {
    "AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california",
    "CO": "colorado", "CT": "connecticut", "DE": "delaware", "DC": "district of columbia",
    "FL": "florida", "GA": "georgia", "HI": "hawaii", "ID": "idaho", "IL": "illinois",
    "IN": "indiana", "IA": "iowa", "KS": "kansas", "KY": "kentucky", "LA": "louisiana",
    "ME": "maine", "MD": "maryland", "MA": "massachusetts", "MI": "michigan", "MN": "minnesota",
    "MS": "mississippi", "MO": "missouri", "MT": "montana", "NE": "nebraska", "NV": "nevada",
    "NH": "new hampshire", "NJ": "new jersey", "NM": "new mexico", "NY": "new york",
    "NC": "north carolina", "ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon",
    "PA": "pennsylvania", "RI": "rhode island", "SC": "south carolina", "SD": "south dakota",
    "TN": "tennessee", "TX": "texas", "UT": "utah", "VT": "vermont", "VA": "virginia",
    "WA": "washington", "WV": "west virginia", "WI": "wisconsin", "WY": "wyoming",
    "PR": "puerto rico", "GU": "guam", "VI": "virgin islands", "AS": "american samoa",
    "MP": "northern mariana islands",
}  # fmt: skip
_CODES = {name: code for code, name in _STATES.items()} | {
    "washington dc": "DC",
    "us virgin islands": "VI",
}
_STREET_WORDS = {
    "street": "st", "str": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr",
    "boulevard": "blvd", "lane": "ln", "court": "ct", "place": "pl", "highway": "hwy",
    "parkway": "pkwy", "pky": "pkwy", "circle": "cir", "terrace": "ter", "trail": "trl",
    "square": "sq", "turnpike": "tpke", "pike": "pike", "route": "rt", "rte": "rt", "way": "way",
    "expressway": "expy", "crossing": "xing", "saint": "st", "mount": "mt", "fort": "ft",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw", "first": "1st", "second": "2nd", "third": "3rd",
    "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th", "eighth": "8th",
    "ninth": "9th", "tenth": "10th", "county": "co",
}  # fmt: skip
_UNIT = re.compile(
    r"(?:\b(?:suite|ste|unit|apt|apartment|room|rm|bldg|building|floor|fl|#)(?![a-z]) *#? *|# *)"
    r"([a-z0-9-]+)|\b(\d+(?:st|nd|rd|th)) (?:floor|fl)\b"
)
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_DOTS = re.compile(r"(?<=\b[a-z])\.(?=[a-z]\b)|['’]")  # noqa: RUF001
_ONE_LINE = re.compile(r"(.+?), *([^,]+?), *([A-Za-z]{2})\.? +(\d{5}(?:-\d{4})?)(?:, *USA?)?")


class Address(Struct, frozen=True, array_like=True):
    path: str
    attention: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    region: str | None = None
    state_province: str | None = None
    postal_code: str | None = None
    country: str | None = None
    address_type: str | None = None


@lru_cache(maxsize=4096)
def state_code(words: str) -> str | None:
    """The two letters of a state or territory, from its code or its name."""
    code = words.strip().replace(".", "").upper()
    if code in _STATES:
        return code
    small = words.lower().replace(".", "")
    return _CODES.get(" ".join(word for word in _NOT_A_WORD.split(small) if word))


def postal_code(words: str) -> str | None:
    """Five digits, or nine with the hyphen that they lack; None for what is no ZIP code."""
    words = words.strip()
    if re.fullmatch(r"\d{5}(?:-\d{4})?", words, re.ASCII):
        return words
    if re.fullmatch(r"\d{5} ?\d{4}", words, re.ASCII):
        return f"{words[:5]}-{words[-4:]}"
    return None


def country_code(words: str) -> str | None:
    small = words.strip().lower().replace(".", "")
    if small in ("us", "usa", "united states", "united states of america"):
        return "US"
    return words.strip().upper() if re.fullmatch("[a-z]{2}", small) else None


def from_one_line(words: str, path: str) -> Address | None:
    """``street, city, ST 12345`` taken apart; anything else stands as the street."""
    if (whole := known(words)) is None:
        return None
    found = _ONE_LINE.fullmatch(whole) if len(whole) < 300 else None
    if found and (state := state_code(found[3])):
        street, city, zip_code = found[1], found[2], found[4]
        return Address(
            path, address_1=street, city=city, state_province=state, postal_code=zip_code
        )
    return Address(path, address_1=whole)


@lru_cache(maxsize=65536)
def normalized_street(address_1: str, address_2: str | None) -> str:
    """Street and unit in one spelling: ``1 n main st #4``. Empty for what has no house number or
    post box: the name of a street alone is no place."""
    words = f"{address_1} {address_2 or ''}".lower()[:300]
    unit = ""
    if found := _UNIT.search(words):
        unit = f" #{found[1] or found[2]}"
        words = words[: found.start()] + " " + words[found.end() :]
    words = _DOTS.sub("", words)
    street = " ".join(_STREET_WORDS.get(w, w) for w in _NOT_A_WORD.split(words) if w)
    if not re.search(r"\d", street) or " " not in street:
        return ""
    return street + unit


def street_of(address: Address) -> str:
    return normalized_street(address.address_1, address.address_2) if address.address_1 else ""


def same_address_key(address: Address) -> tuple[str, str] | None:
    """Equal for two tellings of one address: the street, and the town by ZIP code or by name and
    state. None where it cannot be told from other addresses."""
    street = street_of(address)
    if not street:
        return None
    if address.postal_code:
        return street, address.postal_code[:5]
    if address.city and address.state_province:
        city = " ".join(_NOT_A_WORD.split(address.city.lower())).strip()
        return street, f"{city} {address.state_province}"
    return None
