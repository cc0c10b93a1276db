"""Some rows of a dump are brought back into a database at work, and the undo patch takes them away
again: at random, beside other writers, and killed on the way."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.errors import Busy, PreconditionFailed, RestoreFailed
from ppr_assets.operations.patching.apply import AppliedPatch, apply_patch
from ppr_assets.operations.patching.plan import ChosenRows, PatchPlan, plan_patch
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.rules.patch.changes import RowChange, counts
from ppr_assets.rules.patch.text import patch_text
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_old_dumps import MAJORS, OldDump
from ppr_assets_tests.fix_postgres import Databases, SampleDatabase
from ppr_assets_tests.fix_restore import MadeDump, content, make_dump

EDITS = (
    "DELETE FROM organization WHERE id IN (SELECT id FROM organization ORDER BY {order} LIMIT 2)",
    "DELETE FROM location WHERE id IN (SELECT id FROM location ORDER BY {order} LIMIT 3)",
    "DELETE FROM service WHERE id IN (SELECT id FROM service ORDER BY {order} LIMIT 3)",
    "DELETE FROM phone WHERE id IN (SELECT id FROM phone ORDER BY {order} LIMIT 5)",
    "UPDATE organization SET name = name || E' it''s \\\\ new' || chr(10), email = NULL "
    "WHERE id IN (SELECT id FROM organization ORDER BY {order} LIMIT 3)",
    "UPDATE location SET organization_id = (SELECT id FROM organization ORDER BY {order} LIMIT 1), "
    "latitude = latitude + 0.5 WHERE id IN (SELECT id FROM location ORDER BY {order} LIMIT 3)",
    "UPDATE service SET organization_id = (SELECT id FROM organization ORDER BY {order} LIMIT 1), "
    "program_id = NULL WHERE id IN (SELECT id FROM service ORDER BY {order} LIMIT 2)",
    "INSERT INTO organization (id, name, description) "
    "SELECT md5(id || '{seed}'), name, description FROM organization ORDER BY {order} LIMIT 2",
    "INSERT INTO location (id, organization_id, name, location_type) SELECT md5(id || '{seed}'), "
    "organization_id, name, location_type FROM location ORDER BY {order} LIMIT 2",
    "INSERT INTO phone (id, location_id, number) SELECT md5(id || '{seed}'), location_id, number "
    "FROM phone ORDER BY {order} LIMIT 3",
    "UPDATE organization SET parent_organization_id = "
    "(SELECT id FROM organization ORDER BY {order} LIMIT 1) "
    "WHERE id IN (SELECT id FROM organization ORDER BY {order} DESC LIMIT 2)",
)
TABLES = ("organization", "location", "service", "phone", "taxonomy_term", "schedule")
ROUNDS = 12
"""Of the suite; a campaign goes on."""


@pytest.fixture
def living(sample_database: SampleDatabase) -> DatabaseSettings:
    return sample_database(20, seed=5)


@pytest.fixture
def made(living: DatabaseSettings, tmp_path: Path) -> MadeDump:
    """A dump of the living database, before anything happens to it."""
    return make_dump(living, tmp_path / "pantry_pirate_radio_2026-11-22_02-00-00.sql")


def execute(database: DatabaseSettings, *statements: str) -> None:
    with connect(database) as session:
        for statement in statements:
            session.execute(statement.encode())


def now(database: DatabaseSettings) -> str:
    with connect(replace(database, user="postgres")) as session:
        return content(session)


def value(database: DatabaseSettings, query: str) -> object:
    with connect(database) as session:
        row = session.execute(query.encode()).fetchone()
        return row[0] if row else None


def planned(database: DatabaseSettings, made: MadeDump, chosen: ChosenRows) -> PatchPlan:
    return plan_patch(database, made.found(made.path.parent), chosen)


def applied(database: DatabaseSettings, plan: PatchPlan, undo: Path) -> AppliedPatch:
    def text(changes: Sequence[RowChange]) -> str:
        return patch_text(["undo"], changes, plan.frame)

    return apply_patch(database, plan, undo, text)


def psql(database: DatabaseSettings, file: Path) -> subprocess.CompletedProcess[str]:
    call = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(file)]
    environment = client_environment(database)
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)


def test_random_patches_are_undone_to_the_last_byte(
    living: DatabaseSettings, made: MadeDump, tmp_path: Path, campaign: Campaign
) -> None:
    changed: list[bool] = []
    for seed in map(campaign.seed.__add__, campaign.rounds(ROUNDS)):
        draw = random.Random(seed)
        order = f"md5(id || '{seed}')"
        edits = draw.sample(EDITS, 3)
        execute(living, *(edit.format(order=order, seed=seed) for edit in edits))
        table = draw.choice(TABLES)
        where = draw.choice((None, "id < '8'", f"md5(id || '{seed}') > 'c'"))
        chosen = ChosenRows(table, where, delete=draw.random() < 0.6, triggers=False)
        before = now(living)
        plan = planned(living, made, chosen)
        changed.append(bool(plan.changes))
        if not plan.changes:
            continue
        undo = tmp_path / f"{seed}.sql"
        assert applied(living, plan, undo).otherwise == 0
        if sum(changed) % 10 == 1:
            again = planned(living, made, chosen)
            assert again.changes == [], (seed, chosen, counts(again.changes))
        said = psql(living, undo)
        assert (said.returncode, said.stderr) == (0, ""), (seed, chosen, said.stderr)
        assert now(living) == before, (seed, chosen)
        if draw.random() < 0.5:  # the next ones begin from what was brought back
            applied(living, plan, tmp_path / f"{seed}_again.sql")
    assert sum(changed) > len(changed) / 2


KINDS = r"""
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN counted AS int CHECK (value > 0);
CREATE TABLE "Sel""ect $row$" (id uuid, "UPPER 'x'" text, b boolean, n numeric, f real,
  d double precision, big bigint, bytes bytea, j json, jb jsonb, ts timestamp, tz timestamptz,
  ti time, iv interval, dt date, m mood, p pair, c counted, texts text[], grid int[], moods mood[],
  r int4range, ip inet, bits bit(5), mo money, pt point, words tsvector, ch char(5), kind regclass,
  types regtype[], twice int GENERATED ALWAYS AS (c * 2) STORED,
  PRIMARY KEY (id, "UPPER 'x'"));
