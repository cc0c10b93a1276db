"""The sample database: the same from the same seed, whole, and awkward on purpose."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ppr_assets.demo.sample import SAMPLE_TABLES, fill
from ppr_assets.demo.sample.filling import sample_rows
from ppr_assets.demo.sample.tables import Row
from ppr_assets.demo.sample.vocabulary import AWKWARD
from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_postgres import SampleDatabase

HSDS_CORE = """
    organization location service service_at_location address phone contact schedule language
    accessibility service_area taxonomy taxonomy_term attribute metadata program funding
    cost_option required_document url organization_identifier
"""

PRIVATE = {"change_audit", "data_upload", "reconciler_constraint_violations"}

EmptyDatabase = Callable[[], DatabaseSettings]


def ask(database: DatabaseSettings, question: str) -> list[tuple[Any, ...]]:
    with connect(database) as session:
        return session.execute(question.encode()).fetchall()


def pg_dump(database: DatabaseSettings) -> bytes:
    done = subprocess.run(
        [str(EMBEDDED_BIN / "pg_dump"), "--restrict-key=x"],
        env=client_environment(database),
        capture_output=True,
        check=True,
    )
    return done.stdout


def _restore(dump: bytes, database: DatabaseSettings) -> None:
    subprocess.run(
        [str(EMBEDDED_BIN / "psql"), "-v", "ON_ERROR_STOP=1", "-qX"],
        input=dump,
        env=client_environment(database),
        capture_output=True,
        check=True,
    )


def _definitions(database: DatabaseSettings) -> dict[str, str]:
    return dict(
        ask(
            database,
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"
            " UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'"
            " UNION ALL SELECT matviewname, definition FROM pg_matviews",
        )
    )


def test_the_same_seed_and_size_make_the_same_dump(empty_database: EmptyDatabase) -> None:
    one, other = empty_database(), empty_database()
    fill(one, organizations=150, seed=7)
    fill(other, organizations=150, seed=7)
    assert pg_dump(one) == pg_dump(other)


def test_another_seed_makes_other_data(empty_database: EmptyDatabase) -> None:
    one, other = empty_database(), empty_database()
    fill(one, organizations=20, seed=1)
    fill(other, organizations=20, seed=2)
    for column in ("id", "name"):
        question = f"SELECT {column} FROM organization"
        assert not set(ask(one, question)) & set(ask(other, question))


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    small = dict(next(sample_rows(30, seed=3)).filled())
    large = dict(next(sample_rows(40, seed=3)).filled())
    for table, rows in small.items():
        assert list(islice(large[table], len(rows))) == rows


def test_fill_tells_the_rows_of_every_table(empty_database: EmptyDatabase) -> None:
    database = empty_database()
    told = fill(database, organizations=100)
    there = ask(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert set(told) == {name for (name,) in there} == set(SAMPLE_TABLES)
    assert told == {name: ask(database, f"SELECT count(*) FROM {name}")[0][0] for name in told}
    assert told["organization"] == 100
    assert min(told.values()) > 0


def test_the_tables_of_hsds_are_all_there() -> None:
    assert set(HSDS_CORE.split()) <= set(SAMPLE_TABLES)


def test_the_sample_has_what_the_real_database_has(sample_database: SampleDatabase) -> None:
    database = sample_database(private=True)
    kinds = dict(
        ask(
            database,
            "SELECT relkind::text, count(*) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace GROUP BY 1",
        )
    )
    assert (kinds["v"], kinds["m"]) == (2, 1)
    assert kinds["S"] == 3
    assert kinds["i"] >= 18
    constraints = ask(database, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
    assert constraints[0][0] >= 30
    assert ask(database, "SELECT enum_range(NULL::service_status)::text[] @> '{active}'")[0][0]
    views = ask(database, "SELECT count(*) FROM location_master_view WHERE sources IS NOT NULL")
    assert views[0][0] > 0
    assert ask(database, "SELECT jsonb_typeof(data) FROM record_version LIMIT 1") == [("object",)]
    rows, last = ask(
        database,
        "SELECT (SELECT count(*) FROM record_version), last_value FROM record_version_id_seq",
    )[0]
    assert rows == last
    assert (
        ask(
            database,
            "SELECT sum(places) FROM places_by_state UNION ALL"
            " SELECT count(*) FROM location_master_view WHERE state_province IS NOT NULL",
        )[0][0]
        > 0
    )


def test_versions_are_about_half_of_all_rows(sample_database: SampleDatabase) -> None:
    database = sample_database(private=True)
    rows = {table: ask(database, f"SELECT count(*) FROM {table}")[0][0] for table in SAMPLE_TABLES}
    assert 0.4 < rows["record_version"] / sum(rows.values()) < 0.6


def test_the_published_part_is_what_a_dump_of_the_whole_has(
    sample_database: SampleDatabase, tmp_path: Path
) -> None:
    whole = dump_to(sample_database(private=True), tmp_path / "whole.sql")
    part = dump_to(sample_database(), tmp_path / "part.sql")
    assert whole.written.tables == part.written.tables
    assert whole.counts.keys() - part.counts.keys() == PRIVATE


@pytest.mark.parametrize("table", sorted(PRIVATE))
def test_what_is_about_people_does_not_depend_on_the_size(table: str) -> None:
    small, large = (dict(_batch(size)) for size in (60, 120))
    assert small[table] and large[table][: len(small[table])] == small[table]


def _batch(organizations: int) -> Iterator[tuple[str, list[Row]]]:
    for batch in sample_rows(organizations, seed=1):
        yield from batch.filled()


def test_the_sample_has_what_a_dump_comes_back_with_in_other_words(
    empty_database: EmptyDatabase,
) -> None:
    filled, restored = empty_database(), empty_database()
    fill(filled, organizations=20)
    first = _definitions(filled)
    _restore(pg_dump(filled), restored)
    other = {name for name, text in _definitions(restored).items() if text != first[name]}
    assert other == {
        "location_on_earth_check",
        "phone_called_idx",
        "phone_type_check",
        "reachable_phones",
        "record_version_data_idx",
        "record_version_type_check",
        "content_log_outcome_check",
        "schedule_frequency_check",
    }


def test_the_log_of_contents_only_grows(database: DatabaseSettings) -> None:
    for change in ("UPDATE content_log SET outcome = 'known'", "DELETE FROM content_log"):
        with pytest.raises(psycopg.Error, match="rows of content_log are only added"):
            ask(database, change)


def test_every_awkward_text_arrives_unharmed(database: DatabaseSettings) -> None:
    arrived = {text for (text,) in ask(database, "SELECT alternate_name FROM organization")}
    assert set(AWKWARD) <= arrived


def test_awkward_texts_hold_what_copy_and_psql_stumble_over() -> None:
    assert {"", "\\N", "\\."} <= set(AWKWARD)
    together = "".join(AWKWARD)
    for sign in ("'", '"', "\\", "\t", "\n", "\r", "\N{CANNED FOOD}", "\\N", "\\.\n", "\x85"):
        assert sign in together


def test_empty_texts_and_nulls_stay_apart(database: DatabaseSettings) -> None:
    counts = ask(
        database,
        "SELECT count(*) FILTER (WHERE alternate_name = ''),"
        " count(*) FILTER (WHERE alternate_name IS NULL) FROM organization",
    )[0]
    assert min(counts) > 0


def test_no_moment_comes_from_the_clock(database: DatabaseSettings) -> None:
    newest = ask(
        database,
        "SELECT max(updated_at) <= '2025-08-01 06:00+00' AND min(created_at) > '2023-01-01'"
        " FROM (SELECT created_at, updated_at FROM organization UNION ALL"
        " SELECT created_at, updated_at FROM location UNION ALL"
        " SELECT created_at, updated_at FROM service UNION ALL"
        " SELECT created_at, created_at FROM record_version) moments",
    )
    assert newest == [(True,)]


def test_an_update_that_changes_nothing_changes_nothing(database: DatabaseSettings) -> None:
    moments = "SELECT id, updated_at FROM service ORDER BY id"
    before = ask(database, moments)
    with connect(database) as session:
        session.execute("UPDATE service SET name = name")
    assert ask(database, moments) == before


def test_an_update_that_changes_something_changes_the_moment(database: DatabaseSettings) -> None:
    with connect(database) as session:
        session.execute("UPDATE service SET name = name || '!' WHERE name = 'Hot Meals'")
    changed = ask(
        database, "SELECT bool_and(updated_at > now() - interval '1 hour') FROM service"
        " WHERE name = 'Hot Meals!'"
    )  # fmt: skip
    assert changed == [(True,)]


def test_what_belongs_to_an_organization_goes_with_it(database: DatabaseSettings) -> None:
    with connect(database) as session:
        session.execute("DELETE FROM organization")
        for table in ("location", "service", "phone", "schedule", "contact", "service_source"):
            assert session.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


def test_a_database_with_tables_is_refused_and_left_alone(empty_database: EmptyDatabase) -> None:
    database = empty_database()
    with connect(database) as session:
        session.execute("CREATE TABLE precious AS SELECT 1 AS n")
    with pytest.raises(PreconditionFailed, match="has 1 tables and views, among them `precious`"):
        fill(database, organizations=1)
    assert ask(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("precious",)
    ]


FILL_MUCH = """
import sys
from ppr_assets.demo.sample import fill
from ppr_assets.settings import DatabaseSettings, Secret
host, port, user, dbname = sys.argv[1:]
fill(DatabaseSettings(host, int(port), user, dbname, None, Secret("")), organizations=50_000)
"""


def test_a_fill_that_is_killed_leaves_an_empty_database(empty_database: EmptyDatabase) -> None:
    database = empty_database()
    arguments = (database.host, str(database.port), database.user, database.dbname)
    busy = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database.dbname}'"
    with subprocess.Popen([sys.executable, "-c", FILL_MUCH, *arguments]) as filler:
        wait_until(lambda: ask(database, f"{busy} AND query LIKE 'COPY%'") == [(1,)])
        filler.kill()
    wait_until(lambda: ask(database, busy) == [(1,)])
    assert ask(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 2200") == [(0,)]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("organizations", [0, -1])
def test_a_sample_without_organizations_is_refused(
    database: DatabaseSettings, organizations: int
) -> None:
    with pytest.raises(ValueError, match="at least one organization"):
        fill(database, organizations=organizations)


def test_copies_of_a_sample_are_independent(sample_database: SampleDatabase) -> None:
    one, other = sample_database(), sample_database()
    with connect(one) as session:
        session.execute("DELETE FROM organization")
    assert ask(other, "SELECT count(*) FROM organization") == [(200,)]


def test_the_sample_has_no_address_that_could_belong_to_somebody(
    database: DatabaseSettings,
) -> None:
    assert ask(database, "SELECT count(*) FROM phone WHERE number NOT LIKE '%) 555-01__'") == [(0,)]
    assert ask(
        database,
        "SELECT count(*) FROM (SELECT email FROM organization UNION ALL SELECT email FROM contact"
        " UNION ALL SELECT website FROM organization UNION ALL SELECT url FROM url) a"
        " WHERE email NOT LIKE '%.example.org'",
    ) == [(0,)]
