"""Whoever can write into the database must not be able to run commands where a dump is restored."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import dump

EmptyDatabase = Callable[[], DatabaseSettings]


def _dumped(pipeline: Pipeline) -> bytes:
    outcome = dump(pipeline.settings)
    assert outcome.path is not None
    return outcome.path.read_bytes()


def _key(dump: bytes) -> bytes:
    return dump.split(b"\n\\restrict ")[1].split(b"\n")[0]


def _restore(dump: bytes, database: DatabaseSettings) -> str:
    """Give the dump to psql, which goes on after errors; what psql says."""
    done = subprocess.run(
        [EMBEDDED_BIN / "psql", "-X", "-q"],
        input=dump,
        env=client_environment(database) | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    return done.stderr.decode()


def _answer_for_views(pipeline: Pipeline, text: str) -> None:
    """What a hostile owner of the server can do: let it tell pg_dump another text of a view."""
    pipeline.administer(
        "ALTER FUNCTION pg_catalog.pg_get_viewdef(oid) RENAME TO real_pg_get_viewdef;"
        "CREATE FUNCTION pg_catalog.pg_get_viewdef(oid) RETURNS text "
        f"LANGUAGE sql STABLE STRICT AS $outer$ SELECT $text${text}$text$ $outer$"
    )


def test_commands_in_rows_and_names_stay_text(
    pipeline: Pipeline, empty_database: EmptyDatabase, tmp_path: Path
) -> None:
    known, pwned = _key(_dumped(pipeline)).decode(), tmp_path / "pwned"
    command = f"\n\\unrestrict {known}\n\\! touch {pwned}\n\\."
    pipeline.execute("UPDATE language SET note = %s", command)
    pipeline.execute("UPDATE organization SET description = '\\unrestrict' || %s", command)
    pipeline.execute(
        f'CREATE TABLE "x{command}" (a int); COMMENT ON TABLE "x{command}" IS $${command}$$'
    )
    restored = empty_database()
    assert _restore(_dumped(pipeline), restored) == ""
    assert not pwned.exists()


def test_a_command_between_statements_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    _answer_for_views(pipeline, f"SELECT 1 AS id\n\\! touch {tmp_path / 'pwned'}\n;")
    with pytest.raises(DumpDamaged, match="a psql command where none belongs"):
        dump(pipeline.settings)


def test_a_command_within_a_line_cannot_name_the_key(
    pipeline: Pipeline, empty_database: EmptyDatabase, tmp_path: Path
) -> None:
    """The key of every dump that was ever published is known, and none opens the next one."""
    known, pwned = _key(_dumped(pipeline)), tmp_path / "pwned"
    _answer_for_views(
        pipeline,
        f"SELECT 1 AS id; \\unrestrict {known.decode()}\n SELECT 1; \\! touch {pwned}\n",
    )
    hostile = _dumped(pipeline)
    assert known in hostile
    assert _key(hostile) != known
    said = _restore(hostile, empty_database())
    assert "backslash commands are restricted" in said
    assert not pwned.exists()
    _restore(hostile.replace(_key(hostile), known), empty_database())
    assert pwned.exists(), "with a key that could be foreseen this attack would have worked"
