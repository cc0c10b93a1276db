"""A standby takes no restore, and says so; a dump of it is proven on an embedded server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.postgres import embedded
from ppr_assets_tests.fix_restore import RESTORER, MadeDump, Target, create_restorer


def test_a_standby_is_no_place_for_a_restore_and_does_not_keep_a_dump_from_being_proven(
    server_folder: Path, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    data_dir = server_folder / "postgres"
    server = embedded.start(data_dir)
    create_restorer(server)
    target = Target(server.database_settings("pantry_pirate_radio", RESTORER))
    restore(target.settings, old_dump.found(tmp_path), deadline=Deadline(60))
    server.stop()
    signal, owner = data_dir / "standby.signal", data_dir.stat()
    signal.touch()
    os.chown(signal, owner.st_uid, owner.st_gid)
    embedded.start(data_dir)
    databases, found = target.databases(), new_dump.found(tmp_path)
    for way in (restore, restore_in_place):
        with pytest.raises(PreconditionFailed, match=r"^this server is a standby: ") as refused:
            way(target.settings, found, deadline=Deadline(60))
        assert "POSTGRES_HOST" in refused.value.hint
    assert target.databases() == databases
    assert target.content() == old_dump.content

    proven = drill(ProofPlace(target.settings, "server"), found, deadline=Deadline(60))
    assert proven.proof.where == "embedded"
