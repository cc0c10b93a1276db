"""``ppr-assets drill``: the proof of a dump, on the terminal and for programs."""

from __future__ import annotations

import json
import re

from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline, settled
from ppr_assets_tests.fix_restore import Target


def test_a_drill_on_the_databases_own_server_tells_stages_and_tables_and_leaves_nothing(
    pipeline: Pipeline, ppr_assets: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    ppr_assets.variables |= {
        "POSTGRES_USER": target.settings.user,
        "POSTGRES_DB": target.settings.dbname,
    }
    before = (target.databases(), target.content())

    proven = ppr_assets.installed("drill")
    assert (proven.code, proven.stages) == (0, ["verify", "load", "compare"])
    told = facts(proven.out)
    assert told["proven"] == f"{pipeline.latest()} from commit {pipeline.head()[:10]}"
    assert re.fullmatch(r"on server, PostgreSQL 18\.\d+, \d+\.\d s", told["restored"])
    assert told["holds"] == "6231 rows in 26 tables, compared, as the dump says"

    described = json.loads(ppr_assets("drill", "--json", FORCE_COLOR="1").out)
    assert described["proven"] is True
    assert described["where"] == "server"
    assert described["tables"]["organization"]["rows"] == 200
    assert {table["verdict"] for table in described["tables"].values()} == {"equal"}
    assert (target.databases(), target.content()) == before
    assert settled(target.sessions) == []


def test_a_role_that_may_not_make_databases_drills_on_an_embedded_server_that_ends(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    proven = ppr_assets("drill", "--from", pipeline.remote.as_uri())
    assert proven.code == 0
    assert facts(proven.out)["restored"].startswith("on embedded, PostgreSQL 18.")
    assert pipeline.picture() == before


def test_a_dump_that_does_not_restore_is_exit_code_4_with_the_servers_words(
    pipeline: Pipeline, ppr_assets: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    dump = pipeline.latest()
    text = (pipeline.dumps / dump).read_text()
    broken = text.replace("CREATE TABLE public.language (", "CREATE TABLE public.language (x oops,")
    files: dict[str, str | None] = {
        f"sql_dumps/{dump}": broken,
        f"sql_dumps/{dump.removesuffix('.sql')}.json": None,
    }
    commit_files(pipeline.clone, "Break it", files)
    user, name = target.settings.user, target.settings.dbname
    said = ppr_assets("drill", POSTGRES_USER=user, POSTGRES_DB=name)
    assert said.code == 4
    assert said.error.startswith(f"`{dump}` was not restored: ")
    assert 'type "oops" does not exist' in said.error
    assert said.out == ""
    assert target.beside() == []
