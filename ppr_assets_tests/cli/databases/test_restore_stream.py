"""What a psql is given that knows no ``\\restrict``: by hand, and by ``restore --to-stdout``."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import Target
from ppr_assets_tests.places import ROOT

PSQL = "psql -v ON_ERROR_STOP=1 -1 -d new_database"
BY_HAND = re.compile(r"^sed -E '([^']+)' sql_dumps/latest\.sql \| (psql .*)$", re.MULTILINE)


def loaded(sql: str, database: DatabaseSettings) -> str:
    """What is in the database, by the documented psql; one that is old takes no command of psql's
    but the end of rows."""
    commands = [line for line in sql.splitlines() if line.startswith("\\") and line != "\\."]
    assert commands == []
    tool = find_tool("psql", 18)
    done = subprocess.run(
        [tool.path, "-X", *PSQL.split()[1:-2]],
        input=sql,
        env=child_environment(client_environment(database)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return Target(database).content()


def test_an_old_psql_restores_a_dump_that_the_guide_s_command_takes_two_lines_out_of(
    pipeline: Pipeline, empty_database: Callable[[], DatabaseSettings]
) -> None:
    pipeline.first_night()
    guide = (ROOT / "docs" / "restore.md").read_text()
    ((script, psql),) = BY_HAND.findall(guide)
    assert psql == PSQL and f"restore --to-stdout | {PSQL}" in guide
    done = subprocess.run(
        ["sed", "-E", script, pipeline.dumps / "latest.sql"],
        capture_output=True,
        text=True,
        check=True,
    )
    whole = (pipeline.dumps / "latest.sql").read_text().count("\n")
    assert done.stdout.count("\n") == whole - 2
    assert loaded(done.stdout, empty_database()) == Target(pipeline.settings.database).content()


@pytest.mark.parametrize("most", [None, 200_000])
def test_a_verified_dump_comes_as_one_stream_and_no_server_is_asked(
    most: int | None,
    pipeline: Pipeline,
    ppr_assets: CommandLine,
    empty_database: Callable[[], DatabaseSettings],
) -> None:
    pipeline.gate(max_file_bytes=most)
    pipeline.first_night()
    assert (pipeline.dumps / pipeline.latest()).with_suffix(".parts").exists() == bool(most)
    written = ppr_assets("restore", "--to-stdout", POSTGRES_PORT="9", POSTGRES_PASSWORD="")
    assert (written.code, written.beside) == (0, "")
    assert "\nDROP TABLE " not in written.out
    assert loaded(written.out, empty_database()) == Target(pipeline.settings.database).content()


def test_nothing_comes_of_a_dump_in_which_an_old_psql_would_find_a_command(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    pipeline.first_night()
    dump = tmp_path / "forged.sql"
    text = (pipeline.dumps / "latest.sql").read_text()
    at = "\nCREATE TABLE public.organization ("
    dump.write_text(text.replace(at, "\nSELECT 1 \\! touch intruder\n;" + at))
    refused = ppr_assets("restore", str(dump), "--to-stdout")
    assert (refused.code, refused.out) == (4, "")
    assert refused.err.startswith(
        "`forged.sql` cannot be given to a psql that does not know \\restrict: "
    )
    assert refused.err.endswith("HINT: `ppr-assets restore` loads it, and so does a newer psql.\n")
    both = ppr_assets("restore", "--to-stdout", "--into", "somewhere")
    assert (both.code, both.out) == (2, "")
