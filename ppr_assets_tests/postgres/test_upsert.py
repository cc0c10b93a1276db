"""Staged rows brought into tables with constraints of their own: what one refuses goes with all
that hangs on it, and is counted; nothing else fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from psycopg import Connection

from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.upsert.staging import Staging
from ppr_assets.settings import DatabaseSettings

SCHEMA = """
CREATE TABLE public.organization (id text PRIMARY KEY, name text NOT NULL, said json,
    year integer CHECK (year > 1900), CHECK (name <> 'forbidden'));
CREATE TABLE public.program (id text PRIMARY KEY, name text,
    organization_id text NOT NULL UNIQUE REFERENCES public.organization);
CREATE TABLE public.location (id text PRIMARY KEY,
    organization_id text REFERENCES public.organization);
CREATE TABLE public.service (id text PRIMARY KEY, name text, program_id text
    REFERENCES public.program, organization_id text NOT NULL REFERENCES public.organization);
CREATE TABLE public.phone (id text PRIMARY KEY, location_id text REFERENCES public.location,
    service_id text REFERENCES public.service);
"""
COLUMNS = {
    "organization": ["id", "name", "said", "year"],
    "program": ["id", "name", "organization_id"],
    "location": ["id", "organization_id"],
    "service": ["id", "name", "program_id", "organization_id"],
    "phone": ["id", "location_id", "service_id"],
}
Rows = Mapping[str, Sequence[Sequence[str | None]]]


@pytest.fixture
def here(empty_database: Callable[[], DatabaseSettings]) -> DatabaseSettings:
    settings = empty_database()
    with connect(settings, autocommit=True) as session:
        session.execute(SCHEMA)
    return settings


def upserted(session: Connection, rows: Rows) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """What changed, and what was refused."""
    with session.transaction():
        staging = Staging(session, COLUMNS)
        for table, each in rows.items():
            for row in each:
                staging.add(table, row)
        changed = staging.finish()
    return {table: count for table, count in changed.items() if count}, dict(staging.refused)


def ids(session: Connection, table: str) -> list[str]:
    return [one for (one,) in session.execute(f"SELECT id FROM public.{table} ORDER BY 1")]


def test_what_hangs_on_a_refused_row_goes_with_it(here: DatabaseSettings) -> None:
    rows: Rows = {
        "organization": [["o1", "Hope", None, "1800"], ["o2", "forbidden", None, None]],
        "location": [["l1", "o1"], ["l2", "o2"]],
        "service": [["s1", "Pantry", "gone", "o1"], ["s2", "Pantry", None, "o2"]],
        "phone": [["p1", "l1", None], ["p2", "l2", None], ["p3", None, "s2"], ["p4", None, "s1"]],
    }
    with connect(here, autocommit=True) as session:
        changed, refused = upserted(session, rows)
        assert changed == {"organization": 1, "location": 1, "service": 1, "phone": 2}
        assert ids(session, "phone") == ["p1", "p4"]
        assert session.execute("SELECT year FROM public.organization").fetchall() == [(None,)]
        assert session.execute("SELECT program_id FROM public.service").fetchall() == [(None,)]
    assert refused == {
        "organization: year left out, the constraint organization_year_check refuses it": 1,
        "organization: rows left out, the constraint organization_name_check refuses it": 1,
        "location: rows left out, no organization that location_organization_id_fkey asks for": 1,
        "service: program_id left out, no program that service_program_id_fkey asks for": 1,
        "service: rows left out, no organization that service_organization_id_fkey asks for": 1,
        "phone: rows left out, no location that phone_location_id_fkey asks for": 1,
        "phone: rows left out, no service that phone_service_id_fkey asks for": 1,
    }


def test_rows_that_a_key_counts_to_one_take_what_hangs_on_them_along(
    here: DatabaseSettings,
) -> None:
    with connect(here, autocommit=True) as session:
        session.execute(
            "CREATE UNIQUE INDEX one_name ON public.organization (lower(name)) WHERE name <> ''"
        )
        rows: Rows = {
            "organization": [
                ["o2", "HOPE", None, None],
                ["o1", "Hope", None, None],
                ["o3", "", None, None],
                ["o4", "", None, None],
            ],
            "location": [["l1", "o1"], ["l2", "o2"]],
        }
        changed, refused = upserted(session, rows)
        assert changed == {"organization": 3, "location": 2}
        owners = session.execute("SELECT DISTINCT organization_id FROM public.location").fetchall()
        assert owners == [("o1",)]
        assert refused == {
            "organization: rows counted to another one, the table holds one for each name": 1
        }
        assert upserted(session, rows) == ({}, refused)


def test_a_key_of_parents_alone_makes_no_two_one(here: DatabaseSettings) -> None:
    """A service is not moved to another program because the table takes one a parent."""
    rows: Rows = {
        "organization": [["o1", "Hope", None, None]],
        "program": [["p1", "Boxes", "o1"], ["p2", "Meals", "o1"]],
        "service": [["s1", "Box", "p1", "o1"], ["s2", "Meal", "p2", "o1"]],
    }
    with connect(here, autocommit=True) as session:
        _, refused = upserted(session, rows)
        found = session.execute("SELECT id, program_id FROM public.service ORDER BY 1").fetchall()
    assert found == [("s1", "p1"), ("s2", None)]
    assert refused == {
        "program: rows left out, the table holds one for each organization_id": 1,
        "service: program_id left out, no program that service_program_id_fkey asks for": 1,
    }


def test_json_is_brought_up_to_date_and_else_left_as_it_is(here: DatabaseSettings) -> None:
    """json knows no equality."""
    with connect(here, autocommit=True) as session:
        for said, changed in (('{"a": 1}', 1), ('{"a": 1}', 0), ('{"a": 2}', 1), (None, 1)):
            rows = {"organization": [["o1", "Hope", said, None]]}
            assert upserted(session, rows)[0].get("organization", 0) == changed, said
