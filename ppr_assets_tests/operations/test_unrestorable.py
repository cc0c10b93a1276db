"""Databases of which no dump restores: what is named, and the statement that mends it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpUnproven
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_nasty import fill_core
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import dump

FOLDED = """
CREATE OR REPLACE FUNCTION public.folded(text) RETURNS text LANGUAGE sql IMMUTABLE AS
  'SELECT lower($1)';
CREATE OR REPLACE FUNCTION public.key_of(text) RETURNS text LANGUAGE {} IMMUTABLE AS {};
"""
SQL = FOLDED.replace("key_of", "key_in_sql").format("sql", "'SELECT folded($1)'")
PLPGSQL = FOLDED.format("plpgsql", "'BEGIN RETURN folded($1); END'")
PATH = "SET search_path TO public;"

IN_FUNCTIONS = {
    "index": f"{PATH} {SQL} CREATE INDEX organization_key ON organization (key_in_sql(name));",
    "index in plpgsql": f"{PATH} {PLPGSQL} CREATE INDEX o ON organization (key_of(name));",
    "generated column": f"{PATH} {PLPGSQL} ALTER TABLE organization ADD k text "
    "GENERATED ALWAYS AS (key_of(name)) STORED;",
    "check": f"{PATH} {PLPGSQL} ALTER TABLE organization ADD CHECK (key_of(name) <> '');",
    "names in quotes": 'CREATE SCHEMA "My Schema"; SET search_path TO "My Schema", public;'
    + FOLDED.replace("public.key_of", '"My Schema"."Key of"').format(
        "plpgsql", "'BEGIN RETURN folded($1); END'"
    )
    + 'CREATE INDEX "o K" ON organization ("Key of"(name));',
    "materialized view": f"{PATH} {PLPGSQL} CREATE MATERIALIZED VIEW keys AS "
    "SELECT key_of(name) FROM organization;",
}

IN_ROWS = {
    "check": (
        "CREATE FUNCTION public.least() RETURNS int LANGUAGE sql STABLE AS 'SELECT 0';"
        "CREATE TABLE public.t (n int CONSTRAINT enough CHECK (n >= public.least()));"
        "INSERT INTO public.t VALUES (1), (7);"
        "CREATE OR REPLACE FUNCTION public.least() RETURNS int LANGUAGE sql STABLE AS 'SELECT 5'",
        1,
    ),
    "orphans": (
        "CREATE TABLE public.p (id int PRIMARY KEY); INSERT INTO public.p VALUES (1);"
        "CREATE TABLE public.c (p_id int CONSTRAINT c_p REFERENCES public.p (id));"
        "ALTER TABLE public.c DISABLE TRIGGER ALL;"
        "INSERT INTO public.c VALUES (1), (2), (3), (NULL)",
        2,
    ),
    "domain": (
        "CREATE FUNCTION public.least() RETURNS int LANGUAGE sql STABLE AS 'SELECT 0';"
        "CREATE DOMAIN public.number AS int CONSTRAINT enough CHECK (VALUE >= public.least());"
        "CREATE TABLE public.t (n public.number); INSERT INTO public.t VALUES (1), (7);"
        "CREATE OR REPLACE FUNCTION public.least() RETURNS int LANGUAGE sql STABLE AS 'SELECT 5'",
        1,
    ),
    "the same name": (
        "CREATE FUNCTION public.least() RETURNS int LANGUAGE sql STABLE AS 'SELECT 0';"
        "CREATE TABLE public.other (m int CONSTRAINT enough CHECK (m > -9));"
        "CREATE TABLE public.t (n int CONSTRAINT enough CHECK (n >= public.least()));"
        "INSERT INTO public.t VALUES (1), (7);"
        "CREATE OR REPLACE FUNCTION public.least() RETURNS int LANGUAGE sql STABLE AS 'SELECT 5'",
        1,
    ),
    "orphans, names with spaces": (
        'CREATE TABLE public."P q" (a int, "B b" text, PRIMARY KEY (a, "B b"));'
        'CREATE TABLE public."C" (x int, y text, CONSTRAINT "c fk" FOREIGN KEY (x, y) '
        'REFERENCES public."P q" ON DELETE CASCADE); ALTER TABLE public."C" DISABLE TRIGGER ALL;'
        "INSERT INTO public.\"C\" VALUES (2, 'y'), (NULL, 'z')",
        1,
    ),
    "half of a key": (
        "CREATE TABLE public.p (a int, b int, PRIMARY KEY (a, b));"
        "CREATE TABLE public.c (a int, b int, FOREIGN KEY (a, b) REFERENCES public.p MATCH FULL);"
        "ALTER TABLE public.c DISABLE TRIGGER ALL;"
        "INSERT INTO public.c VALUES (7, NULL), (NULL, NULL)",
        1,
    ),
    "unique constraint": (
        'CREATE TABLE public.t (k text, n int, CONSTRAINT "t K" UNIQUE (k, n));'
        "UPDATE pg_catalog.pg_index SET indisready = false "
        "WHERE indexrelid = 'public.\"t K\"'::regclass;"
        "INSERT INTO public.t VALUES ('a', 1), ('a', 1), ('b', 1);"
        "UPDATE pg_catalog.pg_index SET indisready = true "
        "WHERE indexrelid = 'public.\"t K\"'::regclass",
        1,
    ),
    "unique index on expressions": (
        "CREATE TABLE public.t (k text, n int, id int);"
        "CREATE UNIQUE INDEX t_k ON public.t (lower(k) text_pattern_ops, n DESC) INCLUDE (id) "
        "WHERE n IS NOT NULL;"
        "UPDATE pg_catalog.pg_index SET indisready = false "
        "WHERE indexrelid = 'public.t_k'::regclass;"
        "INSERT INTO public.t VALUES ('a', 1), ('A', 1), ('b', NULL), ('b', NULL);"
        "UPDATE pg_catalog.pg_index SET indisready = true "
        "WHERE indexrelid = 'public.t_k'::regclass",
        1,
    ),
    "unique index": (
        "CREATE TABLE public.t (k text); CREATE UNIQUE INDEX t_k ON public.t (k);"
        "UPDATE pg_catalog.pg_index SET indisready = false, indislive = true "
        "WHERE indexrelid = 'public.t_k'::regclass;"
        "INSERT INTO public.t VALUES ('a'), ('a'), ('b');"
        "UPDATE pg_catalog.pg_index SET indisready = true "
        "WHERE indexrelid = 'public.t_k'::regclass",
        1,
    ),
}


@pytest.fixture
def debian(pipeline: Pipeline, debian_database: Callable[[], DatabaseSettings]) -> Pipeline:
    """A pipeline on PostgreSQL 15, which lets such functions be used in an index."""
    database = debian_database()
    fill_core(database)
    pipeline.settings = replace(pipeline.settings, database=database)
    pipeline.gate(proof="server", min_records=1)
    return pipeline


@pytest.mark.parametrize("kind", IN_FUNCTIONS)
def test_a_function_that_calls_another_one_without_its_schema(kind: str, debian: Pipeline) -> None:
    debian.administer(IN_FUNCTIONS[kind])
    with pytest.raises(DumpUnproven) as refused:
        dump(debian.settings)
    assert "no dump of this database restores until that is fixed" in refused.value.hint
    assert "blame" not in refused.value.hint
    mend = re.search("`(ALTER FUNCTION .*?)`", refused.value.hint)
    assert mend is not None
    debian.administer(mend[1])
    debian.night()


def test_a_search_path_that_is_written_into_the_dump(
    debian: Pipeline, debian_server: DebianServer
) -> None:
    for one in IN_FUNCTIONS.values():
        debian.administer(one)
    database = replace(debian.settings.database, search_path=("public",))
    debian.settings = replace(debian.settings, database=database)
    debian.gate(search_path=("public",))
    _, published = debian.night()
    assert published.manifest.search_path == "public"
    assert published.manifest.proof is not None and published.manifest.proof.proven
    assert debian.night()[0].status == "unchanged"
    own = debian.settings.database
    with found_dump(debian.settings.data_repo, Wanted()) as found:
        again = restore(replace(own, dbname=f"{own.dbname}_again"), found, deadline=Deadline(60))
        debian_server.execute(f"DROP DATABASE {own.dbname}_again")
        assert again.tables == published.manifest.tables
        debian_server.execute(f"CREATE DATABASE {own.dbname}_psql TEMPLATE template0")
        by_psql = replace(own, dbname=f"{own.dbname}_psql")
        subprocess.run(
            [debian_server.bin / "psql", "-qX", "-1", "-f", found.path, "-o", "/dev/null"],
            env=client_environment(by_psql),
            check=True,
        )
    with connect(by_psql) as session:
        session.execute("SET search_path TO public")
        count = session.execute("SELECT count(*) FROM public.organization").fetchone()
    debian_server.execute(f"DROP DATABASE {own.dbname}_psql")
    assert count == (published.manifest.rows["organization"],)


def _as_superuser(pipeline: Pipeline) -> DatabaseSettings:
    """Dumps are made and proven beside the database by a role that may do all of that."""
    superuser = replace(pipeline.settings.database, user="postgres")
    pipeline.settings = replace(pipeline.settings, database=superuser)
    pipeline.gate(proof="server")
    return superuser


@pytest.mark.parametrize("kind", IN_ROWS)
def test_rows_that_are_not_let_in_again_are_shown_by_a_query(kind: str, pipeline: Pipeline) -> None:
    statements, wrong = IN_ROWS[kind]
    superuser = _as_superuser(pipeline)
    pipeline.administer(statements)
    with pytest.raises(DumpUnproven) as refused:
        dump(pipeline.settings)
    assert "no dump of this database restores until that is fixed" in refused.value.hint
    query = re.search("`(?:SET.*; )?(SELECT .*?;)`", refused.value.hint)
    assert query is not None
    with connect(superuser) as session:
        session.execute("SET enable_indexscan = off; SET enable_indexonlyscan = off")
        assert len(session.execute(query[1].encode()).fetchall()) == wrong


NEITHER = {
    "exclusion": (
        """CREATE TABLE public.t (r int4range, CONSTRAINT apart EXCLUDE USING gist (r WITH &&))
        UPDATE pg_catalog.pg_index SET indisready = false WHERE indrelid = 'public.t'::regclass
        INSERT INTO public.t VALUES ('[1,5)'), ('[2,6)')
        UPDATE pg_catalog.pg_index SET indisready = true WHERE indrelid = 'public.t'::regclass""",
        "constraint t apart could not be restored",
        "names two of the rows; fix them, then run `REINDEX INDEX public.apart;`",
    ),
    "a function that refuses": (
        """CREATE FUNCTION public.f(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'
        CREATE TABLE public.t (k text CHECK (public.f(k)))
        INSERT INTO public.t VALUES ('a')
        CREATE OR REPLACE FUNCTION public.f(text) RETURNS bool LANGUAGE plpgsql AS
          'BEGIN RAISE EXCEPTION $$unheard of$$; END'""".replace("AS\n", "AS "),
        'unheard of; COPY t, line 1: "a"',
        "public.f(text) refuses what it was called with",
    ),
}


@pytest.mark.parametrize("kind", NEITHER)
def test_what_no_statement_shows_is_named_all_the_same(kind: str, pipeline: Pipeline) -> None:
    statements, message, hint = NEITHER[kind]
    _as_superuser(pipeline)
    for statement in statements.splitlines():
        pipeline.administer(statement)
    with pytest.raises(DumpUnproven, match=re.escape(message)) as refused:
        dump(pipeline.settings)
    assert "no dump of this database restores until that is fixed" in refused.value.hint
    assert hint in refused.value.hint


def test_a_check_that_reads_a_table_filled_later_is_made_when_all_rows_are_there(
    pipeline: Pipeline,
) -> None:
    pipeline.execute(
        "CREATE TABLE public.known (k text); INSERT INTO public.known VALUES ('a');"
        "CREATE FUNCTION public.is_known(text) RETURNS boolean LANGUAGE sql STABLE AS "
        "'SELECT EXISTS (SELECT FROM public.known WHERE k = $1)';"
        "CREATE TABLE public.asks (k text CHECK (public.is_known(k)));"
        "INSERT INTO public.asks VALUES ('a')"
    )
    pipeline.gate(proof="embedded")
    with pytest.raises(DumpUnproven) as refused:
        dump(pipeline.settings)
    mend = re.search("`(ALTER TABLE .*?;)`", refused.value.hint)
    assert mend is not None
    pipeline.execute(mend[1])
    assert pipeline.night()[1].status == "published"


def test_a_function_of_an_extension_wants_the_search_path(debian: Pipeline) -> None:
    debian.administer(
        f"{PATH} CREATE EXTENSION cube; CREATE EXTENSION earthdistance;"
        "CREATE INDEX near ON location USING gist (ll_to_earth(latitude, longitude))"
    )
    with pytest.raises(DumpUnproven) as refused:
        dump(debian.settings)
    assert "of the extension earthdistance calls something without its sch" in refused.value.hint
    assert "SQL_DUMP_SEARCH_PATH=public," in refused.value.hint
    finding = next(one for one in preconditions(debian.settings) if one.what == "proof")
    assert finding.error is not None
    assert "SQL_DUMP_SEARCH_PATH=public," in finding.error.hint
    database = replace(debian.settings.database, search_path=("public",))
    debian.settings = replace(debian.settings, database=database)
    debian.gate(search_path=("public",))
    _, published = debian.night()
    assert published.manifest.proof is not None and published.manifest.proof.proven