INSERT INTO "Sel""ect $row$" VALUES ('00000000-0000-0000-0000-000000000001', E'a\t\n\n''é', true,
  'NaN', 'NaN', 'Infinity', 9223372036854775807, '\x00ff5c27', '{"a":  1, "a": null}', '{"b": [1]}',
  'infinity', '-infinity', '24:00', '1 year -3 days 04:05:06.789', '4713-01-01 BC', 'it''s ok',
  '(1,"x''y")', 3, '{"a,b",NULL,"NULL","q\"x",""}', '{{1,2},{3,4}}', '{sad,"it''s ok"}', '[1,5)',
  '10.0.0.1/8', '10101', '$1,234.56', '(1.5,-2)', 'a:1 ''b c'':2', 'ab', 'organization',
  '{mood,pair}');
INSERT INTO "Sel""ect $row$" VALUES ('00000000-0000-0000-0000-000000000001', ''),
  ('00000000-0000-0000-0000-000000000002', 'NULL');
"""


def test_values_of_every_kind_come_back_and_go_again(
    living: DatabaseSettings, tmp_path: Path
) -> None:
    execute(living, KINDS)
    made = make_dump(living, tmp_path / "pantry_pirate_radio_2026-11-22_02-00-00.sql")
    whole, table = now(living), '"Sel""ect $row$"'
    names = (
        "b n f d big bytes j jb ts tz ti iv dt m p c texts grid moods r ip bits mo pt words ch "
        "kind types"
    )
    nulls = ", ".join(f"{one} = NULL" for one in names.split(" "))
    for at, edit in enumerate((f"DELETE FROM {table} WHERE b", f"UPDATE {table} SET {nulls}")):
        execute(living, edit)
        before = now(living)
        plan = planned(living, made, ChosenRows(table))
        assert not [one for one in plan.remarks if " in the dump" in one]
        file, undo = tmp_path / f"{at}.sql", tmp_path / f"{at}.undo.sql"
        file.write_text(patch_text([], plan.steps, plan.frame))
        assert applied(living, plan, undo).otherwise == 0
        assert now(living) == whole
        assert planned(living, made, ChosenRows(table)).changes == []
        for text, expected in ((undo, before), (file, whole)):  # by psql, with its own search path
            done = psql(living, text)
            assert (done.returncode, done.stderr) == (0, "")
            assert now(living) == expected


def test_a_circle_comes_back_and_goes_again(living: DatabaseSettings, tmp_path: Path) -> None:
    execute(
        living,
        "CREATE TABLE team (id int PRIMARY KEY, head int, updates int DEFAULT 0)",
        "CREATE TABLE member (id int PRIMARY KEY, team int NOT NULL REFERENCES team (id))",
        "ALTER TABLE team ADD FOREIGN KEY (head) REFERENCES member (id)",
        "INSERT INTO team VALUES (1), (2)",
        "INSERT INTO member VALUES (10, 1), (20, 2)",
        "UPDATE team SET head = id * 10",
    )
    made = make_dump(living, tmp_path / "pantry_pirate_radio_2026-11-22_02-00-00.sql")
    whole = now(living)
    execute(living, "UPDATE team SET head = NULL", "DELETE FROM member", "DELETE FROM team")
    before = now(living)
    plan = planned(living, made, ChosenRows("team"))
    undo = tmp_path / "undo.sql"
    assert applied(living, plan, undo).otherwise == 0
    assert now(living) == whole
    assert psql(living, undo).returncode == 0
    assert now(living) == before

    execute(
        living,
        "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.updates = OLD.updates + 1; RETURN NEW; END'",
        "CREATE TRIGGER counted BEFORE UPDATE ON team FOR EACH ROW EXECUTE FUNCTION counted()",
    )
    before = now(living)
    undo = tmp_path / "beside_a_trigger.sql"
    assert applied(living, plan, undo).otherwise == 2
    done = psql(living, undo)
    assert (done.returncode, done.stderr) == (0, "")
    assert now(living) == before


ROWS = """
SELECT string_agg(t, chr(10) ORDER BY t) FROM (
  SELECT o::text FROM public.organization o UNION ALL SELECT l::text FROM public.location l
  UNION ALL SELECT s::text FROM public.service s) every (t)
