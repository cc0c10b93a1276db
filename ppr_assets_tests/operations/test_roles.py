"""Roles as hosts give them: what such a role may not make is named before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpUnproven, PreconditionFailed
from ppr_assets.operations.doctor import Precondition, preconditions
from ppr_assets.operations.restoring.drill import DrillOutcome, drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.settings import DatabaseSettings, Settings
from ppr_assets.settings.postgres_kinds import left_out
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_nasty import fill_core
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import dump

_REST = ("event trigger noted", "function leak(integer)")

PRIVILEGED = """
CREATE EXTENSION pg_stat_statements SCHEMA public;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION public.note();
CREATE FUNCTION public.leak(int) RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT $1';
"""


@pytest.fixture
def hosted(pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline whose role owns its database, may create others, and is no superuser."""
    role = pipeline.settings.database.user
    pipeline.gate(proof="server")
    pipeline.administer(f"ALTER ROLE {role} CREATEDB")
    yield pipeline
    pipeline.administer(f"ALTER ROLE {role} NOCREATEDB")


def test_what_only_a_superuser_may_make_is_named_as_a_whole(hosted: Pipeline) -> None:
    hosted.administer(PRIVILEGED)
    before = hosted.picture()
    with pytest.raises(DumpUnproven) as refused:
        dump(hosted.settings)
    role = hosted.settings.database.user
    message, hint = refused.value.message, refused.value.hint
    for object_ in ("extension pg_stat_statements", "publication everything", *_REST):
        assert object_ in message
    assert f"role {role} may not make extension" in message
    assert "blame" not in hint
    assert f"`ALTER ROLE {role} SUPERUSER;`" in hint
    assert "template1 (`CREATE EXTENSION pg_stat_statements;`)" in hint
    assert "SQL_DUMP_PROOF=embedded" in hint and "PPR_PROOF_HOST" in hint
    assert hosted.picture() == before


def test_a_rule_lets_a_proof_go_without_it_and_everything_says_so(hosted: Pipeline) -> None:
    hosted.administer(PRIVILEGED)
    with pytest.raises(DumpUnproven) as refused:
        dump(hosted.settings)
    found = re.search('SQL_DUMP_PROOF_WITHOUT="(.*?)"', refused.value.hint)
    assert found is not None
    hosted.gate(proof_without=left_out(found[1]))
    _, published = hosted.night()
    proof = published.manifest.proof
    assert proof is not None and proof.where == "server"
    assert set(proof.without) == {"extension pg_stat_statements", "publication everything", *_REST}
    assert "but for" in git(hosted.clone, "log", "-1", "--format=%(trailers:key=Proof)", "main")
    drilled = _drill_latest(hosted, "server")
    assert set(drilled.proof.without) == set(proof.without)


def test_an_embedded_server_proves_what_the_role_may_not_make(hosted: Pipeline) -> None:
    hosted.administer(PRIVILEGED)
    hosted.gate(proof="embedded")
    _, published = hosted.night()
    proof = published.manifest.proof
    assert proof is not None
    assert (proof.where, proof.without) == ("embedded", ())


def test_another_server_proves_it_with_the_role_that_variables_name(hosted: Pipeline) -> None:
    hosted.administer(PRIVILEGED)
    variables = hosted.variables | {
        "SQL_DUMP_PROOF": "elsewhere",
        "PPR_PROOF_HOST": hosted.settings.database.host,
        "PPR_PROOF_USER": "postgres",
        "PPR_PROOF_PASSWORD": "",
    }
    hosted.settings = Settings.from_environment(variables, dotenv=None)
    _, published = hosted.night()
    proof = published.manifest.proof
    assert proof is not None
    assert (proof.where, proof.without) == ("elsewhere", ())


def test_a_role_elsewhere_that_may_not_make_databases_is_named(pipeline: Pipeline) -> None:
    own = pipeline.settings.database
    pipeline.gate(proof="elsewhere", proof_server=replace(own, dbname="postgres"))
    with pytest.raises(PreconditionFailed, match="of PPR_PROOF_USER may not create") as refused:
        dump(pipeline.settings)
    assert f"ALTER ROLE {own.user} CREATEDB" in refused.value.hint


def test_an_extension_that_an_administrator_put_into_template1_is_used(hosted: Pipeline) -> None:
    in_template1 = replace(hosted.settings.database, user="postgres", dbname="template1")
    hosted.administer("CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext")
    with connect(in_template1, autocommit=True) as session:
        session.execute("CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext")
    try:
        _, published = hosted.night()
    finally:
        with connect(in_template1, autocommit=True) as session:
            session.execute("DROP EXTENSION pg_stat_statements; DROP SCHEMA ext")
    assert published.manifest.proof is not None
    assert published.manifest.proof.without == ()


def _drill_latest(pipeline: Pipeline, where: str) -> DrillOutcome:
    with found_dump(pipeline.settings.data_repo, Wanted()) as found:
        return drill(
            ProofPlace(
                pipeline.settings.database, where, rule=pipeline.settings.dump.proof_without
            ),
            found,
            deadline=Deadline(60),
        )


