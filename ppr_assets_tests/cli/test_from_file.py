"""``--from FILE`` takes a dump's own file, and says of anything else what it is and the way out."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, Pipeline

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 83000000\n"

OTHERS = {
    "a web page": (b"<!DOCTYPE html>\n<html></html>\n", "is a web page (HTML)", "raw file"),
    "an LFS pointer": (LFS.encode(), "is a Git LFS pointer", "git lfs pull"),
    "nothing": (b"", "is empty: it has 0 bytes", "interrupted download"),
    "a gzip file": (gzip.compress(b"--\n"), "is a gzip file under the name of", ".sql.gz"),
    "a bundle": (b"# v2 git bundle\n\n", "is a git bundle", "git clone"),
    "a picture": (b"\x89PNG\r\n", "does not begin as a plain-SQL dump", "fetch the dump again"),
    "a database": (b"SQLite format 3\0", "is an SQLite database", "fetch the dump again"),
    "all databases": (
        b"--\n-- PostgreSQL database cluster dump\n--\n",
        "was made by pg_dumpall",
        "make it with pg_dump",
    ),
}


def _made(pipeline: Pipeline, path: Path, *options: str) -> Path:
    database = pipeline.settings.database
    where = ("-h", database.host, "-p", str(database.port), "-U", "postgres", database.dbname)
    subprocess.run([REAL_PG_DUMP, *where, *options, "-f", path], check=True)
    return path


@pytest.mark.parametrize("what", OTHERS)
def test_a_file_that_is_no_dump_is_recognised(
    ppr_assets: CommandLine, tmp_path: Path, what: str
) -> None:
    content, message, hint = OTHERS[what]
    path = tmp_path / "given.sql"
    path.write_bytes(content)
    said = ppr_assets("verify", "--from", str(path))
    assert said.code == 4
    assert f"`given.sql` {message}" in said.error
    assert hint in said.err and "Traceback" not in said.err


@pytest.mark.parametrize(
    ("option", "message"), [("-Fc", "custom"), ("-Ft", "tar"), ("-Fd", "directory")]
)
def test_pg_dumps_other_formats_are_recognised(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path, option: str, message: str
) -> None:
    path = _made(pipeline, tmp_path / "given.sql", option)
    said = ppr_assets("restore", "--from", str(path), "--into", "nowhere")
    assert said.code == 4
    assert f"is in pg_dump's {message} format, plain SQL is needed" in said.error
    assert "`pg_restore -f dump.sql " in said.err


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "compressed"])
def test_a_dumps_own_file_is_taken_whatever_it_is_called(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path, pack: bool
) -> None:
    path = _made(pipeline, tmp_path / "sunday.sql")
    if pack:
        packed = path.with_suffix(".sql.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    said = ppr_assets("verify", "--from", str(path))
    assert (said.code, said.out.split()[0]) == (0, path.name)
    chosen = ppr_assets("verify", "latest.sql", "--from", str(path))
    assert chosen.code == 6
    assert "is a file, so there is nothing to choose from" in chosen.error


def test_a_dump_of_rows_alone_is_said_to_be_that(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    path = _made(pipeline, tmp_path / "rows.sql", "--data-only")
    said = ppr_assets("restore", "--from", str(path), "--into", "nowhere")
    assert said.code == 4
    assert "`rows.sql` holds rows alone and makes no table" in said.error


def test_the_help_says_what_it_takes(ppr_assets: CommandLine) -> None:
    shown: Callable[[str], str] = lambda verb: " ".join(ppr_assets(verb, "--help").out.split())  # noqa: E731
    for verb in ("restore", "verify", "drill"):
        assert "a folder with dumps, or a dump's own file (plain SQL, also as .sql.gz)" in shown(
            verb
        )
