"""A role that may enter no database but its own, as on servers that many share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.starting.init import initialise
from ppr_assets.postgres import embedded
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import RESTORER, MadeDump, Target, create_restorer


@pytest.fixture
def confined(server_folder: Path) -> Target:
    server = embedded.start(server_folder / "postgres")
    create_restorer(server)
    server.create_database("pantry_pirate_radio", owner=RESTORER)
    target = Target(server.database_settings("pantry_pirate_radio", RESTORER))
    target.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
    return target


def test_it_restores_in_place_and_is_told_what_it_needs_for_more(
    confined: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    restore_in_place(confined.settings, old_dump.found(tmp_path), deadline=Deadline(60))
    assert confined.content() == old_dump.content

    databases, found = confined.databases(), new_dump.found(tmp_path)
    with pytest.raises(PreconditionFailed) as refused:
        restore(confined.settings, found, deadline=Deadline(60))
    assert refused.value.message == (
        "role restorer may enter neither database postgres nor template1, and one of them is "
        "needed to put another in place"
    )
    assert "--in-place" in refused.value.hint
    proven = drill(ProofPlace(confined.settings, "server"), found, deadline=Deadline(60))
    assert proven.proof.where == "server"
    assert confined.databases() == databases
    assert confined.content() == old_dump.content

    elsewhere = "no session with .*permission denied for database"
    confined.execute("ALTER DATABASE pantry_pirate_radio RENAME TO another")
    with pytest.raises(DatabaseUnreachable, match=elsewhere):
        restore_in_place(confined.settings, found, deadline=Deadline(60))


def test_a_container_that_starts_fills_its_empty_database_in_place(
    confined: Target, pipeline: Pipeline
) -> None:
    pipeline.first_night()
    outcome = initialise(replace(pipeline.settings, database=confined.settings))
    assert outcome.status == "restored"
    assert any(remark.startswith("in place: ") for remark in outcome.remarks)
    assert confined.content() == Target(pipeline.settings.database).content()