def test_doctor_names_it_before_the_night(hosted: Pipeline) -> None:
    assert "objects can be made there" in _finding(hosted).detail
    hosted.administer(PRIVILEGED)
    before = hosted.picture()
    found = _finding(hosted)
    assert found.error is not None
    for object_ in ("extension pg_stat_statements", "publication everything", *_REST):
        assert object_ in found.error.message
    hosted.gate(proof="embedded")
    assert _finding(hosted).error is None
    assert hosted.picture() == before


def test_who_may_make_databases_and_not_enter_them_hears_it_before_and_at_night(
    hosted: Pipeline, embedded_server: EmbeddedServer
) -> None:
    rules = embedded_server.data_dir / "pg_hba.conf"
    before = rules.read_text()
    own = hosted.settings.database
    kept_in = f"local {own.dbname} {own.user} trust\nlocal all {own.user} reject\n"
    rules.write_text(kept_in + before)
    hosted.administer("SELECT pg_reload_conf()")
    try:
        found = _finding(hosted)
        assert found.error is not None
        with pytest.raises(DumpUnproven) as refused:
            dump(hosted.settings)
        hosted.gate(proof="embedded")
        hosted.night()
    finally:
        rules.write_text(before)
        hosted.administer("SELECT pg_reload_conf()")
    for error in (found.error, refused.value):
        assert f"role {own.user} may make databases on this server, and not enter" in error.message
        assert "pg_hba.conf rejects" in error.message
        assert "SQL_DUMP_PROOF=embedded" in error.hint
        assert "is the server up" not in error.render()


def test_an_extension_that_the_embedded_server_lacks_is_named_by_doctor(
    debian_database: Callable[[], DatabaseSettings], pipeline: Pipeline
) -> None:
    database = debian_database()
    fill_core(database)
    with connect(database, autocommit=True) as session:
        session.execute("CREATE EXTENSION pgcrypto SCHEMA public")
    pipeline.settings = replace(pipeline.settings, database=database)
    pipeline.gate(proof="embedded")
    found = _finding(pipeline)
    assert found.error is not None
    assert "it needs the extension pgcrypto, which the embedded server lacks" in found.error.message
    assert "SQL_DUMP_PROOF=elsewhere" in found.error.hint
    pipeline.gate(proof="server")
    assert _finding(pipeline).error is None


def _finding(pipeline: Pipeline, what: str = "proof") -> Precondition:
    return next(one for one in preconditions(pipeline.settings) if one.what == what)


def test_the_statement_that_is_named_lets_a_foreign_server_pass(hosted: Pipeline) -> None:
    own = hosted.settings.database
    hosted.administer(
        "CREATE EXTENSION postgres_fdw SCHEMA public; "
        f"CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; ALTER SERVER far OWNER TO {own.user}"
    )
    wanted = f"GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {own.user};"
    found = _finding(hosted)
    assert found.error is not None
    assert f"template1 (`CREATE EXTENSION postgres_fdw; {wanted}`)" in found.error.hint
    in_template1 = replace(own, user="postgres", dbname="template1")
    with connect(in_template1, autocommit=True) as session:
        session.execute("CREATE EXTENSION postgres_fdw SCHEMA public")
    try:
        found = _finding(hosted)
        assert found.error is not None
        assert found.error.hint.startswith(f"A superuser runs `{wanted}` in template1. SQL_DUMP")
        with connect(in_template1, autocommit=True) as session:
            session.execute(wanted.encode())
        assert _finding(hosted).error is None
    finally:
        with connect(in_template1, autocommit=True) as session:
            session.execute("DROP EXTENSION postgres_fdw")


def test_too_few_sessions_are_found_before_the_night(hosted: Pipeline) -> None:
    own = hosted.settings.database
    hosted.administer(f"ALTER ROLE {own.user} CONNECTION LIMIT 4")
    try:
        error = _finding(hosted, "sessions").error
        hosted.gate(proof="embedded")
        assert _finding(hosted, "sessions").error is None
        hosted.night()
    finally:
        hosted.administer(f"ALTER ROLE {own.user} CONNECTION LIMIT -1")
    assert error is not None
    assert f"role {own.user} may have 4 sessions at a time, a night needs" in error.message
    assert f"ALTER ROLE {own.user} CONNECTION LIMIT " in error.hint
    hosted.administer(f"ALTER DATABASE {own.dbname} CONNECTION LIMIT 2")
    error = _finding(hosted, "sessions").error
    assert error is not None
    assert f"database {own.dbname} may have 2 sessions at a time" in error.message


def test_an_embedded_server_is_given_the_roles_and_tablespaces_that_a_dump_names(
    hosted: Pipeline,
) -> None:
    hosted.administer('CREATE ROLE "app, one" NOLOGIN')
    hosted.administer('CREATE POLICY own ON organization FOR SELECT TO "app, one" USING (true)')
    hosted.administer("SET allow_in_place_tablespaces = on")
    with connect(replace(hosted.settings.database, user="postgres"), autocommit=True) as session:
        session.execute("SET allow_in_place_tablespaces = on")
        session.execute("CREATE TABLESPACE fast LOCATION ''")
        session.execute("ALTER TABLE public.language SET TABLESPACE fast")
    hosted.gate(proof="embedded")
    try:
        hosted.night()
    finally:
        hosted.administer('DROP POLICY own ON organization; DROP ROLE "app, one"')
        hosted.administer("ALTER TABLE public.language SET TABLESPACE pg_default")
        hosted.administer("DROP TABLESPACE fast")


