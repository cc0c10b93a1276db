"""The real database's dumps of 2025 come back as they were, by our loader, on a real server."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.loading import UNPROVEN
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.snapshot.snapshot import open_snapshot
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import shipped_policy
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_debian import DebianServer, require_postgis
from ppr_assets_tests.fix_restore import NAMES, make_dump
from ppr_assets_tests.places import SHARED

DUMPS = sorted((SHARED / "data/real-dumps").glob("*.sql.*z"))
CASES = sorted((SHARED / "cases").glob("0[12]-*/setup.sql"))
NO_HURRY = Deadline(None)

pytestmark = pytest.mark.skipif(not DUMPS, reason="../shared is not there")


def _unpacked(packed: Path, folder: Path) -> FoundDump:
    path = folder / packed.stem
    content = packed.read_bytes()
    unpack = gzip.decompress if packed.suffix == ".gz" else lzma.decompress
    path.write_bytes(unpack(content))
    return FoundDump(path.name, path, None, None, folder)


@pytest.fixture
def database(
    debian_server: DebianServer, debian_database: Callable[[], DatabaseSettings]
) -> DatabaseSettings:
    made = debian_database()
    require_postgis(made, debian_server.major)
    return made


def test_real_dumps_restore_equal(database: DatabaseSettings, tmp_path: Path) -> None:
    rows = []
    for packed in DUMPS:
        found = _unpacked(packed, tmp_path)
        outcome = restore(database, found, Terms(drop_old=True), deadline=NO_HURRY)
        said = [one for one in outcome.remarks if not one.startswith("no record came back")]
        assert said == [UNPROVEN], "and not: loaded by psql"
        assert len(outcome.tables) == found.path.read_bytes().count(b"\nCOPY ")
        rows.append(outcome.rows)
    assert rows == [4, 888, 2340]
    with open_snapshot(database, exclusive=False, lock_seconds=5) as snapshot:
        planned = snapshot.with_checks(plan(shipped_policy(), snapshot.relations()))
    planned.require()
    assert any(table.changed for table in planned.tables.values())


def test_the_real_schema_is_proven_with_definitions_that_postgresql_words_anew(
    database: DatabaseSettings, tmp_path: Path
) -> None:
    restore(database, _unpacked(DUMPS[-1], tmp_path), Terms(drop_old=True), deadline=NO_HURRY)
    with connect(database, autocommit=True) as session:
        for setup in CASES:
            session.execute(setup.read_bytes())
    made = make_dump(database, tmp_path / NAMES[0])
    outcome = drill(ProofPlace(database, "server"), made.found(tmp_path), deadline=NO_HURRY)
    withheld, remark = sorted(outcome.remarks, reverse=True)
    assert withheld.startswith("not compared: the dump brings no rows of ")
    assert remark.startswith("6 of 371 definitions have other words than in the dump")
    assert outcome.tables == made.manifest.tables
