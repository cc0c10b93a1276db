"""Which rows a patch brings back, and what it leaves alone, on a living server."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.errors import DatabaseFailed, NoRecords, PreconditionFailed, QueryFailed
from ppr_assets.operations.patching.plan import ChosenRows, PatchPlan, plan_patch
from ppr_assets.rules.patch.changes import counts
from ppr_assets.rules.patch.text import patch_text, statement
from ppr_assets.rules.publication.withholding import Withheld
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.fix_restore import MadeDump, content, make_dump

TABLES = """
CREATE TABLE organization (id int); CREATE TABLE location (id int); CREATE TABLE service (id int);
CREATE TABLE place (id int PRIMARY KEY, parent int, name text NOT NULL UNIQUE, email text,
  doubled int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE place ADD CONSTRAINT place_parent FOREIGN KEY (parent) REFERENCES place(id);
CREATE TABLE account (place int REFERENCES place(id) ON DELETE CASCADE, secret text);
CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  place int NOT NULL REFERENCES place(id) ON DELETE CASCADE, at date, shape point);
CREATE TABLE note (visit bigint REFERENCES visit(id), line int, text text,
  PRIMARY KEY (visit, line));
CREATE TABLE ring (id int PRIMARY KEY, next int);
ALTER TABLE ring ADD CONSTRAINT ring_next FOREIGN KEY (next) REFERENCES ring(id);
CREATE TABLE measured (day date, id int, value int, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE measured_2026 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO place VALUES (1, NULL, 'one', 'a@one'), (2, 1, 'two', 'a@two'), (3, 2, 'three', NULL);
INSERT INTO visit (place, at, shape) VALUES (1, '2026-01-01', '(1,2)'), (3, NULL, '(3,4)');
INSERT INTO note VALUES (1, 1, E'it''s \\\\ "quoted" $row$'), (2, 1, NULL);
INSERT INTO ring VALUES (1, NULL), (2, 1);
UPDATE ring SET next = 2 WHERE id = 1;
INSERT INTO measured VALUES ('2026-05-01', 1, 10), ('2026-05-02', 1, 20);
"""


@pytest.fixture
def living(databases: Databases) -> Iterator[DatabaseSettings]:
    database = databases.create()
    execute(database, TABLES)
    yield database
    databases.drop(database)


@pytest.fixture
def made(living: DatabaseSettings, tmp_path: Path) -> MadeDump:
    """Of the living database; it has no ``account``, and the values of ``email`` are withheld."""
    execute(
        living, "ALTER TABLE account RENAME TO elsewhere", "UPDATE place SET email = 'withheld'"
    )
    dump = make_dump(living, tmp_path / "pantry_pirate_radio_2026-11-22_02-00-00.sql")
    execute(
        living,
        "ALTER TABLE elsewhere RENAME TO account",
        "UPDATE place SET email = 'me@' || name",
    )
    withheld = (Withheld("place", "email", "replaced", 3, "withheld"),)
    return dataclasses.replace(dump, manifest=replace(dump.manifest, withheld=withheld))


def execute(database: DatabaseSettings, *statements: str) -> None:
    with connect(database) as session:
        for one in statements:
            session.execute(one.encode())


def planned(database: DatabaseSettings, made: MadeDump, chosen: ChosenRows) -> PatchPlan:
    return plan_patch(database, made.found(made.path.parent), chosen)


def done(plan: PatchPlan) -> list[str]:
    return [f"{change.kind} {change.name}" for change in plan.steps]


@contextmanager
def refused(kind: type[Exception], said: str) -> Iterator[None]:
    with pytest.raises(kind, match=re.escape(said)):
        yield


def test_a_record_comes_with_what_hangs_on_it_and_what_it_refers_to(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(living, "DELETE FROM note; DELETE FROM visit; DELETE FROM place")
    plan = planned(living, made, ChosenRows("place", key="2"))
    order = done(plan)
    assert sorted(order) == [
        "insert note '2', '1'",
        "insert place '1'",
        "insert place '2'",
        "insert place '3'",
        "insert visit '2'",
    ]
    assert order[:3] == ["insert place '1'", "insert place '2'", "insert place '3'"]
    text = patch_text([], plan.steps, plan.frame)
    assert "(id, place, at, shape) OVERRIDING SYSTEM VALUE" in text
    assert "doubled" not in text


def test_a_parent_that_is_there_stays_as_it_is(living: DatabaseSettings, made: MadeDump) -> None:
    execute(living, "UPDATE place SET name = name || '!' WHERE id IN (1, 3)")
    assert done(planned(living, made, ChosenRows("place", key="3"))) == ["update place '3'"]


def test_what_is_withheld_is_neither_overwritten_nor_shown(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(living, "UPDATE place SET name = name || '!'")
    plan = planned(living, made, ChosenRows("place"))
    text = patch_text([], plan.steps, plan.frame)
    assert (text.count("SET name = "), "email" in text, "me@" in text) == (3, False, False)
    assert any(one.startswith("place.email is withheld") for one in plan.remarks)

    execute(
        living,
        "DELETE FROM note",
        "DELETE FROM visit WHERE place = 3",
        "DELETE FROM place WHERE id = 3",
    )
    execute(living, "INSERT INTO place VALUES (9, NULL, 'nine', 'secret@nine')")
    plan = planned(living, made, ChosenRows("place", "id IN (3, 9)", delete=True))
    text = patch_text([], plan.steps, plan.frame)
    assert "'withheld'" in text  # what the dump has goes into a row that is new
    assert ("DELETE FROM ONLY public.place" in text, "secret@nine" in text) == (True, False)


def test_rows_that_the_dump_lacks_stay_unless_they_are_to_go(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(
        living,
        "INSERT INTO place VALUES (4, 3, 'four', NULL)",
        "INSERT INTO visit (place) VALUES (4), (1)",
    )
    plan = planned(living, made, ChosenRows("place", "id > 2"))
    assert (plan.changes, plan.lacking) == ([], {"place": 1, "visit": 1})
    plan = planned(living, made, ChosenRows("place", "id > 2", delete=True))
    assert done(plan) == ["delete visit '3'", "delete place '4'"]


def test_what_no_dump_would_bring_back_is_not_deleted_with_it(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(
        living,
        "INSERT INTO place VALUES (4, NULL, 'four', NULL)",
        "INSERT INTO account VALUES (4, 'private')",
    )
    with refused(PreconditionFailed, "1 rows of account refer to them"):
        planned(living, made, ChosenRows("place", "id = 4", delete=True))
    assert planned(living, made, ChosenRows("place", "id = 4")).lacking == {"place": 1}


def test_a_table_is_never_emptied(living: DatabaseSettings, made: MadeDump) -> None:
    execute(living, "DELETE FROM note; INSERT INTO note VALUES (1, 7, 'new')")
    with pytest.raises(NoRecords) as emptied:
        planned(living, made, ChosenRows("note", "line = 7", delete=True))
    assert emptied.value.render() == (
        "the patch would delete all 1 rows of note\n"
        "HINT: is it the right dump? Leave out --delete, or choose fewer rows."
    )


def test_a_condition_cannot_do_anything_else(living: DatabaseSettings, made: MadeDump) -> None:
    before = _content(living)
    for condition, said in (
        (
            "true); COMMIT; INSERT INTO note SELECT 1, 9 WHERE (true",
            "cannot insert multiple commands",
        ),
        ("pg_catalog.nextval('visit_id_seq') > 0", "cannot execute nextval() in a read-only"),
        ("nothing = 1", 'column "nothing" does not exist'),
        ("name ~ '('", "invalid regular expression"),
    ):
        with refused(QueryFailed, f"the server refuses the condition: {said}"):
            planned(living, made, ChosenRows("place", condition))
    assert _content(living) == before
    chosen = ChosenRows("place", "name LIKE 't%' AND place.id % 2 = 0 -- even")
    execute(living, "UPDATE place SET name = 't' || name || 'x' WHERE id <> 1")
    assert done(planned(living, made, chosen)) == ["update place '2'", "update place '3'"]


def test_rows_in_a_circle_wait_with_null_or_for_the_key_or_are_refused(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(living, "UPDATE ring SET next = NULL", "DELETE FROM ring")
    plan = planned(living, made, ChosenRows("ring"))
    assert sorted(done(plan)) == [
        *("insert ring '1'", "insert ring '2'"),
        *("update ring '1'", "update ring '2'"),
    ]
    assert counts(plan.changes) == {"ring": {"insert": 2}}
    execute(living, "ALTER TABLE ring ALTER COLUMN next SET NOT NULL")
    with refused(PreconditionFailed, "rows refer to each other in a circle"):
        planned(living, made, ChosenRows("ring"))
    execute(living, "ALTER TABLE ring ALTER CONSTRAINT ring_next DEFERRABLE")
    plan = planned(living, made, ChosenRows("ring", key="1"))
    assert sorted(done(plan)) == ["insert ring '1'", "insert ring '2'"]
    assert "SET CONSTRAINTS ALL DEFERRED;" in patch_text([], plan.steps, plan.frame)


def test_a_key_that_is_not_valid_yet_is_followed_too(
    living: DatabaseSettings, tmp_path: Path
) -> None:
    execute(
        living,
        "CREATE TABLE stay (id int PRIMARY KEY, place int)",
        "INSERT INTO stay VALUES (1, 3), (2, 99)",
        "ALTER TABLE stay ADD CONSTRAINT s FOREIGN KEY (place) REFERENCES place (id) NOT VALID",
    )
    made = make_dump(living, tmp_path / "pantry_pirate_radio_2026-11-22_02-00-00.sql")
    execute(living, "DELETE FROM stay WHERE id = 1; DELETE FROM note; DELETE FROM visit")
    execute(living, "DELETE FROM place WHERE id = 3")
    plan = planned(living, made, ChosenRows("stay"))  # what refers to nothing goes on doing so
    assert done(plan) == ["insert place '3'", "insert stay '1'"]
    assert "insert stay '1'" in done(planned(living, made, ChosenRows("place", key="3")))
    execute(living, "DELETE FROM stay")
    with refused(PreconditionFailed, "1 of the rows of stay refer to rows of place that neither"):
        planned(living, made, ChosenRows("stay"))


def test_what_may_be_untrue_of_a_foreign_dump_is_said(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(living, "UPDATE visit SET at = NULL")
    found = replace(made.found(made.path.parent), manifest=None)
    (remark,) = plan_patch(living, found, ChosenRows("visit")).remarks
    assert remark.startswith(f"{made.path.name} has no manifest, so that nobody knows what was ")


@pytest.fixture
def helper(living: DatabaseSettings) -> Iterator[DatabaseSettings]:
    """A role that owns nothing."""
    execute(dataclasses.replace(living, user="postgres"), "CREATE ROLE helper LOGIN")
    yield dataclasses.replace(living, user="helper")
    execute(
        dataclasses.replace(living, user="postgres"), "DROP OWNED BY helper", "DROP ROLE helper"
    )


def test_a_role_hears_which_right_it_lacks(
    helper: DatabaseSettings, living: DatabaseSettings, made: MadeDump
) -> None:
    execute(living, "UPDATE place SET name = 'spoilt' WHERE id = 2")
    chosen = ChosenRows("place", key="2")
    for grant, said in (
        ("SELECT 1", "permission denied for table place"),
        ("GRANT SELECT ON place, note TO helper", "permission denied for table visit"),
    ):
        execute(living, grant)
        for one in (chosen, ChosenRows("place")):
            with refused(DatabaseFailed, said):
                planned(helper, made, one)
    execute(living, "GRANT SELECT ON visit TO helper")
    assert done(planned(helper, made, chosen)) == ["update place '2'"]
    execute(
        living,
        "ALTER TABLE visit ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON visit TO helper USING (id = 1)",
    )
    said = 'query would be affected by row-level security policy for table "visit"'
    with refused(DatabaseFailed, said):  # what it may not see would be taken for lost
        planned(helper, made, chosen)


def test_a_table_that_has_changed_since_is_patched_as_far_as_both_have_it(
    living: DatabaseSettings, made: MadeDump
) -> None:
    execute(
        living,
        "UPDATE visit SET at = '2020-01-01' WHERE id = 1",
        "ALTER TABLE visit DROP COLUMN shape",
        "ALTER TABLE visit ADD COLUMN seen text DEFAULT 'no'",
        "ALTER TABLE visit ALTER COLUMN at TYPE timestamp",
    )
    plan = planned(living, made, ChosenRows("visit"))
    assert statement(plan.changes[0]).count("SET at = '2026-01-01 00:00:00' WHERE it.id = '1'") == 1
    assert "visit has no shape here: what the dump has there is left out" in plan.remarks
    assert "visit.at is timestamp without time zone here and date in the dump" in plan.remarks
    execute(living, "ALTER TABLE visit ALTER COLUMN at TYPE int USING 1")
    with refused(PreconditionFailed, "the rows of the dump do not fit the tables here (visit)"):
        planned(living, made, ChosenRows("visit"))


def test_a_partitioned_table_is_one_table(living: DatabaseSettings, made: MadeDump) -> None:
    execute(living, "DELETE FROM measured WHERE value = 10", "UPDATE measured SET value = 21")
    plan = planned(living, made, ChosenRows("measured"))
    assert counts(plan.changes) == {"measured": {"insert": 1, "update": 1}}
    with refused(PreconditionFailed, "measured_2026 is a partition here"):
        planned(living, made, ChosenRows("measured_2026"))


def test_what_cannot_be_found_is_named(living: DatabaseSettings, made: MadeDump) -> None:
    for chosen, said in (
        (ChosenRows("nowhere"), "there is no table `nowhere` in the database, both have "),
        (ChosenRows("account"), "there is no table `account` in the dump, both have "),
        (ChosenRows("place", key="7"), "the dump has no place 7"),
        (ChosenRows("place", key="seven"), "`seven` is not a key of place, which is a integer"),
        (ChosenRows("note", key="1"), "rows of note are known by visit, line together"),
    ):
        with refused(PreconditionFailed, said):
            planned(living, made, chosen)


def _content(database: DatabaseSettings) -> str:
    with connect(dataclasses.replace(database, user="postgres")) as session:
        return content(session)
