"""Where a replay goes: never over records that nobody let go, and nothing of it stays half made."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged, GateRefused, NoRecords, PreconditionFailed
from ppr_assets.operations.replaying.rebuild import rebuild
from ppr_assets.operations.replaying.terms import NOT_REPLACED, RebuildOutcome, RebuildTerms
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_restore import MadeDump, MakeTarget, Target
from ppr_assets_tests.operations.replaying.test_replay import (
    content,
    emptied,
    given,
    named,
    publish,
)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Sixty pantries of one day, as many as the sample has."""
    folder = tmp_path / "records"
    for number in range(60):
        where = {"name": f"Hall {number}", "latitude": 20.0 + number / 2, "longitude": -90.0}
        publish(folder, "2025-08-08", "care", number, named(f"Pantry {number}", locations=[where]))
    return folder


class Rebuild:
    """Replays ``records`` into a target under terms."""

    def __init__(self, records: Path) -> None:
        self.records = records

    def __call__(self, target: Target, **terms: object) -> RebuildOutcome:
        settings = Settings.from_environment(
            {
                "POSTGRES_HOST": target.settings.host,
                "POSTGRES_PORT": str(target.settings.port),
                "POSTGRES_USER": target.settings.user,
                "POSTGRES_DB": target.settings.dbname,
                "POSTGRES_PASSWORD": target.settings.require_password().reveal(),
            },
            dotenv=None,
        )
        allowed = RebuildTerms(**terms)  # type: ignore[arg-type]
        return rebuild(settings, target.settings, given(self.records), allowed)


@pytest.fixture
def rebuild_it(records: Path) -> Rebuild:
    return Rebuild(records)


def of(dump: MadeDump) -> Wanted:
    return Wanted(source=str(dump.path))


def counts(target: Target, table: str) -> int:
    with target.administered(target.settings.dbname) as session:
        row = session.execute(f"SELECT count(*) FROM public.{table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_database_that_is_missing_is_made_with_the_tables_of_a_dump_and_none_of_its_rows(
    make_target: MakeTarget, rebuild_it: Rebuild, new_dump: MadeDump
) -> None:
    """The role may make databases, and nothing else that another one may not."""
    target = make_target(seed=None)
    with pytest.raises(PreconditionFailed, match="is not there, and nobody has said which") as told:
        rebuild_it(target)
    assert told.value.hint.startswith(
        f"`ppr-assets replay --into {target.settings.dbname} --schema latest` makes it with"
    )
    assert target.settings.dbname not in dict(target.databases())

    outcome = rebuild_it(target, schema=of(new_dump))
    assert (outcome.database, outcome.former) == (target.settings.dbname, None)
    assert outcome.schema == new_dump.path.name
    assert counts(target, "organization") == 60
    assert counts(target, "metadata") == 0
    assert any(
        one.startswith(f"no published record tells of rows that `{outcome.schema}` has: ")
        and " of metadata" in one
        for one in outcome.remarks
    )
    with pytest.raises(GateRefused, match="has records, a replay needs an empty one") as refused:
        rebuild_it(target, schema=of(new_dump))
    assert "--replace" in refused.value.hint


def test_tables_are_made_in_a_database_that_has_none_and_used_where_they_are(
    make_target: MakeTarget, rebuild_it: Rebuild, new_dump: MadeDump, tmp_path: Path
) -> None:
    target = make_target(seed=None)
    name, role = target.settings.dbname, target.settings.user
    target.execute(f"CREATE DATABASE {name} OWNER {role}")
    with pytest.raises(PreconditionFailed, match="has no table organization") as told:
        rebuild_it(target)
    assert "--schema latest" in told.value.hint

    rebuild_it(target, schema=of(new_dump))
    assert target.beside() == [], "the one that it replaced had nothing in it"
    first = content(target.settings)
    assert len(first["organization"]) == 60
    tables = "organization, location, service, record_version"
    target.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE", name)
    again = rebuild_it(target, schema=of(new_dump))
    assert again.schema == ""
    assert again.remarks[0] == "the tables that are there were filled, so --schema made none"
    assert content(target.settings) == first

    target.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE", name)
    publish(tmp_path / "nothing", "2025-08-07", "care", 1, {"organization": []})
    with pytest.raises(NoRecords) as nothing:
        Rebuild(tmp_path / "nothing")(target, guard=Guard(for_service=True))
    assert nothing.value.render() == (
        "the replay gives a database without records: 1 files: 0 loaded, 1 empty, 0 rejected of "
        f"a test\nHINT: {NOT_REPLACED}"
    )


def test_a_role_that_may_make_no_database_fills_one_that_somebody_made_for_it(
    owned: Target, rebuild_it: Rebuild, new_dump: MadeDump
) -> None:
    with owned.administered(owned.settings.dbname) as session:
        session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        session.execute(f"ALTER SCHEMA public OWNER TO {owned.settings.user}".encode())
    missing = dataclasses.replace(
        owned, settings=dataclasses.replace(owned.settings, dbname="nowhere")
    )
    with pytest.raises(PreconditionFailed, match="may not create databases") as told:
        rebuild_it(missing, schema=of(new_dump))
    assert told.value.hint.startswith("a role that may has to make it first")

    outcome = rebuild_it(owned, schema=of(new_dump))
    assert outcome.schema == new_dump.path.name
    assert outcome.remarks == [
        "a dump of it would not be published: record-count floor refused the dump: organization "
        "has 60 records, at least 100 needed (SQL_DUMP_MIN_RECORDS)"
    ]
    assert counts(owned, "organization") == 60
    assert counts(owned, "metadata") == 0


