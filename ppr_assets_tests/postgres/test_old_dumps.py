"""Dumps as upstream has published them since 2025: by other versions of pg_dump, without a key or
a manifest, in any order of rows, and compressed. All of them restore to what they came from."""

from __future__ import annotations

import gzip
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.restoring.in_place import COST, restore_in_place
from ppr_assets.operations.restoring.loading import UNPROVEN
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.plain_sql.verify import VerifiedDump, verify_file
from ppr_assets.postgres.load import load
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_nasty import dump_to, fill_nasty
from ppr_assets_tests.fix_old_dumps import MAJORS, OldDump, contents
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MakeTarget, but_for_words

pytestmark = pytest.mark.slow

KEY = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"


def verify(path: Path) -> VerifiedDump:
    return verify_file(path, name=path.name, manifest=None, spill_folder=path.parent)


def put(old: OldDump, folder: Path) -> FoundDump:
    """The dump in a folder, as a restore takes it."""
    path = folder / old.name
    path.write_bytes(old.sql)
    return FoundDump(path.name, path, None, None, folder)


@pytest.fixture
def published(pipeline: Pipeline) -> Pipeline:
    """A data repository with the dumps of all old servers, as upstream's scripts committed them."""
    dumps = {f"sql_dumps/{old.name}": old.sql.decode() for old in map(OldDump, MAJORS)}
    commit_files(pipeline.clone, "Data update for 2025-08-17 06:56 UTC", dict(dumps))
    return pipeline


def test_there_is_a_dump_of_every_major_that_has_no_server_here() -> None:
    assert MAJORS == (12, 13, 14, 16, 17)


@pytest.mark.parametrize("major", MAJORS)
def test_a_published_dump_of_an_old_server_restores_to_what_that_server_said(
    major: int, published: Pipeline, make_target: MakeTarget
) -> None:
    old, target = OldDump(major), make_target(seed=None)
    with found_dump(published.settings.data_repo, Wanted(dump=old.name)) as found:
        outcome = restore(target.settings, found, deadline=Deadline(60))
    assert (outcome.dump, outcome.manifest) == (old.name, None)
    assert but_for_words(outcome.remarks) == [UNPROVEN], "and not: loaded by psql"
    assert contents(target.settings) == old.contents


@pytest.mark.parametrize("major", [major for major in MAJORS if major < 15])
def test_a_dump_of_an_old_server_restores_on_one_between_it_and_the_newest(
    major: int, debian_database: Callable[[], DatabaseSettings], tmp_path: Path
) -> None:
    old, database = OldDump(major), debian_database()
    outcome = restore(database, put(old, tmp_path), Terms(drop_old=True), deadline=Deadline(60))
    assert but_for_words(outcome.remarks) == [UNPROVEN]
    assert contents(database) == old.contents


@pytest.mark.parametrize("major", [13, 16])
def test_a_dump_of_an_old_server_replaces_in_place_what_its_own_drops_name(
    major: int, make_target: MakeTarget, tmp_path: Path
) -> None:
    target, old = make_target(seed=None), OldDump(major)
    restore(target.settings, put(OldDump(12), tmp_path), deadline=Deadline(60))
    outcome = restore_in_place(target.settings, put(old, tmp_path), deadline=Deadline(60))
    assert outcome.remarks == [UNPROVEN, COST]
    assert contents(target.settings) == old.contents


def test_a_compressed_dump_restores_through_the_symlink_that_upstream_has_for_its_latest(
    pipeline: Pipeline, make_target: MakeTarget
) -> None:
    old, target = OldDump(13), make_target(seed=None)
    pipeline.dumps.mkdir()
    packed = pipeline.dumps / f"{old.name}.gz"
    packed.write_bytes(gzip.compress(old.sql, compresslevel=9))
    (pipeline.dumps / "latest.sql.gz").symlink_to(packed.name)
    git(pipeline.clone, "add", "sql_dumps")
    git(pipeline.clone, "commit", "-q", "-m", "Data update for 2025-08-13 06:56 UTC")
    for wanted in (Wanted(dump="latest.sql.gz"), Wanted()):
        with found_dump(pipeline.settings.data_repo, wanted) as found:
            outcome = restore(target.settings, found, Terms(drop_old=True), deadline=Deadline(60))
        assert (outcome.dump, but_for_words(outcome.remarks)) == (packed.name, [UNPROVEN])
        assert contents(target.settings) == old.contents


