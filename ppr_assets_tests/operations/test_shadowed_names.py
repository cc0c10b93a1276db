"""Whoever may create functions, operators and types in the database does not have ours use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.operations.starting.init import initialise
from ppr_assets.operations.starting.roads import InitTerms
from ppr_assets.operations.status import status
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import RestoreBy, Target
from ppr_assets_tests.opened import count_records
from ppr_assets_tests.postgres.test_qualified_names import statements

CALLED = "the code of somebody else ran"

_FUNCTIONS = """
DO $do$ DECLARE f record; BEGIN
  FOR f IN
    SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments,
      format_type(p.prorettype, NULL) AS result, p.proretset
    FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
      AND p.proname = ANY('{{{names}}}'::text[])
  LOOP
    BEGIN
      EXECUTE format(
        'CREATE FUNCTION public.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS '
        '$f$ BEGIN RAISE EXCEPTION ''{called}''; END $f$',
        f.proname, f.arguments, CASE WHEN f.proretset THEN 'SETOF' END, f.result);
    EXCEPTION WHEN OTHERS THEN NULL;  -- a type that no such function may have
    END;
  END LOOP;
END $do$
"""
"""For each function that a statement of ours calls, one of the same name and arguments."""

_OTHERS = """
CREATE FUNCTION public.ran(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS
  $f$ BEGIN RAISE EXCEPTION '{called}'; END $f$;
CREATE FUNCTION public.ran_state(bigint) RETURNS bigint LANGUAGE plpgsql AS
  $f$ BEGIN RAISE EXCEPTION '{called}'; END $f$;
CREATE AGGREGATE public.count(*) (SFUNC = public.ran_state, STYPE = bigint, INITCOND = '0');
CREATE FUNCTION public.pg_table_size(oid) RETURNS bigint LANGUAGE plpgsql AS
  $f$ BEGIN RAISE EXCEPTION '{called}'; END $f$;
CREATE DOMAIN public.jsonb AS pg_catalog.jsonb CHECK (public.ran(VALUE, VALUE));
CREATE DOMAIN public.regclass AS pg_catalog.regclass CHECK (public.ran(VALUE, VALUE));
CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.ran(VALUE, VALUE));
CREATE DOMAIN public.name AS pg_catalog.name CHECK (public.ran(VALUE, VALUE));
CREATE DOMAIN public.oid AS pg_catalog.oid CHECK (public.ran(VALUE, VALUE));
CREATE VIEW public.pg_class AS SELECT 1 / 0 AS oid;
CREATE VIEW public.pg_database AS SELECT 1 / 0 AS oid;
"""

_OPERATORS = """
CREATE FUNCTION public.same({left}, {right}) RETURNS boolean LANGUAGE plpgsql AS
  $f$ BEGIN RAISE EXCEPTION '{called}'; END $f$;
CREATE OPERATOR public.= (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.same);
CREATE OPERATOR public.<> (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.same);
"""


def shadow(session: psycopg.Connection[object]) -> None:
    """Fill schema public with names of pg_catalog, and let every session find them first."""
    called = {name for _, text in statements() for name in re.findall(r"pg_catalog\.(\w+)\(", text)}
    assert len(called) > 30
    session.execute(_FUNCTIONS.format(called=CALLED, names=",".join(called)).encode())
    session.execute(_OTHERS.format(called=CALLED).encode())
    kinds = ["name", "text", "oid", '"char"', "int", "bigint"]
    for left, right in [*zip(kinds, kinds, strict=True), ("name", "text")]:
        of_catalog = {
            side: f"pg_catalog.{kind}" if kind in ("name", "text", "oid") else kind
            for side, kind in (("left", left), ("right", right))
        }
        session.execute(_OPERATORS.format(called=CALLED, **of_catalog).encode())
    session.execute(
        "DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path TO public, "
        "pg_catalog', pg_catalog.current_database()); END $$"
    )


@pytest.fixture
def shadowed(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline's database after its owner has done that; dumped and restored by a superuser."""
    with connect(pipeline.settings.database, autocommit=True) as session:
        shadow(session)
    superuser = replace(pipeline.settings.database, user="postgres")
    pipeline.settings = replace(pipeline.settings, database=superuser)
    yield pipeline
    Target(superuser).drop_formers()


