"""From a database to the data repository, and back from a clone of it: the same bytes again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.plain_sql.dump_file import open_dump
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_nasty import dump_to
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import NAMES, MakeTarget, make_dump

Into = Callable[[], DatabaseSettings]


def _there_and_back(pipeline: Pipeline, into: DatabaseSettings, folder: Path) -> list[str]:
    """Publish, restore from what the remote has, and dump that. Returns the restore's remarks."""
    dumped, published = pipeline.night()
    assert published.status == "published"
    assert dumped.manifest is not None
    source = Wanted(source=pipeline.remote.as_uri())
    with found_dump(pipeline.settings.data_repo, source) as found:
        assert found.path.parent != pipeline.dumps
        outcome = restore(into, found, Terms(drop_old=True), deadline=Deadline(60))
        first = b"".join(open_dump(found.path, name=found.name))
    assert outcome.manifest is not None
    assert outcome.manifest.rows == dumped.manifest.rows
    assert dump_to(into, folder / "again.sql").sql == first
    return outcome.remarks


@pytest.mark.parametrize("there", [True, False])
def test_a_sample_comes_back_byte_by_byte(
    there: bool,
    pipeline: Pipeline,
    temporary_folder: Path,
    make_target: MakeTarget,
    tmp_path: Path,
) -> None:
    target = make_target(seed=2 if there else None)
    assert _there_and_back(pipeline, target.settings, tmp_path) == []


@pytest.mark.parametrize("most", [None, 5_000_000, 2_500_000])
def test_a_nasty_database_comes_back_byte_by_byte(
    most: int | None,
    pipeline: Pipeline,
    temporary_folder: Path,
    nasty_database: DatabaseSettings,
    make_target: MakeTarget,
    tmp_path: Path,
) -> None:
    pipeline.settings = replace(pipeline.settings, database=nasty_database)
    pipeline.gate(max_file_bytes=most)
    assert _there_and_back(pipeline, make_target(seed=None).settings, tmp_path) == []


def test_places_come_back_byte_by_byte_on_a_server_of_another_major(
    pipeline: Pipeline,
    temporary_folder: Path,
    postgis_database: DatabaseSettings,
    debian_database: Into,
    tmp_path: Path,
) -> None:
    pipeline.settings = replace(pipeline.settings, database=postgis_database)
    (remark,) = _there_and_back(pipeline, debian_database(), tmp_path)
    assert remark.startswith('search_path is set to "$user", public, topology for the database')


def test_a_nasty_database_comes_back_in_place_byte_by_byte(
    pipeline: Pipeline, temporary_folder: Path, nasty_database: DatabaseSettings, tmp_path: Path
) -> None:
    pipeline.settings = replace(pipeline.settings, database=nasty_database)
    pipeline.first_night()
    with connect(nasty_database) as session:
        session.execute("DELETE FROM kinds.moments; DROP TABLE awkward, shapes.tree CASCADE")
    with found_dump(pipeline.settings.data_repo, Wanted()) as found:
        restore_in_place(nasty_database, found, deadline=Deadline(60))
        first = found.path.read_bytes()
    assert dump_to(nasty_database, tmp_path / "again.sql").sql == first


def test_places_come_back_in_place_to_whoever_owns_the_extension(
    postgis_database: DatabaseSettings, tmp_path: Path
) -> None:
    """PostGIS remembers its types for as long as a session lasts, also when they are dropped."""
    made = make_dump(postgis_database, tmp_path / NAMES[0])
    restore_in_place(postgis_database, made.found(tmp_path), deadline=Deadline(60))
    assert dump_to(postgis_database, tmp_path / "again.sql").sql == made.sql
