"""A night makes nobody wait: an application reads on, whatever DDL arrives while we count or dump.

Who waits for a table makes everybody wait who comes after. So what is looked at is how long the
application waits, and not how long we do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace

import pytest

from ppr_assets.errors import Busy
from ppr_assets.operations.dumping import proof
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.postgres.snapshot import row_count
from ppr_assets.postgres.snapshot import snapshot as snapshots
from ppr_assets.postgres.snapshot.giving_way import Disturbed
from ppr_assets.postgres.snapshot.row_count import count_rows
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.recorded.parts import Proof
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, TELLS_ITS_VERSION, Pipeline
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import count_records, dump

PSQL = REAL_PG_DUMP.with_name("psql")

LOCKS = "BEGIN; LOCK TABLE organization, language IN ACCESS SHARE MODE; SELECT pg_sleep(60)"
"""What a pg_dump does that reads for a minute, as far as others notice."""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PAUSE_SECONDS", 0.05)


@contextmanager
def application(pipeline: Pipeline) -> Iterator[list[float]]:
    """Reads and writes all along, and notes how long each took in the list that this yields."""
    waits: list[float] = []
    over = threading.Event()

    def work() -> None:
        with connect(pipeline.settings.database, autocommit=True) as session:
            while not over.wait(0.01):
                began = monotonic()
                session.execute("SELECT name FROM organization LIMIT 1")
                session.execute("UPDATE language SET note = note WHERE false")
                waits.append(monotonic() - began)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def first_time(tmp_path: Path, script: str) -> str:
    """A pg_dump that runs ``script`` the first time, before it does its work or instead."""
    once = f"mkdir {tmp_path}/called 2>/dev/null && {{ {script}; }}"
    return f'{TELLS_ITS_VERSION}; {once}; exec {REAL_PG_DUMP} "$@"'


def as_somebody(pipeline: Pipeline, statement: str) -> str:
    variables = client_environment(pipeline.settings.database) | {"PGAPPNAME": "migration"}
    named = " ".join(f"{name}='{value}'" for name, value in variables.items())
    return f'{named} {PSQL} -Xqw -c "{statement}"'


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE organization ADD COLUMN motto text",
        "BEGIN; TRUNCATE organization CASCADE; "
        "INSERT INTO organization VALUES ('1', 'a', '', ''); COMMIT",
        "VACUUM FULL organization",
        "BEGIN; LOCK TABLE organization; COMMIT",
    ],
)
def test_pg_dump_gives_way_to_who_waits_for_it(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path, statement: str
) -> None:
    pipeline.gate(min_records=1, core_share=Decimal(0))
    fake_tool("pg_dump", first_time(tmp_path, f'{PSQL} -Xqw -c "{LOCKS}"; exit 1'))

    def migrate() -> None:
        while not (tmp_path / "called").exists():
            sleep(0.01)
        sleep(0.3)
        began = monotonic()
        with connect(pipeline.settings.database, autocommit=True) as one:
            one.execute(statement.encode())
        took.append(monotonic() - began)

    took: list[float] = []
    thread = threading.Thread(target=migrate)
    thread.start()
    with application(pipeline) as waits:
        outcome = dump(pipeline.settings)
    thread.join()

    assert outcome.status == "staged"
    assert max(waits) < 1
    assert took[0] < 1
    assert outcome.manifest is not None
    assert outcome.manifest.rows["organization"] == pipeline.count("organization")
    assert pipeline.children() == []
    assert pipeline.advisory_locks() == 0


def test_who_comes_again_and_again_is_told_of_in_the_end(
    pipeline: Pipeline, fake_tool: FakeTool
) -> None:
    fake_tool("pg_dump", f'{TELLS_ITS_VERSION}; {PSQL} -Xqw -c "{LOCKS}"; exit 1')
    over = threading.Event()

    def refresh() -> None:
        with connect(pipeline.settings.database, autocommit=True) as one:
            one.execute("SET application_name = 'refresher'")
            while not over.wait(0.05):
                one.execute("BEGIN; LOCK TABLE language; ROLLBACK")

    thread = threading.Thread(target=refresh)
    thread.start()
    before = pipeline.picture()
    with application(pipeline) as waits, pytest.raises(Busy) as busy:
        dump(pipeline.settings)
    over.set()
    thread.join()

    assert busy.value.exit_code == 7
    assert "pantry_pirate_radio (refresher) waited for table language, so" in busy.value.message
    assert busy.value.message.endswith("attempt 5")
    assert max(waits) < 1
    assert pipeline.picture() == before


def test_pg_dump_does_not_go_on_with_nobody_watching(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    watching = "query LIKE '%pg_lock_status%' AND pid <> pg_backend_pid()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {watching}"
    fake_tool(
        "pg_dump",
        first_time(
            tmp_path, f'sleep 0.5; {PSQL} -Xqw -c "{end}" >/dev/null; {PSQL} -Xqw -c "{LOCKS}"'
        ),
    )

    began = monotonic()
    outcome = dump(pipeline.settings)

    assert outcome.status == "staged"
    assert (tmp_path / "called").exists()
    assert monotonic() - began < 30
    assert pipeline.children() == []


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("ALTER TABLE language ALTER note TYPE varchar USING note || '!'", {}),
        ("TRUNCATE language", {"language": 0}),
        ("DROP TABLE language CASCADE", {"language": None}),
        ("ALTER TABLE language DROP COLUMN note", {}),
        ("ALTER TABLE language RENAME TO languages", {"language": None}),
        ("CLUSTER language USING language_pkey", {}),
        ("ALTER TABLE language ADD COLUMN motto text DEFAULT 'x'", {}),
        ("DROP INDEX location_organization_id_idx", {}),
    ],
)
def test_what_takes_rows_from_a_snapshot_is_followed_by_a_new_one(
    pipeline: Pipeline,
    fake_tool: FakeTool,
    tmp_path: Path,
    statement: str,
    rows: dict[str, int | None],
) -> None:
    """Between the count and pg_dump. Counted and dumped together they would look equal: none."""
    there = pipeline.count("language")
    fake_tool("pg_dump", first_time(tmp_path, as_somebody(pipeline, statement)))
    outcome = dump(pipeline.settings)
    assert outcome.manifest is not None
    assert outcome.manifest.rows.get("language") == rows.get("language", there)


@pytest.mark.parametrize("statement", ["TRUNCATE language", "DROP TABLE language CASCADE"])
def test_an_emptied_table_is_never_dumped_as_it_was_counted(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(snapshots, "MOST_ATTEMPTS", 1)
    count = Snapshot.count

    def emptied_before(snapshot: Snapshot) -> object:
        pipeline.execute(statement)
        return count(snapshot)

    monkeypatch.setattr(Snapshot, "count", emptied_before)
    with pytest.raises(Disturbed, match=r"^busy: table language was (emptied|dropped)"):
        count_records(pipeline.settings)


def test_a_snapshot_hears_of_what_has_become_of_its_tables(pipeline: Pipeline) -> None:
    with open_snapshot(pipeline.settings.database, exclusive=False, lock_seconds=60) as snapshot:
        snapshot.count()
        pipeline.execute("CREATE INDEX new_one ON service (name); ANALYZE; REINDEX TABLE language")
        pipeline.execute("CREATE TABLE new_table (a int)")
        snapshot.require_untouched()  # of what is new a snapshot does not know
    for statement in ("DROP INDEX new_one", "ALTER TABLE service ADD a int", "TRUNCATE new_table"):
        with open_snapshot(pipeline.settings.database, exclusive=False, lock_seconds=9) as snapshot:
            pipeline.execute(statement)
            with pytest.raises(Disturbed, match=r"^busy: (table|index) [a-z_]+ was "):
                snapshot.require_untouched()


def test_a_table_that_is_locked_when_pg_dump_comes_is_waited_for_without_holding_others(
    pipeline: Pipeline, fake_tool: FakeTool, tmp_path: Path
) -> None:
    locks = as_somebody(pipeline, "BEGIN; LOCK TABLE service; SELECT pg_sleep(2.5)")
    fake_tool("pg_dump", first_time(tmp_path, f"{locks} & sleep 0.4"))
    with application(pipeline) as waits:
        assert dump(pipeline.settings).status == "staged"
    assert max(waits) < 1


def test_nothing_is_locked_between_counting_and_dumping_and_while_a_dump_is_proven(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[object, ...]] = []

    def look() -> None:
        query = (
            "SELECT l.locktype, l.relation::regclass::text, l.mode, a.backend_xmin::text "
            "FROM pg_stat_activity a LEFT JOIN pg_locks l USING (pid) WHERE a.datname = "
            "current_database() AND application_name = 'ppr_assets' AND pid <> pg_backend_pid()"
        )
        with connect(pipeline.settings.database) as session:
            seen.extend(session.execute(query).fetchall())

    def drill(*_: object, **__: object) -> SimpleNamespace:
        look()
        return SimpleNamespace(proof=Proof("server", datetime.now(UTC)), schema=None)

    def exported(snapshot: Snapshot) -> str:
        look()
        return export(snapshot)

    export = Snapshot.export
    dump(pipeline.settings)
    pipeline.change()
    monkeypatch.setattr(Snapshot, "export", exported)
    monkeypatch.setattr(proof, "drill", drill)
    pipeline.gate(proof="server")
    dump(pipeline.settings)

    before, after = seen[:-1], seen[-1:]
    assert {kind for kind, *_ in before} == {"advisory", "virtualxid"}
    assert [(kind, xmin) for kind, _, _, xmin in after] == [("advisory", None)]


def test_a_table_that_takes_long_is_counted_in_pieces_that_hold_it_for_a_moment(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.execute(
        "CREATE TABLE long_one AS SELECT g, repeat('x', 100) AS t FROM generate_series(1, 300000) g"
    )
    pipeline.execute("DELETE FROM long_one WHERE g % 7 = 0")
    monkeypatch.setattr(row_count, "HOLD_SECONDS", 0.008)
    monkeypatch.setattr(row_count, "FIRST_PAGES", 64)
    with open_snapshot(pipeline.settings.database, exclusive=False, lock_seconds=60) as snapshot:
        (table,) = [table for table in snapshot.tables if table.name == "long_one"]
        pipeline.execute(["DELETE FROM long_one WHERE g % 2 = 0", " VACUUM long_one"][0])
        assert count_rows(snapshot.connection, table, seconds=60) == 300000 - 300000 // 7
        assert snapshot.export()  # none can be exported below a savepoint that is still there
        pipeline.execute("TRUNCATE long_one")
        with pytest.raises(Disturbed, match="emptied or rewritten"):
            count_rows(snapshot.connection, table, seconds=60)
        assert snapshot.connection.execute("SELECT 1").fetchone() == (1,)
