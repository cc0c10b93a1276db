"""Files of the server that are not what it wrote: said in one line, by the table's name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from ppr_assets.demo.sample import fill
from ppr_assets.errors import DatabaseFailed, PprError, PreconditionFailed
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.status import status
from ppr_assets.postgres import embedded
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import passable_folder
from ppr_assets_tests.opened import dump

WIDE = """
CREATE TABLE wide (id int PRIMARY KEY, text text);
ALTER TABLE wide ALTER text SET STORAGE EXTERNAL;
INSERT INTO wide SELECT g, repeat('x', 1500) FROM generate_series(1, 3000) g;
INSERT INTO wide SELECT 0, repeat('x', 50000);
"""

KINDS = {
    "heap": ("language", "'language'::regclass"),
    "missing": ("language", "'language'::regclass"),
    "index": ("wide", "'wide_pkey'::regclass"),
    "toast": ("wide", "(SELECT reltoastrelid FROM pg_class WHERE relname = 'wide')"),
    "refused": ("language", "'language'::regclass"),
    "catalog": ("pg_depend", "'pg_depend_depender_index'::regclass"),
    "entrance": ("pg_class", "'pg_class_oid_index'::regclass"),
}
"""The table that is damaged, and whose file."""


@pytest.fixture(scope="module")
def damaged() -> Iterator[dict[str, DatabaseSettings]]:
    """A database for each kind of damage, on a server of its own."""
    folder = passable_folder()
    server = embedded.start(folder / "postgres")
    server.create_database("whole", owner=server.superuser)
    whole = server.database_settings("whole")
    fill(whole, organizations=200, seed=1, published_only=True)
    with connect(whole, autocommit=True) as session:
        session.execute(WIDE)
        session.execute("VACUUM ANALYZE wide")
    files: dict[str, Path] = {}
    for kind, (_, relation) in KINDS.items():
        with connect(server.database_settings("postgres"), autocommit=True) as session:
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE whole").format(sql.Identifier(kind))
            )
        with connect(server.database_settings(kind)) as session:
            row = session.execute(f"SELECT pg_relation_filepath({relation})").fetchone()
            assert row is not None
            files[kind] = folder / "postgres" / row[0]
    server.stop()
    for kind, path in files.items():
        if kind == "missing":
            path.unlink()
        elif kind == "refused":
            path.chmod(0)
        else:
            with path.open("r+b") as file:
                file.write(b"\xa5" * min(path.stat().st_size, 65536))
    server = embedded.start(folder / "postgres")
    yield {kind: server.database_settings(kind) for kind in KINDS}
    server.stop()
    shutil.rmtree(folder)


@pytest.mark.parametrize("kind", ["heap", "missing", "index", "refused"])
def test_a_table_that_cannot_be_counted_is_named_by_every_verb(
    pipeline: Pipeline, damaged: dict[str, DatabaseSettings], kind: str
) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    broken = replace(pipeline.settings, database=damaged[kind])
    words = f"^table {KINDS[kind][0]} cannot be read: .*\\((XX|58|42501)[0-9A-Z]*\\)$"

    with pytest.raises(PreconditionFailed, match=words) as refused:
        dump(broken)
    assert "good dump stands" in refused.value.hint
    assert "amcheck" in refused.value.hint
    (told,) = status(broken).errors
    assert told.render() == refused.value.render()
    findings = list(preconditions(broken))
    assert [f.error.message for f in findings if f.error] == [refused.value.message]
    assert {"remote", "disk", "ratchet file"} <= {f.what for f in findings if not f.error}
    assert pipeline.picture() == before


def test_what_only_pg_dump_meets_is_told_in_its_words_with_the_way_out(
    pipeline: Pipeline, damaged: dict[str, DatabaseSettings]
) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    with pytest.raises(PprError, match=r'contents of table "wide" failed: .*ERROR') as refused:
        dump(replace(pipeline.settings, database=damaged["toast"]))
    assert "\n" not in refused.value.message
    assert "good dump stands" in refused.value.hint
    assert "amcheck" in refused.value.hint
    assert pipeline.picture() == before


@pytest.mark.parametrize(
    ("kind", "words"), [("catalog", "failed while"), ("entrance", "no session with")]
)
def test_a_damaged_catalog_is_told_by_every_verb_with_the_way_out(
    pipeline: Pipeline, damaged: dict[str, DatabaseSettings], kind: str, words: str
) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    broken = replace(pipeline.settings, database=damaged[kind])
    with pytest.raises(DatabaseFailed, match=f"{words}.*invalid page in block") as refused:
        dump(broken)
    told = [error for error in status(broken).errors if isinstance(error, DatabaseFailed)]
    found = [one.error for one in preconditions(broken) if one.error]
    for error in (refused.value, *told, *found):
        assert "amcheck" in error.hint
        assert "good dump stands" in error.hint
    assert told and found
    assert pipeline.picture() == before