def test_what_the_embedded_server_was_built_without_is_its_fault(
    debian_database: Callable[[], DatabaseSettings], pipeline: Pipeline
) -> None:
    database = debian_database()
    fill_core(database)
    with connect(database, autocommit=True) as session:
        session.execute("CREATE TABLE public.x (v xml DEFAULT '<a/>')")
        session.execute("CREATE VIEW public.y AS SELECT xmlelement(name a) AS v")
        session.execute("CREATE COLLATION public.german (provider = icu, locale = 'de')")
        session.execute(
            "CREATE TABLE public.z (v text COMPRESSION lz4, w text COLLATE public.german)"
        )
    pipeline.settings = replace(pipeline.settings, database=database)
    pipeline.gate(proof="embedded", min_records=1)
    found = _finding(pipeline)
    assert found.error is not None
    with pytest.raises(DumpUnproven) as refused:
        dump(pipeline.settings)
    for error in (found.error, refused.value):
        assert re.search(r"the embedded server \(PostgreSQL 18.* cannot make", error.message)
        for object_ in ("collation german (ICU is not", "table x (unsupported XML", "view y ("):
            assert object_ in error.message
        assert "without that there is no table z (" in error.message
        assert "SQL_DUMP_PROOF=elsewhere" in error.hint
        assert "blame" not in error.hint


def test_rows_that_the_embedded_server_cannot_read_are_no_fault_of_the_dump(
    debian_database: Callable[[], DatabaseSettings], pipeline: Pipeline
) -> None:
    database = debian_database()
    fill_core(database)
    with connect(database, autocommit=True) as session:
        session.execute("CREATE TABLE public.x (v xml[]); CREATE TABLE public.void (v xml)")
    pipeline.settings = replace(pipeline.settings, database=database)
    pipeline.gate(proof="embedded", min_records=1)
    pipeline.night()
    with connect(database, autocommit=True) as session:
        session.execute("INSERT INTO public.x VALUES ('{<a/>}')")
    found = _finding(pipeline)
    assert found.error is not None
    with pytest.raises(DumpUnproven) as refused:
        dump(pipeline.settings)
    for error in (found.error, refused.value):
        assert "table data x (unsupported XML" in error.message
        assert "SQL_DUMP_PROOF=elsewhere" in error.hint
        assert "blame" not in error.hint
    assert "void" not in refused.value.message  # doctor looks at no rows


def test_what_an_administrator_has_made_in_the_target_is_used_in_place(hosted: Pipeline) -> None:
    hosted.administer("CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext")
    hosted.administer("CREATE PUBLICATION everything FOR ALL TABLES")
    hosted.administer("COMMENT ON PUBLICATION everything IS 'for the map'")
    hosted.gate(proof="embedded")
    _, published = hosted.night()
    own = hosted.settings.database
    hosted.change()
    with found_dump(hosted.settings.data_repo, Wanted()) as found:
        restored = restore_in_place(own, found, deadline=Deadline(60))
        assert restored.tables == published.manifest.tables
        hosted.administer("DROP PUBLICATION everything")
        with pytest.raises(PreconditionFailed) as refused:
            restore_in_place(own, found, deadline=Deadline(60))
    assert f"role {own.user} may not make publication everything" in refused.value.message
    assert "SQL_DUMP_PROOF_WITHOUT=" in refused.value.hint
    with found_dump(hosted.settings.data_repo, Wanted()) as found:
        guard = Guard(without=("publication everything",))
        restored = restore_in_place(own, found, Terms(guard=guard), deadline=Deadline(60))
    assert any("publication everything" in remark for remark in restored.remarks)


def test_a_restore_names_it_before_it_loads_and_goes_without_it_by_a_rule(hosted: Pipeline) -> None:
    hosted.administer(PRIVILEGED)
    hosted.gate(proof="embedded")
    hosted.night()
    into = replace(hosted.settings.database, dbname="restored_without")
    with found_dump(hosted.settings.data_repo, Wanted()) as found:
        with pytest.raises(PreconditionFailed) as refused:
            restore(into, found, deadline=Deadline(60))
        assert "may not make extension pg_stat_statements" in refused.value.message
        rule = re.search('SQL_DUMP_PROOF_WITHOUT="(.*?)"', refused.value.hint)
        assert rule is not None
        guard = Guard(without=left_out(rule[1]))
        try:
            restored = restore(into, found, Terms(guard=guard), deadline=Deadline(60))
        finally:
            hosted.administer("DROP DATABASE IF EXISTS restored_without")
    assert sum("SQL_DUMP_PROOF_WITHOUT" in remark for remark in restored.remarks) == 4
