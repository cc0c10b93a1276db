"""A trigger that records logins: our own sessions are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.operations.status import status
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import Target

RECORDING = """
CREATE TABLE public.login (role text, at timestamptz DEFAULT clock_timestamp());
GRANT INSERT, SELECT ON public.login TO PUBLIC;
CREATE FUNCTION public.record_login() RETURNS event_trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.login VALUES (session_user); END $$;
CREATE EVENT TRIGGER recorded ON login EXECUTE FUNCTION public.record_login();
ALTER EVENT TRIGGER recorded ENABLE ALWAYS;
"""


@pytest.fixture
def recorded(pipeline: Pipeline) -> Iterator[Pipeline]:
    """As a superuser, who alone may make such a trigger, and turn it off."""
    pipeline.settings = replace(
        pipeline.settings, database=replace(pipeline.settings.database, user="postgres")
    )
    pipeline.administer(RECORDING)
    yield pipeline
    Target(pipeline.settings.database).drop_formers()


def logins(recorded: Pipeline) -> int:
    """Counted in one of our own sessions, since an application's would be one more."""
    with connect(recorded.settings.database) as session:
        return session.execute("SELECT FROM public.login").rowcount


def test_no_night_changes_what_it_dumps_and_each_dump_restores(recorded: Pipeline) -> None:
    recorded.gate(proof="server")
    rows = logins(recorded)
    first, _ = recorded.night()
    again, _ = recorded.night()
    assert (first.status, again.status) == ("staged", "unchanged")
    assert logins(recorded) == rows

    path = recorded.dumps / recorded.latest()
    assert first.manifest is not None
    found = FoundDump(path.name, path, first.manifest, None, recorded.clone.parent)
    drill(ProofPlace(recorded.settings.database, "server"), found, deadline=Deadline(60))
    assert status(recorded.settings).counts
    restored = restore(recorded.settings.database, found, deadline=Deadline(60))
    assert restored.tables["login"].rows == rows


def test_doctor_names_it_for_a_role_that_may_not_turn_it_off(
    recorded: Pipeline, databases: object
) -> None:
    owner = "pantry_pirate_radio"
    ordinary = replace(recorded.settings.database, user=owner)
    said = {
        one.what: one.detail for one in preconditions(replace(recorded.settings, database=ordinary))
    }
    assert "each fires the login trigger recorded" in said["sessions"]
    of_superuser = {one.what: one.detail for one in preconditions(recorded.settings)}
    assert of_superuser["sessions"] == "with the server itself"
    with connect(ordinary) as session:
        assert session.info.options == ""


def test_one_that_takes_the_name_by_which_pg_dump_is_found_is_told(pipeline: Pipeline) -> None:
    pipeline.administer(
        "CREATE FUNCTION public.renamed() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_catalog.set_config('application_name', 'app', false); END $$;"
        "CREATE EVENT TRIGGER renamed ON login EXECUTE FUNCTION public.renamed()"
    )
    with pytest.raises(PreconditionFailed, match="does not keep its application_name") as caught:
        pipeline.night()
    assert "a trigger can leave out this role" in caught.value.hint


def test_one_that_refuses_the_role_is_told_as_that(pipeline: Pipeline) -> None:
    pipeline.administer(
        "CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF session_user <> 'postgres' THEN RAISE 'not tonight'; END IF; END $$;"
        "CREATE EVENT TRIGGER refusing ON login EXECUTE FUNCTION public.refuse()"
    )
    with pytest.raises(DatabaseUnreachable, match="not tonight") as caught:
        pipeline.night()
    assert caught.value.hint.startswith("a trigger on login of that database refuses role pantry_")
