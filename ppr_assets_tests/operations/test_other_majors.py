"""Dumps between servers that really are of different major versions: up, and never down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.demo.sample import fill
from ppr_assets.errors import DumpUnproven, PreconditionFailed
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_restore import (
    NAMES,
    MadeDump,
    MakeTarget,
    Target,
    but_for_words,
    make_dump,
)


def test_a_dump_of_a_newer_server_is_refused_before_anything(
    debian_server: DebianServer,
    debian_database: Callable[[], DatabaseSettings],
    new_dump: MadeDump,
    tmp_path: Path,
) -> None:
    target = Target(debian_database())
    have = debian_server.major
    databases, content = target.databases(), target.content()
    words = rf"this server is PostgreSQL {have}, the dump is of 18\.\d+ and needs 18 or newer"
    found = new_dump.found(tmp_path)
    for way in (restore, restore_in_place):
        with pytest.raises(PreconditionFailed, match=f"^{words}$") as refused:
            way(target.settings, found, deadline=Deadline(60))
        assert "nothing was changed" in refused.value.hint
    with pytest.raises(DumpUnproven, match=f"was not restored: {words}$"):
        drill(ProofPlace(target.settings, "server"), found, deadline=Deadline(60))
    assert (target.databases(), target.content()) == (databases, content)


def test_a_dump_of_an_older_server_is_restored_to_a_newer_one(
    debian_database: Callable[[], DatabaseSettings], make_target: MakeTarget, tmp_path: Path
) -> None:
    older = debian_database()
    fill(older, organizations=60, seed=3, published_only=True)
    made = make_dump(older, tmp_path / NAMES[0])
    target = make_target()
    outcome = restore(target.settings, made.found(tmp_path), deadline=Deadline(60))
    assert outcome.tables == made.manifest.tables
    remarks = but_for_words(outcome.remarks)
    assert [one for one in remarks if "where the dump is from" not in one] == []
    again = dump_to(target.settings, tmp_path / "again.sql")
    assert again.written.tables == made.manifest.tables
