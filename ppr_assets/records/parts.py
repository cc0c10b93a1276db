"""What hangs on an organization, a location or a service: addresses, phones, contacts and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ppr_assets.records.reading import Fields, Reading
from ppr_assets.records.spellings import (
    ACCESSIBILITY,
    ADDRESS,
    ATTRIBUTE,
    CONTACT,
    FUNDING,
    IDENTIFIER,
    LANGUAGE,
    PHONE,
    PROGRAM,
    TERM,
    stem,
)
from ppr_assets.rules.replay.record import (
    Accessibility,
    Attribute,
    Contact,
    Funding,
    Identifier,
    Language,
    Phone,
    Program,
    Term,
)
from ppr_assets.rules.replay.words.addresses import (
    Address,
    country_code,
    from_one_line,
    postal_code,
    state_code,
)
from ppr_assets.rules.replay.words.contact_points import phone_number
from ppr_assets.rules.replay.words.coordinates import Point, point, point_of_two

_NESTED = stem("address")
_NOWHERE = ("attention", "address_1", "address_2", "region", "state_province", "country")
_ADDRESS_TYPES = ("physical", "postal", "virtual")


def address(reading: Reading, raw: Any, path: str) -> Address | None:
    """An address from an object or one line of text; None where it says nothing."""
    if isinstance(raw, str):
        return from_one_line(raw, path)
    if not isinstance(raw, dict):
        reading.lose("address")
        return None
    fields = reading.fields(raw, ADDRESS, path)
    nested = fields.raw("nested")
    if isinstance(nested, dict):
        inner = {key: value for key, value in nested.items() if stem(key) != _NESTED}
        fields = reading.fields({**raw, **inner, "address": None}, ADDRESS, path)
    elif isinstance(nested, str):
        fields.values.setdefault("address_1", []).append(("address", nested))
    return address_of(fields)


def address_of(fields: Fields) -> Address | None:
    """The address in an object that may hold more than that, such as a location."""
    lines = fields.texts("address_1")
    found = Address(
        path=fields.path,
        attention=fields.text("attention"),
        address_1=lines[0] if lines else None,
        address_2=fields.text("address_2") or "; ".join(lines[1:]) or None,
        city=fields.text("city"),
        region=fields.text("region"),
        state_province=checked(fields, "state_province", state_code),
        postal_code=checked(fields, "postal_code", postal_code),
        country=checked(fields, "country", country_code),
        address_type=one_of(fields, "address_type", _ADDRESS_TYPES),
    )
    if found.address_1 or found.city or found.postal_code:
        return found
    if any(name in fields.values for name in _NOWHERE):
        fields.reading.lose("address without street, city and ZIP code")
    return None


def coordinates_of(fields: Fields) -> Point | None:
    """The point of an object, from its own keys or from ``coordinates`` in it."""
    own = fields.raw("latitude"), fields.raw("longitude")
    if own != (None, None):
        return _point(fields, *own)
    held = fields.raw("coordinates")
    if isinstance(held, list) and len(held) == 1:
        held = held[0]
    if isinstance(held, dict):
        inner = fields.reading.fields(held, ADDRESS, f"{fields.path}.coordinates")
        if "coordinates" not in inner.values:
            return _point(fields, inner.raw("latitude"), inner.raw("longitude"))
        held = inner.raw("coordinates")  # a GeoJSON point
    if isinstance(held, str):
        held = held.split(",")
    found = point_of_two(*held) if isinstance(held, list) and len(held) == 2 else None
    if held is not None and found is None:
        fields.reading.lose(f"{fields.kind.name}.coordinates")
    return found


def _point(fields: Fields, latitude: Any, longitude: Any) -> Point | None:
    found = point(latitude, longitude)
    if found is None and (latitude, longitude) != (None, None):
        fields.reading.lose(f"{fields.kind.name}.coordinates")
    return found


def phone(reading: Reading, raw: Any, path: str) -> Phone | None:
    """A phone from an object or a number; None where there is no number."""
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        raw = {"number": str(raw)}
    if not isinstance(raw, dict):
        reading.lose("phone")
        return None
    return phone_of(reading.fields(raw, PHONE, path))


def phone_of(fields: Fields) -> Phone | None:
    words = fields.text("number")
    if words is None:
        return None
    found = phone_number(words)
    if found is None:
        fields.reading.lose("phone.number")
        return None
    return Phone(
        path=fields.path,
        number=found[0],
        extension=found[1] or checked(fields, "extension", _digits),
        type=fields.text("type"),
        description=fields.text("description"),
        languages=languages(fields),
    )


def languages(fields: Fields) -> tuple[Language, ...]:
    found = (language(fields.reading, raw, path) for path, raw in fields.each("languages"))
    return tuple(one for one in found if one)


def language(reading: Reading, raw: Any, path: str) -> Language | None:
    fields = reading.told(raw, LANGUAGE, path, alone="name")
    if fields is None:
        return None
    name, code = fields.text("name"), fields.text("code")
    return Language(path, name, code, fields.text("note")) if name or code else None


def contact(reading: Reading, raw: Any, path: str) -> Contact | Phone | None:
    """A contact; a phone where that is all it is."""
    fields = reading.told(raw, CONTACT, path, alone="name")
    if fields is None:
        return None
    numbers = [phone(reading, one, where) for where, one in fields.each("phones")]
    if "number" in fields.values:
        numbers.append(phone_of(fields))
    else:
        for key in fields.values.keys() & {"type", "extension", "languages"}:
            reading.lose(f"contact.{key}")
    phones = tuple(one for one in numbers if one)
    name, email = fields.text("name"), fields.text("email")
    title, department = fields.text("title"), fields.text("department")
    if name or email or title or department:
        return Contact(path, name, title, department, email, phones)
    for _ in phones[1:]:
        reading.lose("contact.phones beyond the first of nobody")
    return phones[0] if phones else None


def accessibility(reading: Reading, raw: Any, path: str) -> Accessibility | None:
    fields = reading.told(raw, ACCESSIBILITY, path, alone="description")
    if fields is None:
        return None
    told = fields.text("description"), fields.text("details"), fields.text("url")
    return Accessibility(path, *told) if any(told) else None


def attribute(reading: Reading, raw: Any, path: str) -> Attribute | None:
    """A value of a taxonomy's term; the term has to have a name, which is not made up."""
    fields = reading.told(raw, ATTRIBUTE, path, alone="value")
    if fields is None:
        return None
    where, raw = next(iter(fields.each("term")), (path, {}))
    told = reading.told(raw, TERM, where, alone="name")
    name = told.text("name") if told else None
    for _ in fields.each("term")[1:]:
        reading.lose("attribute.taxonomy_term beyond the first")
    if told is None or name is None:
        reading.lose("attribute without the name of its term")
        return None
    words = (told.text(one) for one in ("code", "description", "language", "term_uri"))
    term = Term(told.path, name, *words)
    entity = fields.text("link_entity")
    own = (fields.text(one) for one in ("link_type", "value", "label"))
    return Attribute(path, term, entity.lower() if entity else None, *own)