@pytest.mark.parametrize("major", MAJORS)
def test_a_dump_of_an_old_server_that_was_cut_anywhere_is_refused(
    major: int, tmp_path: Path, campaign: Campaign
) -> None:
    """Each at a fifth of its boundaries: they are much alike, and so all kinds are cut. In the
    suite at a third of these."""
    step = len(MAJORS) * (3 if campaign.until is None else 1)
    path = put(OldDump(major), tmp_path).path
    layout = verify(path).layout
    boundaries = sorted(
        {at for entry in layout.entries for at in (entry.start, entry.end)}
        | {entry.copy.end for entry in layout.entries if entry.copy}
    )[MAJORS.index(major) :: step]
    dice = random.Random(campaign.seed + major)
    anywhere = dice.sample(range(layout.bytes), 8 if campaign.until is None else 100)
    tail = range(layout.bytes - 60, layout.bytes - 1, 4)  # only the last, blank line may be missing
    for length in sorted({*boundaries, *anywhere, *tail}, reverse=True):
        os.truncate(path, length)
        with pytest.raises(DumpDamaged, match=r"byte \d+|is empty"):
            verify(path)


@pytest.mark.parametrize("major", MAJORS)
def test_a_minor_with_or_without_a_key_writes_the_same_dump(major: int, tmp_path: Path) -> None:
    """Every major got ``\\restrict`` in August 2025; here each is seen with it and without."""
    found = put(OldDump(major), tmp_path)
    first = verify(found.path).layout
    if first.restrict_key:
        line = rb"\n\\(?:un)?restrict %s\n" % first.restrict_key.encode()
        changed, edits = re.subn(line, b"", OldDump(major).sql)
    else:
        changed, edits = re.subn(
            rb"(?<=dump\n--\n)(?=\n)|(?<=complete\n--\n)(?=\n)",
            lambda match: b"\n\\%srestrict %s\n" % (b"" if match.start() < 99 else b"un", KEY),
            OldDump(major).sql,
        )
    assert edits == 2
    found.path.write_bytes(changed)
    layout = verify(found.path).layout
    assert layout.restrict_key == (None if first.restrict_key else KEY.decode())
    assert layout.tables == first.tables
    assert not layout.unrecognised
    assert [(e.kind, e.schema, e.name) for e in layout.entries] == [
        (e.kind, e.schema, e.name) for e in first.entries
    ]


UPSTREAMS = ("--no-owner", "--no-privileges", "--if-exists", "--clean")


@pytest.fixture(scope="module")
def nasty_on_debian(debian_server: DebianServer) -> Iterator[DatabaseSettings]:
    """The nasty database on the older server, read only."""
    debian_server.execute("CREATE DATABASE nasty")
    database = debian_server.database_settings("nasty")
    fill_nasty(database)
    yield database
    debian_server.execute("DROP DATABASE nasty WITH (FORCE)")


@pytest.mark.parametrize(
    "options",
    [UPSTREAMS, (), ("--clean", "--disable-dollar-quoting")],
    ids=lambda options: " ".join(options) or "plain",
)
def test_a_real_dump_of_an_older_server_restores_however_it_was_made(
    options: Sequence[str],
    nasty_on_debian: DatabaseSettings,
    debian_server: DebianServer,
    debian_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    old = tmp_path / "pantry_pirate_radio_2025-08-09_06-56-00.sql"
    old.write_bytes(
        subprocess.run(
            [debian_server.bin / "pg_dump", *options],
            env=child_environment(client_environment(nasty_on_debian)),
            check=True,
            capture_output=True,
        ).stdout
    )
    first = dump_to(nasty_on_debian, tmp_path / "first.sql")
    verified = verify(old)
    assert verified.manifest is None
    assert verified.layout.tables == first.written.tables
    database = debian_database()
    report = load(old, verified.layout, database, deadline=Deadline(60))
    assert report.how == "parallel", report.reason
    assert dump_to(database, tmp_path / "again.sql").sql == first.sql
