"""How the keys of each kind of object come, by stem: without case, punctuation and plural, so that
``addresss``, ``addresses`` and ``Address`` are one key. What leads to None says nothing of the
place: moments that a model made up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=8192)
def stem(key: str) -> str:
    squeezed = _NOT_A_LETTER.sub("", key[:80].lower())
    if squeezed.endswith("ies"):
        return squeezed[:-3] + "y"
    if squeezed.endswith(("sses", "xes")):
        squeezed = squeezed[:-2]
    return squeezed.rstrip("s")


UNKNOWN = "?"
"""What a key is called that no kind's spelling leads to; no field is."""
_MOST_KEYS = 4096


class _ByKey(dict[str, str | None]):
    """What a key is called here, by the key as it comes: each is taken to its stem once."""

    def __init__(self, by_stem: Mapping[str, str | None]) -> None:
        super().__init__()
        self._by_stem = by_stem

    def __missing__(self, key: str) -> str | None:
        found = self._by_stem.get(stem(key), UNKNOWN)
        if len(self) < _MOST_KEYS:
            self[key] = found
        return found


class ObjectKind(Struct, frozen=True):
    """One kind of object: its name in reports, and what each stem of a key, and each key as it
    comes, is called here."""

    name: str
    fields: Mapping[str, str | None]
    by_key: Mapping[str, str | None]


def _kind(name: str, /, *parts: Mapping[str, str], **spellings: str) -> ObjectKind:
    """``spellings``: the field, and its keys with blanks between."""
    fields: dict[str, str | None] = {"metadata": None}
    for part in (*parts, _fields(**spellings)):
        fields |= part
    return ObjectKind(name, fields, _ByKey(fields))


def _fields(**spellings: str) -> dict[str, str]:
    return {stem(key): field for field, keys in spellings.items() for key in (field, *keys.split())}


_LINKS = _fields(
    id="",
    organization_ref="organization_id organization_name org_id org_name provided_by provider_id",
    location_ref="location_id location_ids location_name loc_id service_location_id",
    service_ref="service_id service_ids service_name svc_id",
    sal_ref="service_at_location_id service_at_location_name",
)
_COORDINATES = _fields(
    latitude="lat", longitude="lon lng long", coordinates="coordinate geo geo_code geo_location"
)
_STREET = _fields(
    attention="attn",
    address_1="street street1 street_1 line1 line_1 street_address street_address_1 address_line_1"
    " address_line1 address1 street_address1 address_lines streetline1",
    address_2="street2 street_2 line2 line_2 street_address_2 address_line_2 address_line2 address2"
    " street_address2 unit suite apartment",
    city="locality address_locality town city_name",
    region="county address_county",
    state_province="state province state_province_code state_code address_region",
    postal_code="zip zip_code zipcode postcode postal",
    country="country_code address_country country_name",
    address_type="",
)
_PEOPLE = _fields(
    phones="phone phone_number phone_numbers telephone",
    contacts="contact contact_info contact_information",
)

