"""One pantry in each of the shapes in which results tell of one."""

from __future__ import annotations

import json
from typing import Any

ADDRESS = {
    "address_1": "12 Main Street",
    "city": "Oxford",
    "state_province": "OH",
    "postal_code": "45056",
    "country": "US",
    "address_type": "physical",
}
SCHEDULE = {"freq": "WEEKLY", "byday": "TU", "opens_at": "09:00", "closes_at": "11:30"}
PHONE = {"number": "(513) 555-0199", "type": "voice", "languages": [{"name": "English"}]}
LOCATION = {
    "name": "Hope Hall",
    "location_type": "physical",
    "latitude": 39.1,
    "longitude": -84.5,
}
SERVICE = {"name": "Pantry", "description": "Choice pantry", "status": "active"}
ORGANIZATION = {"name": "Hope Pantry", "description": "A pantry", "website": "https://hope.org"}
PROGRAM = {"name": "TEFAP", "description": "Boxes"}

BARE = {
    **ORGANIZATION,
    "id": "o1",
    "phones": [PHONE],
    "programs": [{**PROGRAM, "id": "p1", "organization_id": "o1"}],
    "locations": [{**LOCATION, "id": "l1", "addresss": [ADDRESS], "schedules": [SCHEDULE]}],
    "services": [{**SERVICE, "program_id": "p1", "location_id": "l1"}],
}
SHAPES: dict[str, Any] = {
    "bare": BARE,
    "list of bare ones": [BARE],
    "under a word without meaning": {"data": [{"attributes_of_it": BARE}]},
    "wrapped": {
        "organization": {**ORGANIZATION, "id": "o1", "phones": PHONE},
        "programs": [{**PROGRAM, "id": "p1"}],
        "locations": [
            {
                **LOCATION,
                "id": "l1",
                "addresses": ADDRESS,
                "schedule": SCHEDULE,
            }
        ],
        "services": [{**SERVICE, "program_id": "p1", "locations": [{"id": "l1"}]}],
    },
    "list of organizations, location in the service": {
        "organizations": [{**ORGANIZATION, "id": "o1", "phones": [PHONE], "program": PROGRAM}],
        "services": [
            {
                **SERVICE,
                "organization_id": "o1",
                "program_id": "TEFAP",
                "locations": [
                    {
                        "name": "Hope Hall",
                        "location_type": "physical",
                        "coordinates": {"latitude": 39.1, "longitude": "-84.5"},
                        "street": "12 Main Street",
                        "locality": "Oxford",
                        "state": "Ohio",
                        "zip": "45056",
                        "country": "USA",
                        "address_type": "physical",
                        "schedule": [
                            {
                                "freq": "weekly",
                                "days": ["Tuesday"],
                                "times": [{"start_time": "9:00 AM", "end_time": "11:30:00"}],
                            }
                        ],
                    }
                ],
            }
        ],
    },
    "address on the organization": {
        "organizations": [
            {
                **ORGANIZATION,
                "phones": [PHONE],
                "programs": [{"id": 7, **PROGRAM}],
                "addresses": [
                    {
                        "id": "l1",
                        "location_name": "Hope Hall",
                        "location_type": "physical",
                        "street1": "12 Main Street",
                        "city": "Oxford",
                        "state_province": "OH",
                        "postal_code": 45056,
                        "country": "us",
                        "coordinates": [{"latitude": 39.1, "longitude": -84.5}],
                    }
                ],
            }
        ],
        "services": [{**SERVICE, "program_id": 7, "location_ids": ["l1"]}],
        "schedules": [{**SCHEDULE, "location_id": "l1"}],
    },
    "flat arrays that refer by name": {
        "organization": [ORGANIZATION],
        "program": [{**PROGRAM, "organization_name": "Hope Pantry"}],
        "service": [{**SERVICE, "organization_name": "Hope Pantry", "program_name": "TEFAP"}],
        "location": [{**LOCATION, "organization_name": "Hope Pantry"}],
        "address": [{**ADDRESS, "location_name": "Hope Hall"}],
        "service_at_location": [{"service_name": "Pantry", "location_name": "Hope Hall"}],
        "phone": [{**PHONE, "organization_name": "Hope Pantry"}],
        "schedule": [{**SCHEDULE, "location_name": "Hope Hall"}],
    },
}


def job_file(result: object, **changed: Any) -> bytes:
    """A published file with the result."""
    whole = {
        "job_id": "1754641634.6",
        "job": {
            "id": "1754641634.6",
            "prompt": 'Say {"result": 1} in "JSON"',
            "format": {},
            "provider_config": {},
            "metadata": {"scraper_id": "freshtrak", "source": "freshtrak", "content_hash": "a1"},
            "created_at": "2025-08-08 08:27:14.643228",
        },
        "result": result,
        "error": None,
    }
    return json.dumps(whole | changed).encode()


def text_file(value: object, before: str = "", after: str = "") -> bytes:
    """A published file whose result is the value as text."""
    return job_file(before + json.dumps(value) + after)
