"""Dumps that lack something on purpose, in the hands of everything that reads or restores dumps."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.operations.audit.selection import Scope
from ppr_assets.operations.audit.walk import audit
from ppr_assets.operations.diff.compare import diff
from ppr_assets.operations.diff.records import DumpDiff, SchemaDiff
from ppr_assets.operations.diff.two_dumps import two_dumps
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.settings import DatabaseSettings, KeepSettings
from ppr_assets_tests import fix_nasty
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import SampleDatabase
from ppr_assets_tests.fix_restore import make_dump

pytestmark = pytest.mark.usefixtures("strict_policy")

OLD = "pantry_pirate_radio_2026-11-01_02-00-00.sql"


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    return sample_database(private=True)


def decide(pipeline: Pipeline, text: str) -> None:
    commit_files(pipeline.clone, "Decide what is published", {f"sql_dumps/{PUBLICATION}": text})


def compared(pipeline: Pipeline, before: str | None = None, after: str | None = None) -> DumpDiff:
    with two_dumps(pipeline.settings.data_repo, before, after) as (one, other):
        return diff(one, other)


def test_what_is_withheld_since_is_told_as_that_and_changes_no_row(pipeline: Pipeline) -> None:
    pipeline.change()
    pipeline.execute("CREATE TABLE visits (place text, who text)")
    pipeline.execute("INSERT INTO visits VALUES ('pantry', 'Pat'), ('kitchen', 'Kim')")
    decide(pipeline, '[visits]\nplace = "public"\nwho = "public"\n')
    first = pipeline.night()[1].manifest.dump
    pipeline.execute(
        "UPDATE language SET name = 'Esperanto' WHERE id = (SELECT min(id) FROM language)"
    )
    decide(pipeline, '[visits]\n"*" = "structure"\n[language]\nnote = "null"\n')
    second = pipeline.night()[1].manifest.dump

    found, rows = compared(pipeline), pipeline.count("language")
    assert [str(one) for one in found.withheld] == [
        f"withheld since: language.note as NULL in {rows} rows",
        "withheld since: visits without its 2 rows",
    ]
    (language,) = found.tables
    assert (language.added, language.removed, language.changed) == (0, 0, 1)
    backwards = compared(pipeline, second, first)
    assert [str(one) for one in backwards.withheld] == [
        "withheld no longer: language.note",
        "withheld no longer: visits",
    ]
    assert [table.changed for table in backwards.tables] == [1]

    decide(
        pipeline,
        '[visits]\n"*" = "structure"\n[language]\nnote = { rule = "replaced", text = "-" }\n',
    )
    pipeline.night()
    found = compared(pipeline)
    assert (len(found.tables), [*map(str, found.withheld)]) == (
        0,
        [f"withheld otherwise: language.note replaced in {rows} rows"],
    )
    assert found


def test_a_dump_from_before_there_was_a_policy_is_compared_and_drilled_beside_a_new_one(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fix_nasty, "shipped_policy", Policy)  # with the lenient plan: all is public
    old = make_dump(pipeline.settings.database, tmp_path / OLD).found(tmp_path)
    assert old.manifest is not None and not old.manifest.policy
    pipeline.first_night()
    with found_dump(pipeline.settings.data_repo, Wanted()) as new:
        found = diff(old, new)
        assert new.manifest is not None
        names = {one.name for one in new.manifest.withheld}
        assert {one.what.name for one in found.withheld} == names > {"change_audit"}
        assert {one.how for one in found.withheld} == {"withheld since"}
        counters = SchemaDiff(
            "removed", "SEQUENCE SET", "public", "reconciler_constraint_violations_id_seq"
        )
        assert (found.tables, found.schema) == ((), (counters,))
        nothing_told = diff(replace(old, manifest=None), new)
        assert (nothing_told.withheld, len(nothing_told.tables) > 3) == ((), True)
        place = ProofPlace.of(
            dataclasses.replace(
                pipeline.settings,
                dump=dataclasses.replace(pipeline.settings.dump, proof="embedded"),
            )
        )
        for one in (old, new):
            assert drill(place, one, deadline=Deadline(60)).proven


def test_a_dump_in_parts_without_rows_of_some_tables_passes_everything_that_looks_at_dumps(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    pipeline.gate(max_file_bytes=200_000, ratchet_tables=None, keep=KeepSettings(1, 0, 0, 0, 0))
    first = pipeline.first_night()[1].manifest
    pipeline.change()
    second = pipeline.night()[1].manifest
    assert pipeline.mark()["tables"]["change_audit"] == pipeline.count("change_audit")
    assert (pipeline.dumps / second.dump).with_suffix(".parts").is_dir()
    assert not (pipeline.dumps / first.dump).exists()  # retired as any other

    (line,) = ppr_assets("list").out.splitlines()[1:]
    assert "latest, in parts, " in line and line.endswith(", 3 tables and 5 columns withheld")
    assert json.loads(ppr_assets("status", "--json").out)["latest_withheld"][0] == {
        "table": "change_audit",
        "column": "",
        "rule": "structure",
        "rows": pipeline.count("change_audit"),
        "text": "",
    }
    for held_to_policy in (False, True):
        scope = Scope(every=True, policy=held_to_policy)
        audited = [*audit(pipeline.settings.data_repo, scope)]
        assert [one.findings for one in audited] == [(), ()]
    assert ppr_assets("verify").code == 0
    drilled = ppr_assets("drill", SQL_DUMP_PROOF="embedded")
    assert "not compared: the dump brings no rows of change_audit" in drilled.out