def program(reading: Reading, raw: Any, path: str) -> Program | None:
    fields = reading.fields(raw if isinstance(raw, dict) else {"name": raw}, PROGRAM, path)
    name = fields.text("name")
    if name is None:
        return None
    return Program(path, name, fields.text("alternate_name"), fields.text("description"))


def funding(reading: Reading, raw: Any, path: str) -> Funding | None:
    fields = reading.fields(raw if isinstance(raw, dict) else {"source": raw}, FUNDING, path)
    source = fields.text("source")
    return Funding(path, source) if source else None


def identifier(reading: Reading, raw: Any, path: str) -> Identifier | None:
    if not isinstance(raw, dict):
        raw = {"identifier": raw}
    fields = reading.fields(raw, IDENTIFIER, path)
    words = fields.text("identifier")
    if words is None:
        return None
    kind, scheme = fields.text("identifier_type"), fields.text("identifier_scheme")
    return Identifier(path, words, kind, scheme)


def one_of(fields: Fields, name: str, allowed: tuple[str, ...]) -> str | None:
    """The value where the schema's enum has it."""
    words = fields.text(name)
    small = words.lower() if words else None
    if small is not None and small not in allowed:
        fields.reading.lose(f"{fields.kind.name}.{name}")
        return None
    return small


def checked(fields: Fields, name: str, check: Callable[[str], str | None]) -> str | None:
    """The value as it is in the schema; counted where it cannot be."""
    words = fields.text(name)
    found = check(words) if words else None
    if words and found is None:
        fields.reading.lose(f"{fields.kind.name}.{name}")
    return found


def _digits(words: str) -> str | None:
    return words if words.isascii() and words.isdigit() and len(words) < 9 else None
