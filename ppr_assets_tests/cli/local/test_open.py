"""``ppr-assets open``: from a repository's URL to rows, with no server there before."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ppr_assets.operations.restoring.own_server import DATABASE
from ppr_assets.postgres import embedded
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets_tests.cli.shared.test_json_document import documented_keys
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.places import ROOT

FOLDER = Path(".local/opened")


@pytest.fixture
def opening(
    pipeline: Pipeline, ppr_assets: CommandLine, server_folder: Path
) -> Iterator[CommandLine]:
    """The command line of somebody who has a URL and nothing else."""
    pipeline.first_night()
    ppr_assets.folder = server_folder
    yield ppr_assets
    embedded.stop(server_folder / FOLDER)


def running(opening: CommandLine) -> EmbeddedServer:
    server = embedded.find(opening.folder / FOLDER)
    assert server is not None
    return server


def test_the_newest_dump_of_a_url_is_there_to_be_asked_and_a_second_time_at_once(
    opening: CommandLine, pipeline: Pipeline
) -> None:
    url = pipeline.remote.as_uri()
    before = pipeline.picture()
    opened = opening.installed("open", url)
    assert (opened.code, opened.stages) == (0, ["verify", "load", "compare", "swap"])
    told = facts(opened.out)
    assert told["restored"].startswith(f"{pipeline.latest()}: 6231 rows in 26 tables, compared")
    assert told["psql"].endswith(f"'{running(opening).url(DATABASE)}'")
    with connect(running(opening).database_settings(DATABASE)) as session:
        row = session.execute("SELECT count(*) FROM public.organization").fetchone()
        assert row == (200,)
        session.execute("DELETE FROM public.language")

    again = opening("open", url)
    assert (again.code, again.stages) == (0, [])
    assert facts(again.out)["there"] == (
        f"{pipeline.latest()} from an earlier time, and what was done to it since"
    )
    with connect(running(opening).database_settings(DATABASE)) as session:
        note = "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_database "
        row = session.execute(f"{note} WHERE datname = %s", [DATABASE]).fetchone()
        assert row is not None
        assert row[0].startswith(f"{pipeline.latest()} of commit {pipeline.head()[:10]}, as it was")
        assert session.execute("SELECT FROM public.language").rowcount == 0, "what was done there"

    document = json.loads(opening("open", url, "--json").out)
    assert document.keys() | {"stopped"} == documented_keys()["open"]
    assert (document["restored"], document["url"]) == (False, running(opening).url(DATABASE))

    assert facts(opening("open", "--stop").out) == {"stopped": "it"}
    assert embedded.find(opening.folder / FOLDER) is None
    assert pipeline.picture() == before
    assert facts(opening("open", "--stop").out) == {"stopped": "nothing: no server was running"}
    assert json.loads(opening("open", "--stop", "--json").out) == {"stopped": False}


def test_an_extension_that_is_not_there_is_named_and_left_out_only_on_request(
    opening: CommandLine, pipeline: Pipeline
) -> None:
    dump = pipeline.latest()
    text = (pipeline.dumps / dump).read_text()
    first = "CREATE TABLE public."
    needs = "CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;"
    entry = f"--\n-- Name: postgis; Type: EXTENSION; Schema: -; Owner: -\n--\n\n{needs}\n\n\n"
    comment = text.rindex("--\n-- Name: ", 0, text.index(first))
    files: dict[str, str | None] = {
        f"sql_dumps/{dump}": text[:comment] + entry + text[comment:],
        f"sql_dumps/{dump.removesuffix('.sql')}.json": None,
    }
    commit_files(pipeline.clone, "Need PostGIS", files)
    refused = opening("open", str(pipeline.clone))
    assert refused.code == 1
    assert refused.error == "this server lacks the extension postgis that the dump needs"
    assert (
        "`--without-extensions` goes without it and what needs it (`ppr-assets open`" in refused.err
    )
    assert embedded.find(opening.folder / FOLDER) is None, "what it had started has ended"

    opened = opening("open", str(pipeline.clone), "--without-extensions")
    assert opened.code == 0, opened.err
    assert "left out, as --without-extensions lets it: extension postgis" in opened.out
    with connect(running(opening).database_settings(DATABASE)) as session:
        note = "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_database "
        row = session.execute(f"{note} WHERE datname = %s", [DATABASE]).fetchone()
        assert row is not None
        assert "left out, as --without-extensions lets it: extension postgis" in row[0]
    again = opening("open", str(pipeline.clone), "--without-extensions")
    assert "there" in facts(again.out)
    assert "left out, as --without-extensions lets it: extension postgis" in again.out
    assert opening("open", str(pipeline.clone)).code == 1  # it is not whole, so it is no answer


def test_an_older_and_smaller_dump_is_opened_too_and_one_former_database_stays(
    opening: CommandLine, pipeline: Pipeline
) -> None:
    source = str(pipeline.clone)
    newest = pipeline.latest()
    text = (pipeline.dumps / newest).read_text()
    older = newest.replace("20", "19", 1)
    rows = re.compile(r"(?m)^(COPY public\.\w+ .*;\n)(?:(?!\\\.\n).*\n)+")
    emptied, found = rows.subn(r"\1", text)
    assert found > 20
    block = re.compile(r"(?m)^COPY public\.taxonomy \(.*;\n\\\.\n")
    one = "INSERT INTO public.taxonomy (id, name, description) VALUES ('1', 'food', 'food');\n"
    emptied, found = block.subn(lambda _: one, emptied)
    assert found == 1
    commit_files(pipeline.clone, "An early one", {f"sql_dumps/{older}": unkeyed(emptied)})
    assert opening("open", source).code == 0
    for dump in (older, newest, older):
        opened = opening("open", source, dump)
        assert opened.code == 0, opened.err
        told = facts(opened.out)
        came = "1 rows in 1 tables counted, not compared" if dump == older else "6231 rows in 26"
        assert told["restored"].startswith(f"{dump}: {came}")
        assert told["former"].endswith("holds what was there before, until another is opened")
        with connect(running(opening).database_settings("postgres")) as session:
            query = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE %s"
            formers = session.execute(query, [f"{DATABASE}_before_%"]).fetchall()
        assert [name for (name,) in formers] == [told["former"].split()[0]]


def unkeyed(dump: str) -> str:
    """Without psql's key, which is made of the content."""
    return re.sub(r"(?m)^\\(un)?restrict .*\n", "", dump)