"""


@pytest.mark.parametrize("major", [MAJORS[0], MAJORS[-1]])
def test_rows_come_back_from_a_dump_of_an_old_server(
    major: int, databases: Databases, tmp_path: Path
) -> None:
    database = databases.create()
    path = tmp_path / "old.sql"
    path.write_bytes(OldDump(major).sql)
    subprocess.run(
        ["psql", "-X", "-q", "-f", str(path)],
        env=client_environment(replace(database, user="postgres")),
        capture_output=True,
        check=True,
    )
    owner = replace(database, user="postgres")
    whole = value(owner, ROWS)
    execute(
        owner,
        "SET session_replication_role = replica",  # it has a trigger that refuses
        "UPDATE public.organization SET name = 'x', main_location_id = NULL",
        "DELETE FROM public.location",
    )
    before = value(owner, ROWS)
    plan = plan_patch(
        owner,
        FoundDump(path.name, path, None, None, tmp_path),
        ChosenRows("organization", triggers=False),
    )
    undo = tmp_path / "undo.sql"
    applied(owner, plan, undo)
    assert before != whole
    assert value(owner, ROWS) == whole
    done = psql(owner, undo)
    assert (done.returncode, value(owner, ROWS)) == (0, before), done.stderr
    databases.drop(database)


def _one_name(living: DatabaseSettings, made: MadeDump) -> tuple[str, PatchPlan]:
    """The id of an organization that is called otherwise by now, and what would bring it back."""
    one = str(value(living, "SELECT min(id) FROM organization"))
    execute(living, f"UPDATE organization SET name = 'spoilt' WHERE id = '{one}'")
    return one, planned(living, made, ChosenRows("organization", key=one, triggers=False))


def test_what_somebody_has_changed_since_is_never_overwritten(
    living: DatabaseSettings, made: MadeDump, tmp_path: Path
) -> None:
    one, plan = _one_name(living, made)
    file, undo = tmp_path / "patch.sql", tmp_path / "undo.sql"
    file.write_text(patch_text([], plan.steps, plan.frame))
    execute(living, f"UPDATE organization SET name = 'newer' WHERE id = '{one}'")
    before = now(living)
    with pytest.raises(Busy, match="somebody has changed organization"):
        applied(living, plan, undo)
    by_psql = psql(living, file)
    assert by_psql.returncode == 3
    assert "is not as it was when this patch was made" in by_psql.stderr
    assert (now(living), undo.exists()) == (before, False)


def test_a_row_that_somebody_works_on_is_waited_for_a_second_and_no_longer(
    living: DatabaseSettings, made: MadeDump, tmp_path: Path
) -> None:
    one, plan = _one_name(living, made)
    undo = tmp_path / "undo.sql"
    with connect(living) as other:
        other.execute(f"SELECT FROM organization WHERE id = '{one}' FOR UPDATE".encode())
        with pytest.raises(Busy, match="somebody works on the same rows"):
            applied(living, plan, undo)
    assert not undo.exists()
    applied(living, plan, undo)
    assert value(living, f"SELECT name FROM organization WHERE id = '{one}'") != "spoilt"


def test_killed_before_the_commit_nothing_was_changed(
    living: DatabaseSettings, made: MadeDump, tmp_path: Path
) -> None:
    _, plan = _one_name(living, made)
    before, undo = now(living), tmp_path / "undo.sql"

    def killed(_: Sequence[RowChange]) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    process = multiprocessing.get_context("fork").Process(
        target=apply_patch, args=(living, plan, undo, killed)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert (now(living), [*tmp_path.glob("undo*")]) == (before, [])
    applied(living, plan, undo)  # its locks have gone as well
    assert now(living) != before


def test_writers_at_work_lose_nothing_that_the_patch_has_not_shown(
    living: DatabaseSettings, made: MadeDump, tmp_path: Path
) -> None:
    """Each counts on in a row of its own. What a patch that goes through has replaced is what it
    was made against; else it is refused, and the row stays the writer's."""
    query = "SELECT pg_catalog.array_agg(id) FROM (SELECT id FROM phone ORDER BY id LIMIT 3) p"
    rows = value(living, query)
    assert isinstance(rows, list)
    stop = threading.Event()

    def write(one: str) -> None:
        count = 0
        with connect(living, autocommit=True) as session:
            while not stop.is_set():
                count += 1
                session.execute("UPDATE phone SET number = %s WHERE id = %s", [f"n{count}", one])

    chosen = ChosenRows("phone", "id IN (SELECT id FROM phone ORDER BY id LIMIT 3)")
    threads = [threading.Thread(target=write, args=[one]) for one in rows]
    for thread in threads:
        thread.start()
    refused = 0
    try:
        for number in range(100):
            plan = planned(living, made, chosen)
            undo = tmp_path / f"{number}.sql"
            try:
                applied(living, plan, undo)
            except Busy:
                refused += 1
                assert not undo.exists()
            else:
                text = undo.read_text()
                for change in plan.changes:
                    assert f"SET number = {(change.before or ())[change.set[0]]}" in text
            if refused > 3:
                break
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert refused > 3
    last = planned(living, made, chosen)
    applied(living, last, tmp_path / "last.sql")
    assert planned(living, made, chosen).changes == []


def test_a_constraint_or_a_folder_that_refuses_leaves_all_as_it_was(
    living: DatabaseSettings, made: MadeDump, tmp_path: Path
) -> None:
    _, plan = _one_name(living, made)
    before = now(living)
    with pytest.raises(PreconditionFailed, match="cannot be written"):
        applied(living, plan, tmp_path / "nowhere" / "undo.sql")
    check = "ADD CONSTRAINT spoilt CHECK (name = 'spoilt') NOT VALID"
    execute(living, f"ALTER TABLE organization {check}")
    with pytest.raises(RestoreFailed, match="the constraint spoilt refuses the patch"):
        applied(living, plan, tmp_path / "undo.sql")
    execute(living, "ALTER TABLE organization DROP CONSTRAINT spoilt")
    assert now(living) == before
    applied(living, plan, tmp_path / "undo.sql")
    assert (tmp_path / "undo.sql").stat().st_mode & 0o777 == 0o600
