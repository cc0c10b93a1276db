"""The page in a real night: in the dump's own commit, or not at all."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from functools import partial

import pytest

from ppr_assets.errors import GateRefused
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.rules.page.picture import carried
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import count_records, dump, publish

PAGE, PICTURE = "sql_dumps/README.md", "sql_dumps/dumps.svg"


def test_a_dumps_own_commit_holds_both_files_and_an_unchanged_night_makes_none(
    pipeline: Pipeline,
) -> None:
    _, published = pipeline.first_night()
    changed = git(pipeline.clone, "show", "--format=", "--name-only", "main").splitlines()
    assert {PAGE, PICTURE, f"sql_dumps/{published.manifest.dump}"} <= {*changed}
    readme = (pipeline.clone / PAGE).read_text()
    assert f"{published.manifest.counts['organization']:,} organizations, " in readme
    assert git(pipeline.remote, "show", f"main:{PAGE}") == readme.rstrip("\n")
    before = pipeline.picture()
    _, unchanged = pipeline.night()
    assert unchanged.status == "unchanged"
    assert pipeline.picture() == before


def test_a_refused_night_is_marked_by_the_next_that_is_published(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.lose_a_third()
    with pytest.raises(GateRefused):
        pipeline.night()
    assert "no noted refusal" in (pipeline.clone / PAGE).read_text()
    pipeline.night(override_reason="county closed")
    readme = (pipeline.clone / PAGE).read_text()
    assert f"one noted refusal, on {datetime.now(UTC).date()}" in readme
    assert "Ann Lee\\: county closed" in readme
    past = carried((pipeline.clone / PICTURE).read_text())
    assert past is not None
    assert [night.overridden for night in past.nights][-1:] == [True]


def test_each_step_that_refuses_notes_the_day(pipeline: Pipeline) -> None:
    noted = pipeline.clone / ".git" / "ppr_assets" / "refused_days"
    pipeline.first_night()
    count_records(pipeline.settings)
    pipeline.change()
    assert dump(pipeline.settings).status == "staged"
    assert not noted.exists()
    pipeline.gate(min_records=10**6)
    for step in (publish, count_records, dump):
        step(pipeline.settings)
        assert noted.read_text() == f"{datetime.now(UTC).date()}\n", step
        noted.unlink()


@pytest.mark.parametrize("most", [None, 300_000], ids=["one file", "parts"])
def test_the_three_lines_of_the_page_restore_the_newest_dump_and_no_damaged_one(
    most: int | None, pipeline: Pipeline
) -> None:
    pipeline.gate(max_file_bytes=most)
    _, published = pipeline.first_night()
    readme = (pipeline.clone / PAGE).read_text()
    script = readme.partition("```sh\n")[2].partition("```")[0]
    assert len(script.splitlines()) == 3
    script = script.replace(" pantry_pirate_radio ", " by_hand ")
    database = pipeline.settings.database
    where = {"PGHOST": database.host, "PGPORT": str(database.port)}
    search = f"{EMBEDDED_BIN}:{os.environ['PATH']}"
    call = partial(
        subprocess.run,
        ["sh", "-c", f"{script}psql -XAtqd by_hand -c 'select count(*) from organization'"],
        cwd=pipeline.dumps,
        env={**os.environ, **where, "PGUSER": "postgres", "PATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        restored = call()
        assert restored.stdout.splitlines()[-1:] == [str(published.manifest.counts["organization"])]
    finally:
        pipeline.administer("DROP DATABASE IF EXISTS by_hand")
    path = pipeline.dumps / published.manifest.dump
    if most is not None:
        assert published.manifest.sha256 in restored.stdout
        path = max(path.with_suffix(".parts").iterdir())
    path.write_bytes(path.read_bytes()[:-1000])
    damaged = call()
    assert ("latest.sql: FAILED" in damaged.stdout) == (most is None)
    assert 'database "by_hand" does not exist' in damaged.stderr