def test_a_full_database_is_replaced_on_purpose_and_kept_with_what_it_was_set_to(
    target: Target, rebuild_it: Rebuild
) -> None:
    name, before = target.settings.dbname, target.content()
    target.execute(f"ALTER DATABASE {name} SET work_mem = '7MB'")
    target.execute("DROP ROLE IF EXISTS reads_replays; CREATE ROLE reads_replays")
    target.execute("GRANT SELECT ON organization TO reads_replays", name)
    outcome = rebuild_it(target, replace=True)
    assert outcome.former is not None
    assert target.beside() == [outcome.former]
    assert target.content(outcome.former) == before
    assert counts(target, "organization") == 60
    (told,) = [one for one in outcome.remarks if one.startswith("no published record tells of")]
    assert f"rows that {outcome.former} has: " in told
    assert " of metadata" in told
    with target.administered(name) as session:
        row = session.execute(
            "SELECT has_table_privilege('reads_replays', 'organization', 'SELECT'), "
            "current_setting('work_mem'), "
            "(SELECT reltuples FROM pg_class WHERE relname = 'organization')"
        ).fetchone()
    assert row == (True, "7MB", 60)
    target.drop_formers()
    target.execute("DROP OWNED BY reads_replays", name)
    target.execute("DROP ROLE reads_replays")


def test_what_would_take_records_away_is_refused_and_overridden_with_a_reason(
    target: Target, rebuild_it: Rebuild, records: Path
) -> None:
    before = target.databases(), target.content()
    for left in [*records.rglob("*.json")][7:]:
        left.unlink()
    (records / "daily/2025-08-08/scrapers/care/cut.json").write_text("{")
    with pytest.raises(DumpDamaged, match=r"cut\.json cannot be used"):
        rebuild_it(target, replace=True, strict=True)
    floor = replace(Guard().policy, min_records=10)
    with pytest.raises(GateRefused, match="the replay would take records away: ") as told:
        rebuild_it(target, replace=True, guard=Guard(floor))
    assert "organization would have 7 records, at least 54 needed (60 serve now)" in str(told.value)
    assert "DB_INIT_DAYS_TO_SYNC" in told.value.hint
    assert (target.databases(), target.content()) == before

    override = Override("a new beginning", "command line")
    outcome = rebuild_it(target, replace=True, guard=Guard(floor, override=override))
    assert outcome.override == override
    assert outcome.former is not None
    said = _comment(
        dataclasses.replace(
            target, settings=dataclasses.replace(target.settings, dbname=outcome.former)
        )
    )
    assert "8 published files of a test were replayed in its place although" in said
    assert "a new beginning" in said


KILLED = """
import os, signal, sys
from pathlib import Path
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.published_files import Selection, published_files
from ppr_assets.operations.replaying.rebuild import rebuild
from ppr_assets.operations.replaying.terms import RebuildTerms
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.upsert.staging import Staging
from ppr_assets.settings import Settings
upsert = Staging._upsert
def killed(self, table):
    if table == "service":
        os.kill(os.getpid(), signal.SIGKILL)
    return upsert(self, table)
Staging._upsert = killed
settings = Settings.from_environment(dotenv=None)
files = Selection().of(published_files(Path(sys.argv[1])))
schema = Wanted(source=sys.argv[2]) if sys.argv[2] else None
terms = RebuildTerms(schema=schema, batch=not schema)
rebuild(settings, settings.database, Input(files, "a test"), terms)
"""


def _killed(target: Target, records: Path, schema: str) -> None:
    environment = {
        "POSTGRES_HOST": target.settings.host,
        "POSTGRES_PORT": str(target.settings.port),
        "POSTGRES_USER": target.settings.user,
        "POSTGRES_DB": target.settings.dbname,
        "POSTGRES_PASSWORD": target.settings.require_password().reveal(),
    }
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(records), schema],
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_what_a_kill_leaves_half_made_goes_with_the_next_run(
    make_target: MakeTarget, rebuild_it: Rebuild, new_dump: MadeDump
) -> None:
    target = make_target(seed=None)
    _killed(target, rebuild_it.records, str(new_dump.path))
    (half_made,) = target.beside()
    assert "_restoring_" in half_made
    rebuild_it(target, schema=of(new_dump))
    assert target.beside() == []
    assert counts(target, "organization") == 60


def test_a_replay_in_batches_says_that_it_is_unfinished_and_goes_on(
    target: Target, rebuild_it: Rebuild
) -> None:
    emptied(target.settings)
    rebuild_it(target)
    whole = content(target.settings)
    emptied(target.settings)
    target.execute(f"COMMENT ON DATABASE {target.settings.dbname} IS 'ours'")
    _killed(target, rebuild_it.records, "")
    assert counts(target, "organization") == 60
    assert counts(target, "service") == 0
    assert _comment(target).startswith("ours\n")
    with pytest.raises(GateRefused) as told:
        rebuild_it(target)
    assert told.value.render() == (
        f"database {target.settings.dbname} has what an unfinished replay has left\nHINT: the same "
        "command with --batch goes on; --replace fills a new one beside it."
    )

    rebuild_it(target, batch=True)
    assert _comment(target) == "ours"
    assert content(target.settings) == whole
    with pytest.raises(GateRefused, match="has records"):
        rebuild_it(target, batch=True)


def _comment(target: Target) -> str:
    with target.administered() as session:
        row = session.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [target.settings.dbname],
        ).fetchone()
    return row[0] if row else ""
