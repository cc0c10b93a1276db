"""In place of the tables themselves: all or nothing, held to the dump before anything counts."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import (
    DumpUnproven,
    PreconditionFailed,
    RestoreFailed,
)
from ppr_assets.operations.restoring.in_place import COST, restore_in_place
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_pipeline import settled
from ppr_assets_tests.fix_restore import (
    NAMES,
    RESTORER,
    MadeDump,
    MakeTarget,
    Target,
    make_dump,
)

TAKE_AWAY = """
CREATE FUNCTION public.take_away() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN {}; END $$;
CREATE EVENT TRIGGER take_away ON ddl_command_end WHEN TAG IN ('{}')
EXECUTE FUNCTION public.take_away()
"""


def in_place(target: DatabaseSettings, found: FoundDump) -> RestoreOutcome:
    return restore_in_place(target, found, deadline=Deadline(60))


def test_in_place_what_is_in_the_way_is_named(
    owned: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    with connect(owned.settings, autocommit=True) as session:
        session.execute("CREATE VIEW of_its_own AS SELECT * FROM organization")
    with pytest.raises(
        RestoreFailed,
        match=r"^what is there could not be removed: cannot drop table .*organization because "
        r"other objects depend on it; view .*of_its_own depends on table",
    ) as refused:
        in_place(owned.settings, new_dump.found(tmp_path))
    assert "drop that first" in refused.value.hint
    with connect(owned.settings, autocommit=True) as session:
        session.execute("DROP VIEW of_its_own")
    assert owned.content() == old_dump.content


def test_in_place_a_database_that_is_missing_has_to_be_made_first(
    owned: Target, make_target: MakeTarget, new_dump: MadeDump, tmp_path: Path
) -> None:
    found, databases = new_dump.found(tmp_path), owned.databases()
    missing = dataclasses.replace(owned.settings, dbname="not_there")
    for settings in (missing, make_target(seed=None).settings):
        with pytest.raises(PreconditionFailed, match="is not there, and a restore in") as refused:
            in_place(settings, found)
        creates = settings.user == RESTORER
        assert ("leave out --in-place" in refused.value.hint) == creates
        assert ("CREATE DATABASE" in refused.value.hint) == (not creates)
    with pytest.raises(PreconditionFailed, match="may not create databases") as refused:
        restore(missing, found, deadline=Deadline(60))
    assert "CREATE DATABASE" in refused.value.hint
    assert "--in-place" not in refused.value.hint
    assert owned.databases() == databases


def test_in_place_sequences_are_held_to_the_dump_before_anything_counts(
    owned: Target,
    old_dump: MadeDump,
    make_target: MakeTarget,
    tmp_path: Path,
) -> None:
    drawing = dataclasses.replace(make_target().settings, user="postgres")
    with connect(drawing, autocommit=True) as session:
        session.execute("CREATE SEQUENCE number")
        session.execute("CREATE MATERIALIZED VIEW drawn AS SELECT nextval('public.number')")
    found = make_dump(drawing, tmp_path / NAMES[0]).found(tmp_path)
    with pytest.raises(DumpUnproven, match=r"sequence public\.number is at 2, the dump has 1"):
        in_place(owned.settings, found)
    assert owned.content() == old_dump.content


@pytest.mark.parametrize(
    ("tag", "statement", "difference"),
    [
        (
            "CREATE INDEX",
            "DROP INDEX IF EXISTS public.location_organization_id_idx",
            "index public.location_organization_id_idx is missing",
        ),
        (
            "CREATE INDEX",
            "UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid = to_regclass('public.location_organization_id_idx')",
            "index public.location_organization_id_idx is not valid",
        ),
        (
            "ALTER TABLE",
            "UPDATE pg_constraint SET convalidated = false "
            "WHERE conname = 'location_organization_id_fkey'",
            "fk constraint public.location location_organization_id_fkey is not valid",
        ),
        (
            "CREATE TRIGGER",
            "DROP TRIGGER IF EXISTS location_touch ON public.location",
            "trigger public.location location_touch is missing",
        ),
    ],
)
def test_in_place_objects_are_held_to_the_dump_before_anything_counts(
    tag: str, statement: str, difference: str,
    owned: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path,
) -> None:  # fmt: skip
    with connect(dataclasses.replace(owned.settings, user="postgres"), autocommit=True) as session:
        session.execute(TAKE_AWAY.format(statement, tag))
    with pytest.raises(DumpUnproven, match=re.escape(difference)):
        in_place(owned.settings, new_dump.found(tmp_path))
    assert owned.content() == old_dump.content


def test_in_place_a_dump_without_a_manifest_is_said_to_be_unproven(
    owned: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    found = replace(new_dump.found(tmp_path), manifest=None)
    outcome = in_place(owned.settings, found)
    assert owned.content() == new_dump.content
    assert any("unproven" in remark for remark in outcome.remarks)


def test_a_deadline_passes_in_place_while_somebody_holds_a_lock(
    owned: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    with connect(owned.settings) as reader:
        reader.execute("SELECT count(*) FROM organization")
        began = time.monotonic()
        with pytest.raises(RestoreFailed, match=r"^not done within the deadline of 0.5 s"):
            restore_in_place(owned.settings, new_dump.found(tmp_path), deadline=Deadline(0.5))
        assert time.monotonic() - began < 30, "it waited for the lock"
        reading = (owned.settings.dbname, "SELECT count(*) FROM organization")
        assert settled(lambda: [one for one in owned.sessions() if one != reading]) == []
        assert owned.sessions() == [reading]
    assert owned.content() == old_dump.content
    in_place(owned.settings, new_dump.found(tmp_path))
    assert owned.content() == new_dump.content


def test_while_it_waits_for_somebody_in_place_nobody_queues_behind_it(
    owned: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    """A reader stays on one table; who reads that one or another goes on."""
    waits: list[float] = []
    over = threading.Event()

    def read() -> None:
        with connect(owned.settings, autocommit=True) as session:
            while not over.wait(0.01):
                began = time.monotonic()
                session.execute("SELECT 1 FROM organization LIMIT 1")
                session.execute("SELECT 1 FROM service LIMIT 1")
                waits.append(time.monotonic() - began)

    application = threading.Thread(target=read)
    with connect(owned.settings) as staying:
        staying.execute("SELECT 1 FROM service LIMIT 1")
        application.start()
        try:
            with pytest.raises(RestoreFailed, match="waiting for tables that others have locked"):
                restore_in_place(owned.settings, new_dump.found(tmp_path), deadline=Deadline(3))
        finally:
            over.set()
            application.join()
    assert max(waits) < 2  # two statements, of which none waits for a second
    in_place(owned.settings, new_dump.found(tmp_path))
    assert owned.content() == new_dump.content


def test_in_place_an_event_trigger_of_the_target_that_may_have_changed_definitions_is_told(
    owned: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    change = "ALTER TABLE public.url ALTER label SET DEFAULT 'changed'"
    owned.execute(TAKE_AWAY.format(change, "CREATE TRIGGER"), owned.settings.dbname)
    remarks = in_place(owned.settings, new_dump.found(tmp_path)).remarks
    assert COST in remarks
    (told,) = [remark for remark in remarks if "event trigger" in remark]
    assert told.startswith("not compared: what event trigger take_away, which is not in the dump,")
