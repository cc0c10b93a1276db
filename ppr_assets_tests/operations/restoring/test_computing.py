"""What a database computes by its settings and its locale is the same where it is restored."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.new_database import NOT_SAID
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.postgres.compare.computed import read_digests
from ppr_assets.postgres.sessions.computing import read_locale, read_settings
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets_tests.application import connect as connect_as_application
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import NAMES, MadeDump, MakeTarget, Target, make_dump

SET = {
    "TimeZone": "America/Chicago",
    "DateStyle": "German, DMY",
    "IntervalStyle": "iso_8601",
    "default_text_search_config": "pg_catalog.german",
    "extra_float_digits": "-3",
    "bytea_output": "escape",
    "search_path": "public, pg_temp",
}

# Functions that lie about being immutable, as those in many a schema do.
COMPUTED = """
CREATE FUNCTION public.day(timestamptz) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1::date::text';
CREATE FUNCTION public.words(text) RETURNS tsvector IMMUTABLE LANGUAGE sql AS 'SELECT to_tsvector($1)';
CREATE TABLE public.visit (at timestamptz, told text,
  day text GENERATED ALWAYS AS (public.day(at)) STORED,
  words tsvector GENERATED ALWAYS AS (public.words(told)) STORED);
INSERT INTO public.visit VALUES
  ('2026-03-01 03:00+00', 'die Häuser und die Kinder'), ('2026-03-02 12:00+00', 'running');
CREATE INDEX ON public.visit (public.day(at));
CREATE MATERIALIZED VIEW public.shown AS SELECT at::text AS at, public.day(at) AS day,
  (0.1::float8 + 0.2::float8)::text AS float, '\\xff'::bytea::text AS bytes,
  interval '1 day 2 hours'::text AS span FROM public.visit;
"""  # noqa: E501

READ = (
    "SELECT at, day, words::text FROM public.visit ORDER BY at",
    "SELECT * FROM public.shown ORDER BY at",
)


def shown(target: Target) -> list[object]:
    with connect(target.settings) as session:
        return [session.execute(query.encode()).fetchall() for query in READ]


def run(target: Target, dump: MadeDump, folder: Path) -> RestoreOutcome:
    return restore(target.settings, dump.found(folder), Terms(drop_old=True), deadline=Deadline(60))


@pytest.fixture
def computing(make_target: MakeTarget) -> Target:
    """A database with settings of its own, and what it has computed by them."""
    target = make_target()
    name = target.settings.dbname
    for setting, value in SET.items():
        value = value if setting == "search_path" else f"'{value}'"
        target.execute(f"ALTER DATABASE {name} SET {setting} TO {value}")
    with connect_as_application(target.settings, autocommit=True) as session:
        session.execute("RESET ALL")
        session.execute(COMPUTED.encode())
    return target


def test_a_database_that_is_gone_comes_back_computing_as_it_did(
    computing: Target, tmp_path: Path
) -> None:
    dump = make_dump(computing.settings, tmp_path / NAMES[0])
    assert dump.manifest.computing is not None
    assert dump.manifest.computing.settings.items() >= SET.items()
    assert Manifest.from_json(dump.manifest.to_json()) == dump.manifest
    before = shown(computing)
    assert "28.02.2026" in str(before) and "'haus'" in str(before), "it is of those settings"
    computing.execute(f"DROP DATABASE {computing.settings.dbname}")

    outcome = run(computing, dump, tmp_path)
    assert shown(computing) == before
    assert not [said for said in outcome.remarks if "other" in said], outcome.remarks
    assert any(said.startswith("TimeZone is set to America/Ch") for said in outcome.remarks)
    with connect(computing.settings) as session:
        assert read_settings(session) == dump.manifest.computing.settings
    with connect_as_application(computing.settings) as session:
        session.execute("RESET ALL")
        session.execute("SET enable_seqscan TO off")
        (row,) = session.execute(
            "SELECT count(*) FROM public.visit WHERE public.day(at) = '28.02.2026'"
        ).fetchall()
    assert row == (1,)


def test_what_is_computed_otherwise_is_named_and_no_reason_to_refuse(
    computing: Target, make_target: MakeTarget, tmp_path: Path
) -> None:
    """Where somebody has decided on other settings; by a dump that does not say; in place."""
    dump = make_dump(computing.settings, tmp_path / NAMES[0])
    old = dataclasses.replace(dump, manifest=replace(dump.manifest, computing=None))
    unaware = make_target(seed=None)
    assert NOT_SAID in run(unaware, old, tmp_path).remarks

    other = make_target(seed=None)
    other.execute(f"CREATE DATABASE {other.settings.dbname} OWNER {other.settings.user}")
    other.execute(f"ALTER DATABASE {other.settings.dbname} SET TimeZone TO 'Asia/Tokyo'")
    expected = (
        "TimeZone is Asia/Tokyo here, America/Chicago where the dump is from: what it computes may "
        "be other",
        "generated columns of visit hold other values than where the dump is from: ",
        "materialized view shown holds other rows than where the dump is from: ",
    )
    for remarks in (
        run(other, dump, tmp_path).remarks,
        restore_in_place(other.settings, dump.found(tmp_path), deadline=Deadline(60)).remarks,
    ):
        for said in expected:
            assert any(remark.startswith(said) for remark in remarks), (said, remarks)
    assert shown(other) != shown(computing)


def test_a_night_records_it_and_is_not_refused_for_what_was_stale(pipeline: Pipeline) -> None:
    pipeline.execute("CREATE MATERIALIZED VIEW public.stale AS SELECT name FROM organization")
    pipeline.execute("DELETE FROM language")
    pipeline.execute("UPDATE organization SET name = name || '.'")
    manifest = pipeline.night()[0].manifest
    assert manifest is not None and manifest.computing is not None
    assert manifest.computing.settings["TimeZone"]
    assert manifest.computing.digests["materialized view stale"].startswith("200 rows, ")
    with connect(pipeline.settings.database) as session:
        assert read_digests(session).found == manifest.computing.digests
        assert read_digests(session, hold_seconds=0.0005).found == manifest.computing.digests


def test_the_locale_of_the_dumped_database_is_that_of_the_new_one(
    target: Target, make_target: MakeTarget, tmp_path: Path
) -> None:
    made = make_target(seed=None)
    made.execute(
        f"CREATE DATABASE {made.settings.dbname} OWNER {made.settings.user} TEMPLATE template0 "
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
    )
    made = Target(dataclasses.replace(made.settings, user="postgres"))
    for table in CORE_TABLES:
        made.execute(f"CREATE TABLE public.{table} AS SELECT 'x' AS name", made.settings.dbname)
    dump = make_dump(made.settings, tmp_path / NAMES[0])
    with connect(made.settings) as session:
        before = read_locale(session)
    assert before == {
        "provider": "builtin", "collate": "C", "ctype": "C.UTF-8", "locale": "C.UTF-8"
    }  # fmt: skip
    made.execute(f"DROP DATABASE {made.settings.dbname}")
    assert not [said for said in run(made, dump, tmp_path).remarks if "sorted" in said]
    with connect(made.settings) as session:
        assert read_locale(session) == before
    manifest = dump.manifest
    assert manifest.computing is not None
    nowhere = {"provider": "icu", "collate": "C", "ctype": "C", "locale": "tlh"}
    elsewhere = dataclasses.replace(
        dump, manifest=replace(manifest, computing=replace(manifest.computing, locale=nowhere))
    )
    (said,) = (one for one in run(target, elsewhere, tmp_path).remarks if "sorted by" in one)
    assert said.endswith(", by tlh (icu) where the dump is from")