_PLANNED = """
CREATE FUNCTION public.spy(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN
    IF session_user <> '{owner}' AND current_database() = '{database}' THEN
      RAISE EXCEPTION '{called}';
    END IF;
    RETURN $1;
  END $f$;
CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN RETURN public.spy($1) = $2; END $f$;
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
CREATE INDEX ON organization ((name || public.spy('x')));
CREATE INDEX ON location (id) WHERE public.spy('x') = 'x';
CREATE STATISTICS spied ON (name || public.spy('x')), (description || 'x') FROM service;
CREATE INDEX ON language ((name OPERATOR(public.===) ('a'::text OPERATOR(public.===) 'a')::text));
CREATE TABLE parted (id int, twice int GENERATED ALWAYS AS (id * 2) STORED) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted DEFAULT;
CREATE INDEX ON parted ((id::text || public.spy('x')));
INSERT INTO parted VALUES (1), (2);
CREATE MATERIALIZED VIEW seen AS SELECT name FROM organization;
CREATE INDEX ON seen ((name || public.spy('x')));
ALTER TABLE address ADD CHECK (city <> public.spy('x'));
DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET constraint_exclusion TO on',
  pg_catalog.current_database()); END $$;
"""
"""What the server calls to plan a query, by whoever asks."""


@pytest.fixture
def spied_on(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline's database with functions of its owner in indexes, statistics and checks, which
    fail when another role calls them there."""
    own = pipeline.settings.database
    with connect(own, autocommit=True) as session:
        filled = _PLANNED.format(called=CALLED, owner=own.user, database=own.dbname)
        session.execute(filled.encode())
    superuser = replace(own, user="postgres")
    pipeline.settings = replace(pipeline.settings, database=superuser)
    yield pipeline
    Target(superuser).drop_formers()


def test_no_plan_of_ours_calls_them(spied_on: Pipeline) -> None:
    own = spied_on.settings.database
    for table in ("organization", "service", "parted", "seen"):
        with (
            connect(own) as session,
            pytest.raises(psycopg.errors.RaiseException, match=CALLED),
        ):
            session.execute(f"SELECT count(*) FROM {table}".encode())
    spied_on.gate(proof="server")
    dumped, _ = spied_on.night()
    assert dumped.manifest is not None
    assert dumped.manifest.tables["part"].rows == 2
    assert status(spied_on.settings).errors == ()
    assert [one.error for one in preconditions(spied_on.settings) if one.error] == []
    assert initialise(spied_on.settings).status == "left alone"
    outcome = restore(own, _latest(spied_on), deadline=Deadline(60))
    assert outcome.tables == dumped.manifest.tables
    assert not any(CALLED in remark for remark in outcome.remarks)


def test_no_policy_is_asked(spied_on: Pipeline) -> None:
    with connect(spied_on.settings.database, autocommit=True) as session:
        session.execute("ALTER TABLE phone ENABLE ROW LEVEL SECURITY")
        session.execute("CREATE POLICY p ON phone USING (public.spy('x') = 'x')")
        session.execute("CREATE ROLE reading LOGIN IN ROLE pg_read_all_data")
    reading = replace(spied_on.settings.database, user="reading")
    spied_on.settings = replace(spied_on.settings, database=reading)
    try:
        found = {one.what: one.error for one in preconditions(spied_on.settings)}
    finally:
        Target(replace(reading, user="postgres")).execute("DROP ROLE reading")
    gate = found["gate"]
    assert gate is not None
    assert "table phone cannot be read: query would be affected by row-level" in gate.message
    assert "BYPASSRLS" in gate.hint


def _latest(pipeline: Pipeline) -> FoundDump:
    path = pipeline.dumps / pipeline.latest()
    return FoundDump(path.name, path, None, None, pipeline.clone.parent)


def test_an_application_does_call_them(shadowed: Pipeline) -> None:
    """So that what follows tests something."""
    for statement in ("SELECT count(*) FROM organization", "SELECT 'a'::name = 'a'::name"):
        with (
            connect(shadowed.settings.database) as session,
            pytest.raises(psycopg.errors.RaiseException, match=CALLED),
        ):
            session.execute(statement.encode())


def test_no_verb_calls_them(shadowed: Pipeline) -> None:
    shadowed.gate(proof="server")
    dumped, published = shadowed.night()
    assert (dumped.status, published.status) == ("staged", "published")
    assert count_records(shadowed.settings).counts["organization"] == 200
    assert status(shadowed.settings).errors == ()
    assert [one.error for one in preconditions(shadowed.settings) if one.error] == []
    for where in ("server", "embedded"):
        drill(
            ProofPlace(shadowed.settings.database, where), _latest(shadowed), deadline=Deadline(60)
        )


@pytest.mark.parametrize("way", ["aside", "with psql", "in place", "at a start"])
def test_a_restore_over_them_calls_none(
    way: str, shadowed: Pipeline, restore_by: RestoreBy
) -> None:
    dumped, _ = shadowed.night()
    assert dumped.manifest is not None
    if way == "at a start":
        assert initialise(shadowed.settings, InitTerms(force=True)).status == "restored"
        return
    outcome = restore_by(way, shadowed.settings.database, _latest(shadowed))
    assert outcome.tables == dumped.manifest.tables