ADDRESS = _kind(
    "address", _LINKS, _COORDINATES, _STREET,
    nested="address", address_type="type location_type", location_ref="location_name",
)  # fmt: skip
PHONE = _kind(
    "phone", _LINKS,
    number="phone_number phone telephone value", extension="ext", type="phone_type",
    description="note notes", languages="language", contact_ref="contact_id",
)  # fmt: skip
LANGUAGE = _kind(
    "language", _LINKS, name="language", code="language_code", note="notes", phone_id=""
)
CONTACT = _kind(
    "contact", _LINKS, phones="phone phone_number phone_numbers telephone",
    contact_ref="contact_id", name="contact_name full_name", title="role position", department="",
    email="emails email_address email_addresses", number="", type="phone_type",
    languages="language", extension="ext",
)  # fmt: skip
ACCESSIBILITY = _kind(
    "accessibility", _LINKS, description="accessibility name", details="detail", url=""
)
ATTRIBUTE = _kind(
    "attribute", id="", link_ref="link_id", link_entity="", link_type="", value="", label="",
    term="taxonomy_term", term_ref="taxonomy_term_id",
)  # fmt: skip
TERM = _kind("taxonomy_term", id="", name="", code="", description="", language="", term_uri="")
SCHEDULE = _kind(
    "schedule", _LINKS,
    freq="frequency recurrence_frequency", wkst="week_start",
    byday="by_day days day days_of_week day_of_week weekday weekdays schedule_days",
    bymonthday="by_month_day schedule_days_of_month day_of_month days_of_month month_day",
    bysetpos="day_of_week_occurrence",
    interval="", count="",
    rrule="recurrence_rule repeat_rule recurrence monthly_recurrence_rule rule",
    dtstart="dt_start date_start start", dtend="date_end dt_end end", until="",
    valid_from="effective_date start_date", valid_to="end_date",
    date="dates event_dates valid_dates",
    opens_at="open_time start_time time_open time_start opens open opening_time from opens_time"
    " open_at",
    closes_at="close_time end_time time_close time_end closes close closing_time to close_at",
    times="time time_slots time_slot intervals open_intervals time_periods time_period"
    " operating_hours hours slots open_hours",
    description="", notes="note schedule_notes exception_note details comment comments",
    nested="schedule schedules regular_schedule",
)  # fmt: skip
TIMES = _kind(
    "times",
    byday="by_day days day days_of_week day_of_week weekday weekdays", date="dates",
    valid_from="start_date", valid_to="end_date",
    opens_at="open_time start_time time_open time_start opens open opening_time from start"
    " open_at time",
    closes_at="close_time end_time time_close time_end closes close closing_time to end close_at",
    id="", schedule_id="", times="time_slots time_slot", description="notes note",
)  # fmt: skip
LOCATION = _kind(
    "location", _LINKS, _COORDINATES, _STREET, _PEOPLE,
    name="location_name", alternate_name="alternate_names nickname", description="",
    transportation="", url="website urls", location_type="type", external_identifier="",
    external_identifier_type="", addresses="address physical_address",
    schedules="schedule regular_schedule hours",
    languages="language", accessibility="accessibilitys accessibilities", services="service",
    attributes="",
    notes="schedule_notes",
)  # fmt: skip
SERVICE = _kind(
    "service", _LINKS, _PEOPLE,
    name="service_name title", alternate_name="alternate_names", description="details",
    url="urls website", email="emails", status="service_status",
    program_ref="program_id program_name program",
    interpretation_services="", application_process="", fees_description="fees fee cost",
    wait_time="", accreditations="", licenses="", alert="alerts",
    eligibility_description="eligibility eligibility_requirements eligibility_criteria",
    schedules="schedule regular_schedule hours", languages="language",
    locations="location", addresses="address", sals="service_at_locations service_at_location",
    attributes="",
)  # fmt: skip
SAL = _kind(
    "service_at_location", _LINKS, _PEOPLE, description="", schedules="schedule", location="",
    service="",
)  # fmt: skip
PROGRAM = _kind(
    "program", _LINKS, name="program_name title", alternate_name="alternate_names", description=""
)
FUNDING = _kind("funding", _LINKS, source="name funding_source")
IDENTIFIER = _kind(
    "organization_identifier", _LINKS,
    identifier="value", identifier_type="type", identifier_scheme="scheme",
)  # fmt: skip
ORGANIZATION = _kind(
    "organization", _LINKS, _PEOPLE,
    name="organization_name org_name legal_name",
    alternate_names="alternate_name nickname nicknames acronym aliases",
    description="", email="emails email_address email_addresses",
    website="websites url urls web_site", tax_status="", tax_id="ein", year_incorporated="",
    legal_status="", logo="", uri="",
    locations="location", services="service", programs="program",
    fundings="funding funding_sources",
    identifiers="organization_identifiers organization_identifier",
    addresses="address", schedules="schedule", languages="language",
    accessibility="accessibilitys", sals="service_at_locations service_at_location",
    attributes="",
)  # fmt: skip
WRAPPER = _kind(
    "file", _PEOPLE,
    organizations="organization", locations="location", services="service", programs="program",
    fundings="funding", identifiers="organization_identifiers", addresses="address",
    schedules="schedule", languages="language", accessibility="accessibilitys",
    sals="service_at_locations",
)  # fmt: skip