@pytest.mark.parametrize("most", [None, 300_000], ids=["one file", "parts"])
def test_git_and_psql_alone_do_it_as_the_guide_says(
    most: int | None, pipeline: Pipeline, databases: Databases, tmp_path: Path
) -> None:
    pipeline.gate(max_file_bytes=most)
    pipeline.first_night()
    parts = pipeline.dumps / pipeline.latest().replace(".sql", ".parts")
    assert parts.exists() == (most is not None)
    guide = (ROOT / "docs" / "restore.md").read_text(encoding="utf-8")
    (lines,) = re.findall(
        r"Without our tool it takes git and psql:\n\n```\n(.*?)```", guide, re.DOTALL
    )
    typed = lines.replace("https://github.com/example/HAARRRvest.git", pipeline.remote.as_uri())
    typed = typed.replace("HAARRRvest/", f"{pipeline.remote.stem}/")
    typed = typed.replace("food", "food_by_hand")
    server = databases.server
    environment = {
        "PATH": f"{embedded.EMBEDDED_BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PGHOST": str(server.socket_dir),
        "PGPORT": str(server.port),
        "PGUSER": server.superuser,
    }
    try:
        subprocess.run(["bash", "-ec", typed], env=environment, cwd=tmp_path, check=True)
        with connect(server.database_settings("food_by_hand")) as session:
            row = session.execute("SELECT count(*) FROM public.organization").fetchone()
            assert row == (200,)
    finally:
        subprocess.run(["dropdb", "--if-exists", "food_by_hand"], env=environment, check=True)
