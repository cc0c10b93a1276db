"""``audit --policy``: what published dumps hold that nobody agreed to publish."""

from __future__ import annotations

import gzip
import subprocess

import pytest

from ppr_assets.operations.audit import Audited, Scope, audit
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import SampleDatabase

FILE = f"sql_dumps/{PUBLICATION}"
OLD = "sql_dumps/pantry_pirate_radio_2025-08-01_02-00-00.sql"


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    return sample_database(private=True)


def of_other_scripts(pipeline: Pipeline) -> bytes:
    """Everything, as upstream's scripts dump it."""
    command = [str(EMBEDDED_BIN / "pg_dump"), "--no-owner", "--no-privileges"]
    env = client_environment(pipeline.settings.database)
    return subprocess.run(command, env=env, capture_output=True, check=True).stdout


def held(pipeline: Pipeline) -> dict[str, Audited]:
    found = audit(pipeline.settings.data_repo, Scope(every=True, policy=True))
    return {one.dump: one for one in found if one.dump}


def test_a_file_that_the_settings_name_is_the_policy_of_today(pipeline: Pipeline) -> None:
    pipeline.first_night()
    file = pipeline.clone.parent / "policy.toml"
    file.write_text('[phone]\nnumber = "null"\n')
    scope = Scope(every=True, policy=True, policy_file=file)
    found = audit(pipeline.settings.data_repo, scope)
    (said,) = [finding for one in found for finding in one.findings]
    assert said.startswith("it holds what the policy of today would not allow: ")
    assert "values of phone.number (null)" in said


@pytest.mark.parametrize("packed", [False, True])
def test_a_dump_from_before_there_was_a_policy_is_named_with_what_it_holds(
    pipeline: Pipeline, packed: bool
) -> None:
    sql = of_other_scripts(pipeline)
    path, data = (f"{OLD}.gz", gzip.compress(sql, 1)) if packed else (OLD, sql)
    pipeline.first_night()
    (pipeline.clone / path).write_bytes(data)
    git(pipeline.clone, "add", "-f", path)
    git(pipeline.clone, "commit", "-q", "-m", "Nightly")

    old, new = sorted(held(pipeline).values(), key=lambda one: one.dump or "")
    assert new.findings == ()
    (said,) = old.findings
    assert said.startswith("it holds what the policy of today and the policy of then would not")
    assert f"{pipeline.count('change_audit')} rows of change_audit (structure)" in said
    corrected = pipeline.count("location_source WHERE updated_by IS NOT NULL")
    assert f"{corrected} values of location_source.updated_by (null)" in said
    assert "203.0.113" not in said and "pat.sample" not in said


def test_a_policy_that_became_stricter_names_what_was_published_before(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.change()
    pipeline.night()
    commit_files(pipeline.clone, "Notes are private", {FILE: '[language]\nnote = "null"\n'})
    pipeline.change()
    pipeline.night()
    old, new = sorted(held(pipeline).values(), key=lambda one: one.dump or "")
    count = pipeline.count("language")
    held_then = f"{count} values of language.note (null)"
    assert old.findings == (f"it holds what the policy of today would not allow: {held_then}",)
    assert new.findings == ()

    said = ppr_assets("audit", "--all", "--policy")
    assert said.code == 4
    assert "would not allow" in said.out
    assert "HINT: take it for read: change what is a key" in said.err
    assert ppr_assets("audit", "--all").code == 0


def test_partitions_and_inheriting_tables_follow_their_parents(pipeline: Pipeline) -> None:
    pipeline.execute("CREATE TABLE visits (day date, who text) PARTITION BY RANGE (day)")
    pipeline.execute("CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')")  # fmt: skip  # noqa: E501
    pipeline.execute("CREATE TABLE late (reason text) INHERITS (language)")
    pipeline.execute("INSERT INTO visits VALUES ('2025-05-05', 'Pat')")
    pipeline.execute("INSERT INTO late (id, reason) VALUES ('1', 'rain')")
    commit_files(pipeline.clone, "Decide", {FILE: '[visits]\nday = "public"\nwho = "null"\n'})
    (pipeline.clone / OLD).write_bytes(of_other_scripts(pipeline))
    git(pipeline.clone, "add", "-f", OLD)
    git(pipeline.clone, "commit", "-q", "-m", "Nightly")
    (one,) = held(pipeline).values()
    assert "1 values of visits_2025.who (null)" in one.findings[0]
    assert "1 values of late.reason (undecided)" in one.findings[0]
    assert "late.id" not in one.findings[0]
