"""Dumps as upstream has published them since 2025: by other versions of pg_dump, without a key or
a manifest, in any order of rows, and compressed. All of them restore to what they came from."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.verify import verify_file
from ppr_assets.postgres.connection import client_environment
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.load import load
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_nasty import Dumped, dump_to, fill_nasty

UPSTREAMS = ("--no-owner", "--no-privileges", "--if-exists", "--clean")
LAST_MINORS = {12: "12.22", 13: "13.23", 14: "14.20", 15: "15.15", 16: "16.11", 17: "17.7"}


def raw_dump(binaries: Path, database: DatabaseSettings, options: Sequence[str]) -> bytes:
    """What pg_dump itself writes: rows as they lie, and its random key where it makes one."""
    return subprocess.run(
        [binaries / "pg_dump", *options],
        env=child_environment(client_environment(database)),
        check=True,
        capture_output=True,
    ).stdout


def as_if_by(major: int, dump: bytes, *, restrict: bool) -> bytes:
    """A dump of pg_dump 18 in the shape that an older one gave it: the header with its versions,
    no setting of a later one, and no key before CVE-2025-8714 was mended in all of them."""
    version = b"%s (Debian %s-1.pgdg120+1)" % ((LAST_MINORS[major].encode(),) * 2)
    dump, found = re.subn(
        rb"-- Dumped (from database|by pg_dump) version \S+\n",
        lambda match: b"-- Dumped %s version %s\n" % (match[1], version),
        dump,
    )
    assert found == 2
    if not restrict:
        dump, found = re.subn(rb"\n\\(?:un)?restrict \w+\n", b"", dump)
        assert found == 2
    if major < 17:
        assert dump.count(b"\nSET transaction_timeout = 0;\n") == 1
        dump = dump.replace(b"\nSET transaction_timeout = 0;\n", b"\n")
    assert dump.count(b"\nSET default_table_access_method = heap;\n") == 1  # so since 12
    return dump


def require_restores_to(first: Dumped, path: Path, database: DatabaseSettings) -> None:
    """Verify the dump at ``path``, load it into an empty database, and dump that one: the same."""
    verified = verify_file(path, name=path.name, manifest=None, spill_folder=path.parent)
    assert verified.manifest is None
    assert verified.layout.tables == first.written.tables
    plain = path
    if path.name.endswith(".gz"):
        plain = path.with_name("decompressed.sql")
        plain.write_bytes(gzip.decompress(path.read_bytes()))
    report = load(plain, verified.layout, database, deadline=Deadline(60))
    assert report.how == "parallel", report.reason
    assert dump_to(database, path.with_name("again.sql")).sql == first.sql


@pytest.mark.parametrize(
    ("major", "restrict"),
    [(12, False), (13, False), (14, True), (15, False), (16, True), (17, False), (17, True)],
)
def test_a_dump_in_the_shape_of_an_older_pg_dump_restores(
    major: int,
    restrict: bool,
    database: DatabaseSettings,
    empty_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    first = dump_to(database, tmp_path / "first.sql")
    old = tmp_path / "pantry_pirate_radio_2025-08-09_06-56-00.sql"
    old.write_bytes(as_if_by(major, raw_dump(EMBEDDED_BIN, database, UPSTREAMS), restrict=restrict))
    require_restores_to(first, old, empty_database())


def test_a_compressed_dump_restores_through_the_symlink_that_upstream_has_for_its_latest(
    database: DatabaseSettings, empty_database: Callable[[], DatabaseSettings], tmp_path: Path
) -> None:
    first = dump_to(database, tmp_path / "first.sql")
    old = tmp_path / "pantry_pirate_radio_2025-08-09_06-56-00.sql.gz"
    sql = as_if_by(15, raw_dump(EMBEDDED_BIN, database, UPSTREAMS), restrict=False)
    old.write_bytes(gzip.compress(sql, compresslevel=9))
    latest = tmp_path / "latest.sql.gz"
    latest.symlink_to(old.name)
    require_restores_to(first, latest, empty_database())


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
    old.write_bytes(raw_dump(debian_server.bin, nasty_on_debian, options))
    first = dump_to(nasty_on_debian, tmp_path / "first.sql")
    require_restores_to(first, old, debian_database())
