"""The newest dump as SQLite beside its copies: written once, read back, and gone with them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ppr_assets.copies.bucket import FolderPlace
from ppr_assets.copies.contents import open_place
from ppr_assets.copies.packed import pack, unpacked
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.copying.beside import put_sqlite
from ppr_assets.operations.copying.published_dumps import published_dumps
from ppr_assets.rules.naming import copy_name, sqlite_copy_name, sqlite_metadata_name
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_s3 import S3Server

pytestmark = pytest.mark.slow

THIRD, FOURTH = dump_of(3), dump_of(4)
ROWS = "1\tOne\n2\tTwo\n"
SQL = """third

SET client_encoding = 'UTF8';

--
-- Name: organization; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.organization (
    id character varying(250) NOT NULL,
    name text
);


--
-- Data for Name: organization; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.organization (id, name) FROM stdin;
ROWS\\.


--
-- PostgreSQL database dump complete
--

"""


def _publish(world: CopyWorld, name: str, rows: str = ROWS, sql: str = SQL) -> None:
    record = TableRecord(rows.count("\n"), hashlib.sha256(rows.encode()).hexdigest())
    world.publish(name, sql.replace("ROWS", rows), tables={"organization": record})


def _names(path: Path) -> list[str]:
    database = path.with_suffix(".opened")
    database.write_bytes(b"".join(unpacked([path.read_bytes()], path.name)))
    with closing(sqlite3.connect(database)) as session:
        found = [name for (name,) in session.execute("select name from organization order by id")]
    database.unlink()
    return found


def test_the_newest_is_there_once_and_goes_with_its_copy(copy_world: CopyWorld) -> None:
    _publish(copy_world, THIRD)
    copy_world.name()
    assert copy_world.copied().verified
    assert not [name for name in copy_world.there() if ".db" in name]  # nobody asked for it
    copy_world.name(PPR_COPY_SQLITE="true")
    assert copy_world.copied().verified
    path = copy_world.folder / sqlite_copy_name(THIRD)
    assert [name for name in copy_world.there() if ".db" in name] == [path.name]
    assert _names(path) == ["One", "Two"]
    described = copy_world.folder / sqlite_metadata_name(THIRD)
    (database,) = json.loads(described.read_text())["databases"]
    assert f"{database}.db.zst" == path.name
    before = (path.stat().st_mtime_ns, path.read_bytes())
    assert copy_world.copied().verified
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before

    described.unlink()  # an older version left none, and the policy may be another one since then
    pack([b"SQLite format 3\0"], path)
    assert copy_world.copied().verified
    assert (path.read_bytes(), described.is_file()) == (before[1], True)
    path.unlink()
    assert copy_world.copied().verified
    assert path.read_bytes() == before[1]  # the same dump, the same bytes

    _publish(copy_world, FOURTH, "3\tThree\n")
    keep = {f"PPR_COPY_KEEP_{one}": "0" for one in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")}
    copy_world.name(PPR_COPY_SQLITE="true", PPR_COPY_KEEP_LAST="1", **keep)
    outcome = copy_world.copied()
    assert outcome.verified
    assert THIRD in outcome.retired
    assert not described.exists()
    assert [name for name in copy_world.there() if ".db" in name] == [sqlite_copy_name(FOURTH)]


def test_a_bucket_has_it_too(copy_world: CopyWorld, s3_server: S3Server) -> None:
    _publish(copy_world, THIRD)
    copy_world.name(s3_server.url(s3_server.bucket()), PPR_COPY_SQLITE="true")
    assert copy_world.copied().verified
    (url,) = copy_world.settings.data_repo.copies.urls
    place, name = open_place(url), sqlite_copy_name(THIRD)
    path = copy_world.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(place.read(name)))
    assert _names(path) == ["One", "Two"]
    assert json.loads(b"".join(place.read(sqlite_metadata_name(THIRD))))["databases"]

    before = place.objects()[name]
    assert copy_world.copied().verified
    assert place.objects()[name] == before  # written once
    place.remove(name)
    place.put_new(name, b"what a killed run has left")
    assert copy_world.copied().verified
    assert b"".join(place.read(name)) == path.read_bytes()


def test_what_a_killed_run_has_left_is_replaced(copy_world: CopyWorld) -> None:
    _publish(copy_world, THIRD)
    copy_world.name(PPR_COPY_SQLITE="true")
    copy_world.copy()
    path = copy_world.folder / sqlite_copy_name(THIRD)
    whole = path.read_bytes()
    for left in (whole[:-9], (copy_world.folder / copy_name(THIRD)).read_bytes()):
        path.write_bytes(left)
        assert copy_world.copied().verified
        assert path.read_bytes() == whole


class _Altering(FolderPlace):
    """A folder that gives back something else of a SQLite file than was written."""

    altered = b""

    def read(self, name: str) -> Iterator[bytes]:
        return iter([self.altered]) if ".db" in name else super().read(name)


@pytest.mark.parametrize("magic", [b"SQLite format 3\0", b"SQLite format 2\0"])
def test_what_a_place_alters_is_told(copy_world: CopyWorld, magic: bytes, tmp_path: Path) -> None:
    _publish(copy_world, THIRD)
    copy_world.name()
    settings, name = copy_world.settings, sqlite_copy_name(THIRD)
    place = _Altering(*settings.data_repo.copies.urls)
    packed = pack([magic], tmp_path / name)
    place.altered = packed.path.read_bytes()
    with open_data_repo(settings.data_repo) as repo:
        dumps = published_dumps(repo, tmp_path)
        with pytest.raises(DumpDamaged) as altered:
            put_sqlite(place, dumps, THIRD, settings.dump)
        written = dumps.sqlite(THIRD, settings.dump)[0].sha256[:12]
    assert altered.value.render() == (
        f"`{name}` at `{copy_world.folder}` has SHA-256 {packed.sha256[:12]}…, {written}… was "
        "written\nHINT: remove that object there; the next run writes it again."
        if magic.endswith(b"3\0")
        else f"`{name}` at `{copy_world.folder}` is not an SQLite file"
    )


def test_what_sqlite_cannot_take_is_told_and_undoes_no_copy(
    copy_world: CopyWorld, tmp_path: Path
) -> None:
    head = "--\n-- Name: Organization; Type: TABLE; Schema: public; Owner: -\n--\n\n"
    other_table = head + 'CREATE TABLE public."Organization" (\n    id text\n);\n\n\n'
    twin = SQL.replace("--\n-- Data for", f"{other_table}--\n-- Data for")
    _publish(copy_world, THIRD, sql=twin)
    other = tmp_path / "other"
    other.mkdir()
    copy_world.name(str(copy_world.folder), str(other), PPR_COPY_SQLITE="true")
    outcome = copy_world.copy()
    for place, folder in zip(outcome.places, (copy_world.folder, other), strict=True):
        assert place.failure is None
        assert THIRD in place.copied
        assert copy_name(THIRD) in {path.name for path in folder.iterdir()}
        (problem,) = place.problems
        assert problem.message.startswith(f"{THIRD} is not at `{folder}` as SQLite: ")
    assert outcome.error() is not None
