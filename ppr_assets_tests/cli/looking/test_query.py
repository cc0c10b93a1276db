"""``ppr-assets query``: what is printed, which dump is meant, and that nothing is written."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
from pathlib import Path

import pytest

from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_old_dumps import OldDump
from ppr_assets_tests.fix_pipeline import Pipeline

COUNT = "select count(*) as n from organization"


def _n(ppr_assets: CommandLine, *where: str, **variables: str) -> int:
    answer = ppr_assets("query", COUNT, *where, "--json", **variables)
    assert answer.code == 0, answer.err
    ((told,),) = (json.loads(answer.out),)
    return int(told["n"])


def test_a_dump_is_asked_by_name_commit_date_or_file_and_nothing_is_written(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    older, first = pipeline.latest(), pipeline.head()
    pipeline.execute(
        "DELETE FROM public.organization WHERE id IN (SELECT id FROM public.organization LIMIT 3)"
    )
    pipeline.gate(max_file_bytes=150_000)  # and now in parts
    pipeline.night()
    before, index = pipeline.picture(), (pipeline.clone / ".git" / "index").read_bytes()

    shown = ppr_assets.installed("query", COUNT)
    assert (shown.code, shown.out) == (0, "  n\n197\n")
    assert shown.beside == f"read organization of {pipeline.latest()}\n"
    assert _n(ppr_assets, "--at", older) == 200
    assert _n(ppr_assets, "--at", first) == 200
    assert _n(ppr_assets, "--at", older[20:39]) == 200  # by its moment
    assert _n(ppr_assets, "--at", "latest") == 197
    assert _n(ppr_assets, "--at", older[20:30]) == 197  # up to the end of that day
    file = str(pipeline.dumps / pipeline.latest())
    assert _n(ppr_assets, "--at", file, DATA_REPO_PATH="/nowhere") == 197
    assert _n(ppr_assets, "--from", str(pipeline.dumps), "--at", older) == 200

    listed = ppr_assets("query", "--csv")
    assert listed.code == 0
    rows = {row["table"]: row for row in csv.DictReader(listed.out.splitlines())}
    assert rows["organization"]["rows"] == "197"
    assert rows["organization"]["columns"].startswith("id character varying(250), name text, ")

    assert pipeline.picture() == before
    assert (pipeline.clone / ".git" / "index").read_bytes() == index


def test_a_dump_that_retired_is_found_in_the_history(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    older = pipeline.latest()
    pipeline.change()
    pipeline.night()
    git(pipeline.clone, "rm", "-q", f"sql_dumps/{older}", f"sql_dumps/{older[:-4]}.json")
    git(pipeline.clone, "commit", "-qm", "Retire one")
    assert _n(ppr_assets, "--at", older) == 200
    missing = ppr_assets("query", COUNT, "--at", "2001-01-01")
    assert missing.code == 6
    assert missing.error == (
        f"there was no dump of `2001-01-01` or before in the history, the oldest is {older}"
    )


def test_a_cell_keeps_to_its_line_and_a_damaged_dump_answers_nothing(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    odd = ppr_assets("query", "select char(10, 27, 65) as a, null as b, 1.5 as c, x'0aff' as d")
    assert odd.out == "a           b    c  d\n\\n\\x1bA  NULL  1.5  \\x0aff\n"
    joined = "select o.id, l.id from organization o join location l on l.organization_id = o.id"
    lost = ppr_assets("query", joined, "--json")
    assert lost.code == 1
    assert lost.error == "several columns are called `id`, and JSON keeps one of each name"
    assert ppr_assets("query", joined, "--csv").out.startswith("id,id\n")
    large = json.loads(ppr_assets("query", "select 9e999 as a, -9e999 as b", "--json").out)
    assert large == [{"a": "Infinity", "b": "-Infinity"}]
    empty = ppr_assets("query", "select null as a, '' as b, 'x' as c", "--csv")
    assert empty.out == 'a,b,c\n,"",x\n'
    refused = ppr_assets("query", "delete from organization")
    assert (refused.code, refused.out) == (1, "")
    assert "\nHINT: a SELECT is needed; nothing can be written here." in refused.err

    cut = ppr_assets.folder / "cut.sql"
    cut.write_bytes((pipeline.dumps / pipeline.latest()).read_bytes()[:-1000])
    damaged = ppr_assets("query", COUNT, "--at", "cut.sql")
    assert (damaged.code, damaged.out) == (4, "")
    assert damaged.error.startswith("`cut.sql`: ")


@pytest.mark.parametrize("pipes", [True, False], ids=["pipe", "socket"])
def test_whoever_has_read_enough_may_go(tmp_path: Path, pipes: bool) -> None:
    """Of a pipe's reader that has gone some systems say what Linux says of a socket's alone."""
    (tmp_path / "dump.sql").write_bytes(OldDump(16).sql)
    rows = "with recursive n(x) as (select 1 union all select x + 1 from n limit 99999) select x"
    call = [str(PROGRAM), "query", f"{rows} from n", "--at", "./dump.sql", "--csv"]
    ours, theirs = socket.socketpair()
    stdout, pipe = subprocess.PIPE if pipes else theirs.fileno(), subprocess.PIPE
    with subprocess.Popen(call, cwd=tmp_path, stdout=stdout, stderr=pipe, text=True) as asked:
        assert asked.stderr is not None
        theirs.close()
        with asked.stdout or ours.makefile() as reading:
            assert reading.readline() == "x\n"
            if not pipes:
                ours.shutdown(socket.SHUT_RDWR)
        said = asked.stderr.read()
    ours.close()
    assert asked.returncode == 1
    assert (
        said == "read no table of dump.sql\nwhoever read the output has closed it before its end\n"
    )


def test_a_partial_clone_fetches_the_one_dump(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    pipeline.first_night()
    older = pipeline.latest()
    pipeline.change()
    pipeline.night()
    git(pipeline.remote, "config", "uploadpack.allowFilter", "true")
    git(pipeline.remote, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "partial"
    url = pipeline.remote.as_uri()
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", url, str(clone))
    where = {"DATA_REPO_PATH": str(clone), "DATA_REPO_URL": url}
    assert _n(ppr_assets, "--at", older, **where) == 200
    lacking = git(clone, "rev-list", "--objects", "--all", "--missing=print").splitlines()
    newest = git(clone, "rev-parse", f"main:sql_dumps/{pipeline.latest()}")
    assert f"?{newest}" in lacking
    fetched = git(clone, "rev-parse", f"main:sql_dumps/{older}")
    assert f"?{fetched}" not in lacking
