"""What the catalog says of tables, for the policy to be held to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.snapshot.relations import holds_no_rows, read_relations
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import LARGE_OBJECTS, Decision, Policy, shipped_policy
from ppr_assets.rules.publication.relations import Reference, Relation, RelationColumn
from ppr_assets.rules.publication.withholding import plan_lines
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_postgres import SampleDatabase

_TABLES = """
SET search_path = public;
CREATE TABLE "Place" (id varchar(9) PRIMARY KEY, code char(3) NOT NULL, note text);
CREATE UNIQUE INDEX ON "Place" (note) NULLS NOT DISTINCT;
CREATE DOMAIN short AS varchar(5);
CREATE DOMAIN named AS short NOT NULL;
CREATE SCHEMA other;
CREATE TABLE other.seen (
  place varchar(9), said text, many numeric, who named, short short, raw "char", list text[],
  twice numeric GENERATED ALWAYS AS (many * 2) STORED,
  CONSTRAINT there FOREIGN KEY (place) REFERENCES "Place" (id) MATCH FULL
);
CREATE TABLE day (at date, who text) PARTITION BY RANGE (at);
CREATE TABLE may PARTITION OF day FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
CREATE TABLE seat (who text, at date) PARTITION BY LIST (who);
CREATE TABLE "seat of Pat" PARTITION OF seat FOR VALUES IN ('Pat');
CREATE TABLE free_seat PARTITION OF seat DEFAULT;
CREATE TABLE heir (more int) INHERITS (other.seen, "Place");
CREATE MATERIALIZED VIEW shown AS SELECT place, said FROM other.seen;
CREATE VIEW looked AS SELECT who FROM day;
CREATE TEMPORARY TABLE passing (a int);
SELECT lo_create(0);
"""


@pytest.fixture
def relations(database: DatabaseSettings) -> Mapping[str, Relation]:
    with connect(database) as session:
        sample = {one.key for one in read_relations(session)}
        session.execute(_TABLES.encode())
        found = read_relations(session)
    return {one.key: one for one in found if one.key not in sample}


def test_what_holds_rows_is_found(relations: Mapping[str, Relation]) -> None:
    assert {key: one.kind for key, one in relations.items()} == {
        '"Place"': "table",
        "day": "table",
        "heir": "table",
        "may": "table",
        "other.seen": "table",
        "seat": "table",
        '"seat of Pat"': "table",
        "free_seat": "table",
        "shown": "materialized view",
        LARGE_OBJECTS: "large objects",
    }
    assert relations["may"].parents == ("day",)
    assert relations["heir"].parents == ("other.seen", '"Place"')


def test_values_that_a_definition_names_are_told(relations: Mapping[str, Relation]) -> None:
    """Not those of a default partition, nor of a range, which are no row's."""
    assert {key: one.listed for key, one in relations.items() if one.listed} == {
        '"seat of Pat"': ("who",)
    }
    hidden = Policy({"seat": {"*": Decision("structure")}})
    found = plan(hidden, relations.values())
    told = "withheld: seat: all rows, but the definitions of partitions name values of seat.who"
    assert [line for line in plan_lines(found, "a file") if "definitions" in line] == [told]
    both = {"seat": {"who": Decision("public"), "at": Decision("public")}}
    assert not plan(Policy(both), relations.values()).listed
    alone = Policy({**both, '"seat of Pat"': {"*": Decision("structure")}})
    (line,) = plan_lines(plan(alone, [relations["seat"], relations['"seat of Pat"']]), "a file")
    assert line == told.replace("seat", '"seat of Pat"')


def test_definitions_are_read_without_waiting_for_a_table(database: DatabaseSettings) -> None:
    with connect(database) as session, connect(database) as other:
        session.execute(_TABLES.encode())
        session.commit()
        other.execute(b"LOCK TABLE public.seat IN ACCESS EXCLUSIVE MODE")  # its partitions as well
        session.execute(b"SET lock_timeout = '1s'")
        assert [one.listed for one in read_relations(session) if one.key == '"seat of Pat"']


def test_what_is_no_text_names_nothing(database: DatabaseSettings) -> None:
    """A shell gives bytes that are no UTF-8 as halves of surrogates."""
    with connect(database) as session:
        assert holds_no_rows(session, '"\udcff"') == ""


def test_what_may_stand_in_a_column(relations: Mapping[str, Relation]) -> None:
    assert relations['"Place"'].columns == (
        RelationColumn("id", nullable=False),
        RelationColumn("code", nullable=False),
        RelationColumn("note", nullable=True),
    )
    assert relations["other.seen"].columns == (
        RelationColumn("place", nullable=True),
        RelationColumn("said", nullable=True, takes_text=True),
        RelationColumn("many", nullable=True),
        RelationColumn("who", nullable=False),
        RelationColumn("short", nullable=True),
        RelationColumn("raw", nullable=True),
        RelationColumn("list", nullable=True),
        RelationColumn("twice", nullable=True, computed=True),
    )


def test_foreign_keys_are_found(relations: Mapping[str, Relation]) -> None:
    assert relations["other.seen"].references == (
        Reference("there", ("place",), '"Place"', ("id",), full=True),
    )


def test_the_sample_holds_nothing_that_nobody_decided(sample_database: SampleDatabase) -> None:
    database = sample_database(private=True)
    with open_snapshot(database, exclusive=False, lock_seconds=5) as snapshot:
        found = snapshot.with_checks(plan(shipped_policy(), snapshot.relations()))
    found.require()
    assert {key for key, one in found.tables.items() if one.withholds} == {
        "metadata",
        "record_version",
        "organization_source",
        "location_source",
        "service_source",
        "change_audit",
        "data_upload",
        "reconciler_constraint_violations",
    }
