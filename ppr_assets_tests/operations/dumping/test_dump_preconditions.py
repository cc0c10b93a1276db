"""What a dump needs is looked at first, and the object that stands in the way is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.errors import Busy, PreconditionFailed
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, Pipeline
from ppr_assets_tests.fix_tools import FakeTool
from ppr_assets_tests.opened import dump


def _refused(pipeline: Pipeline, words: str) -> PreconditionFailed:
    before = pipeline.picture()
    with pytest.raises(PreconditionFailed, match=words) as failed:
        dump(pipeline.settings)
    assert pipeline.picture() == before
    return failed.value


@pytest.fixture
def reader(pipeline: Pipeline) -> Iterator[str]:
    """The pipeline dumps as a role that may read everything and owns nothing."""
    name = f"reader_of_{pipeline.settings.database.dbname}"
    pipeline.administer(
        f"CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name};"
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}"
    )
    owner = pipeline.settings
    pipeline.settings = replace(owner, database=replace(owner.database, user=name))
    yield name
    pipeline.settings = owner
    pipeline.administer(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_role_that_may_read_everything_is_enough(pipeline: Pipeline, reader: str) -> None:
    assert dump(pipeline.settings).status == "staged"


def test_a_table_that_may_not_be_read_is_named(pipeline: Pipeline, reader: str) -> None:
    pipeline.administer(f"REVOKE SELECT ON language FROM {reader}")
    error = _refused(pipeline, f"role {reader} may not read table language$")
    assert f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}" in error.hint


def test_the_role_that_is_set_is_the_one_that_may_not_read(pipeline: Pipeline, reader: str) -> None:
    name = pipeline.settings.database.dbname
    pipeline.administer(f"GRANT pg_monitor TO {reader}")
    pipeline.administer(f"ALTER ROLE {reader} IN DATABASE {name} SET role TO pg_monitor")
    _refused(pipeline, "^role pg_monitor may not read ")


def test_a_sequence_that_may_not_be_read_is_named(pipeline: Pipeline, reader: str) -> None:
    pipeline.administer(f"REVOKE SELECT ON SEQUENCE record_version_id_seq FROM {reader}")
    _refused(pipeline, "may not read sequence record_version_id_seq$")


def test_a_schema_that_may_not_be_entered_is_named_by_its_tables(
    pipeline: Pipeline, reader: str
) -> None:
    pipeline.administer('CREATE SCHEMA "Other"; CREATE TABLE "Other".hidden (a int)')
    pipeline.administer(f'GRANT SELECT ON "Other".hidden TO {reader}')
    error = _refused(pipeline, 'may not read table "Other".hidden$')
    for statement in re.findall("GRANT [^;]+;", error.hint):
        pipeline.administer(statement)
    assert dump(pipeline.settings).status == "staged"


def test_row_level_security_that_hides_rows_is_named(pipeline: Pipeline, reader: str) -> None:
    pipeline.administer("ALTER TABLE service ENABLE ROW LEVEL SECURITY")
    error = _refused(pipeline, "row-level security may hide rows of service$")
    assert "BYPASSRLS" in error.hint


def test_row_level_security_that_holds_for_others_is_no_obstacle(pipeline: Pipeline) -> None:
    pipeline.execute("ALTER TABLE service ENABLE ROW LEVEL SECURITY")
    assert dump(pipeline.settings).status == "staged"


def test_a_missing_core_table_is_named(pipeline: Pipeline) -> None:
    pipeline.execute("ALTER TABLE service RENAME TO services")
    _refused(pipeline, "required tables missing: service$")


def test_a_table_that_stays_locked_is_named(pipeline: Pipeline) -> None:
    pipeline.gate(stall_seconds=0.3)
    with connect(pipeline.settings.database) as migration:
        migration.execute("LOCK TABLE location IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Busy, match="table location is locked by another session") as busy:
            dump(pipeline.settings)
    assert busy.value.exit_code == 7
    pipeline.gate(stall_seconds=300.0)
    assert dump(pipeline.settings).status == "staged"


@pytest.mark.parametrize(
    ("place", "option"),
    [
        ("USER MAPPING FOR postgres SERVER archive", "password 'hunter2'"),
        ("USER MAPPING FOR PUBLIC SERVER archive", "sslpassword 'hunter2'"),
        ("SERVER other FOREIGN DATA WRAPPER elsewhere", "\"Secret_Access_Key\" 'hunter2'"),
        ("SERVER other FOREIGN DATA WRAPPER elsewhere", "dbname 'host=h password = hunter2'"),
        ("FOREIGN DATA WRAPPER other", "base 'https://u:hunter2@example.org/'"),
        ("FOREIGN TABLE kept (a int) SERVER archive", "api_key 'hunter2'"),
        ("FOREIGN TABLE kept (a int OPTIONS (token 'hunter2')) SERVER archive", ""),
    ],
)
def test_a_password_that_the_dump_would_publish_is_refused(
    pipeline: Pipeline, place: str, option: str
) -> None:
    """pg_dump writes the options of whatever is elsewhere as they are."""
    pipeline.administer(
        "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER archive FOREIGN DATA WRAPPER "
        "elsewhere OPTIONS (passfile '/run/pgpass', sslkey '/etc/key', host 'https://h:5/a@b'); "
        "CREATE USER MAPPING FOR pg_monitor SERVER archive OPTIONS (password_required 'false')"
    )
    owner = pipeline.settings
    pipeline.settings = replace(owner, database=replace(owner.database, user="postgres"))
    assert dump(pipeline.settings).status == "staged"
    pipeline.administer(f"CREATE {place}" + (f" OPTIONS ({option})" if option else ""))
    error = _refused(pipeline, r"would publish a password: [^,]+ \(option [^,]+\)$")
    assert "hunter2" not in error.render()


def test_a_pg_dump_of_another_major_on_path_is_passed_over(
    pipeline: Pipeline, fake_tool: FakeTool
) -> None:
    fake_tool(
        "pg_dump",
        '[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 15.3" && exit 0; exit 1',
    )
    outcome = dump(pipeline.settings)
    assert outcome.manifest is not None
    assert outcome.manifest.tools["pg_dump"].startswith("18.")


def test_a_pg_dump_that_cannot_tell_its_version_is_not_trusted(
    pipeline: Pipeline, fake_tool: FakeTool
) -> None:
    tool = fake_tool("pg_dump", "echo 'cannot load libpq' >&2; exit 127")
    _refused(pipeline, f"`{tool} --version` failed: exit code 127: cannot load libpq")


def test_without_a_tool_for_the_server_have_and_need_are_told(fake_tool: FakeTool) -> None:
    tool = fake_tool("pg_dump", "echo 'pg_dump (PostgreSQL) 15.3'")
    with pytest.raises(PreconditionFailed, match=f"have {tool} 15.3, .*need pg_dump 19$"):
        find_tool("pg_dump", 19)


def test_the_embedded_tools_are_not_taken_where_tls_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tool("pg_dump", 18).path == REAL_PG_DUMP
    with pytest.raises(PreconditionFailed, match="with TLS for POSTGRES_SSLMODE=require"):
        find_tool("pg_dump", 18, sslmode="require")
