"""``ppr-assets export``: files that others open, under the publication policy of today."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline

POLICY = '[organization]\nname = {rule = "replaced", text = "withheld", reason = "a test"}\n'


def _sqlite(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as session:
        return session.execute(sql).fetchall()


def test_sqlite_has_keys_indexes_and_search_and_datasette_opens_it(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    datasette = pytest.importorskip("datasette.app")
    pipeline.first_night()
    before, index = pipeline.picture(), (pipeline.clone / ".git" / "index").read_bytes()
    done = ppr_assets.installed("export", "sqlite", "--out", "night.db")
    assert (done.code, done.out) == (0, "night.db\nnight.metadata.json\n")
    assert done.beside == ""
    assert pipeline.picture() == before
    assert (pipeline.clone / ".git" / "index").read_bytes() == index

    path = ppr_assets.folder / "night.db"
    assert _sqlite(path, "PRAGMA foreign_key_check") == []
    assert _sqlite(path, "PRAGMA integrity_check") == [("ok",)]
    for table in ("organization", "location", "service"):
        assert _sqlite(path, f"select count(*) from {table}") == [(pipeline.count(table),)]
    keys = _sqlite(path, 'select "table", "from", "to" from pragma_foreign_key_list(\'location\')')
    assert keys == [("organization", "organization_id", "id")]
    indexed = _sqlite(path, "explain query plan select * from location where organization_id = 'a'")
    assert "USING INDEX location_organization_id" in indexed[0][3]
    word = _sqlite(path, "select name from organization")[0][0].split()[0]

    metadata = json.loads((ppr_assets.folder / "night.metadata.json").read_text())
    app = datasette.Datasette([str(path)], metadata=metadata)
    found = asyncio.run(app.client.get(f"/night/organization.json?_search={word}&_shape=objects"))
    assert found.status_code == 200
    assert word in found.json()["rows"][0]["name"]
    page = asyncio.run(app.client.get("/night/location?_size=1"))
    assert page.status_code == 200
    assert 'href="/night/organization/' in page.text  # the foreign key is a link

    again = ppr_assets("export", "sqlite", "--out", "night.db")
    assert again.code == 1
    assert again.error == "`night.metadata.json` is there already"
    assert sorted(one.name for one in ppr_assets.folder.iterdir()) == [
        "night.db",
        "night.metadata.json",
    ]


def test_what_the_policy_of_today_forbids_is_left_out_of_an_older_dump(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    older = pipeline.latest()
    commit_files(pipeline.clone, "Withhold names", {"sql_dumps/.publication.toml": POLICY})
    done = ppr_assets("export", "csv", older, "--out", "tables", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert told["dump"] == older
    assert told["withheld"] == ["200 values of organization.name"]
    assert "withheld by the policy of today: 200 values of organization.name\n" in done.err
    with (ppr_assets.folder / "tables" / "organization.csv").open(newline="") as file:
        assert {row["name"] for row in csv.DictReader(file)} == {"withheld"}
    assert _rows(ppr_assets.folder / "tables") == 6231


def _rows(folder: Path) -> int:
    texts = (path.read_text(encoding="utf-8") for path in folder.iterdir())
    return sum(len([*csv.DictReader(io.StringIO(text, newline=""))]) for text in texts)


def test_a_foreign_dump_keeps_what_nobody_decided_on_to_itself(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    text = (pipeline.dumps / pipeline.latest()).read_text()
    at = text.index("--\n-- Data for Name: organization;")
    secret = "COPY public.member (name) FROM stdin;\nSomebody\n\\.\n\n\n"
    (ppr_assets.folder / "foreign.sql").write_text(text[:at] + secret + text[at:])
    done = ppr_assets("export", "sqlite", "./foreign.sql")
    assert done.code == 0, done.err
    assert done.err == "withheld by the policy of today: 1 rows of member\n"
    path = ppr_assets.folder / "foreign.db"
    assert _sqlite(path, "select count(*) from member") == [(0,)]
    assert b"Somebody" not in path.read_bytes()

    (ppr_assets.folder / "cut.sql").write_text(text[:-500])
    damaged = ppr_assets("export", "csv", "./cut.sql")
    assert damaged.code == 4
    assert not (ppr_assets.folder / "cut_csv").exists()


def test_a_dump_in_parts_is_one_again(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    pipeline.first_night()
    pipeline.change()
    pipeline.gate(max_file_bytes=150_000)
    pipeline.night()
    before = pipeline.picture()
    done = ppr_assets("export", "sqlite", "--out", "parts.db")
    assert done.code == 0, done.err
    for table in ("organization", "service"):
        counted = _sqlite(ppr_assets.folder / "parts.db", f"select count(*) from {table}")
        assert counted == [(pipeline.count(table),)]
    assert pipeline.picture() == before


def test_parquet_has_types_of_its_own(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    duckdb = pytest.importorskip("duckdb")
    pipeline.execute(
        "UPDATE public.organization SET description = '' WHERE id IN "
        "(SELECT id FROM public.organization ORDER BY id LIMIT 1)"
    )
    pipeline.night()
    done = ppr_assets("export", "parquet", "--out", "tables")
    assert done.code == 0, done.err
    files = ppr_assets.folder / "tables"
    assert sorted(done.out.splitlines()) == sorted(f"tables/{one.name}" for one in files.iterdir())
    with duckdb.connect() as session:
        asked = f"from '{files}/organization.parquet' select count(*), count_if(description = '')"
        assert session.execute(asked).fetchall() == [(200, 1)]
        asked = f"describe from '{files}/location.parquet'"
        types = {name: kind for name, kind, *_ in session.execute(asked).fetchall()}
    assert types["created_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["is_canonical"] == "BOOLEAN"
    assert types["name"] == "VARCHAR"
    assert [one.name for one in ppr_assets.folder.iterdir()] == ["tables"]
