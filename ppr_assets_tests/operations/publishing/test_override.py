"""A human may pass the gate once: it is recorded where everybody looks, and the mark stays."""

from __future__ import annotations

import pytest

from ppr_assets.errors import GateRefused
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import ANN, Pipeline, decided
from ppr_assets_tests.opened import dump, publish

REASON = "the county closed a third of its pantries, see the minutes of 2025-08-08"


@pytest.fixture
def shrunken(pipeline: Pipeline) -> Pipeline:
    """A published dump, and a database that has lost a third since."""
    pipeline.first_night()
    pipeline.lose_a_third()
    return pipeline


def _trailer(pipeline: Pipeline, key: str) -> str:
    return git(pipeline.clone, "log", "-1", f"--format=%(trailers:key={key},valueonly)", "main")


def _published_manifest(pipeline: Pipeline) -> Manifest:
    name = pipeline.latest().removesuffix(".sql") + ".json"
    return Manifest.from_json(git(pipeline.clone, "show", f"main:sql_dumps/{name}") + "\n")


def test_a_reason_passes_the_gate_and_stands_in_manifest_and_commit(shrunken: Pipeline) -> None:
    mark = shrunken.mark()
    dumped, published = shrunken.night(override_reason=f"  {REASON} ")
    assert dumped.verdict.status == "overridden"
    assert published.status == "published"
    assert _trailer(shrunken, "Override") == f"Launchpad: {REASON}"
    assert _published_manifest(shrunken).override == Override(REASON, "Launchpad", ANN)
    assert _trailer(shrunken, "Override-By") == ANN
    assert _published_manifest(shrunken).verdict["status"] == "overridden"
    assert shrunken.mark() == mark
    assert _trailer(shrunken, "Mark") == "200"


def test_the_variable_passes_the_gate_and_is_recorded_as_such(shrunken: Pipeline) -> None:
    mark = shrunken.mark()
    shrunken.gate(allow_empty=True, named_operator="Ann Lee")
    shrunken.night()
    assert _trailer(shrunken, "Override-By") == ANN
    assert _trailer(shrunken, "Override") == "variable: ALLOW_EMPTY_SQL_DUMP=true"
    assert shrunken.mark() == mark


def test_an_override_holds_for_one_run(shrunken: Pipeline) -> None:
    shrunken.night(override_reason=REASON)
    shrunken.change()
    with pytest.raises(GateRefused, match="134 records, at least 180 needed"):
        shrunken.night()


def test_an_override_that_is_not_needed_is_not_recorded(pipeline: Pipeline) -> None:
    pipeline.gate(allow_empty=True)
    dumped, _ = pipeline.night(override_reason=REASON)
    assert dumped.verdict.status == "accepted"
    assert _trailer(pipeline, "Override") == ""
    assert _published_manifest(pipeline).override is None


def test_a_blank_reason_is_none(shrunken: Pipeline) -> None:
    before = shrunken.picture()
    with pytest.raises(GateRefused):
        shrunken.night(override_reason="  \n")
    assert shrunken.picture() == before


def test_a_reason_of_several_lines_cannot_pass_for_a_trailer(shrunken: Pipeline) -> None:
    shrunken.night(override_reason="fine\n\nMark: 0\nSha256: 0")
    assert _trailer(shrunken, "Override") == "Launchpad: fine Mark: 0 Sha256: 0"
    assert _trailer(shrunken, "Mark") == "200"


def test_an_overridden_dump_is_published_under_the_override_it_was_made_with(
    shrunken: Pipeline,
) -> None:
    """The steps are separate: whoever runs the second one need not know the reason."""
    dump(shrunken.settings, given=decided(REASON))
    assert publish(shrunken.settings).status == "published"
    assert _trailer(shrunken, "Override") == f"Launchpad: {REASON}"


def test_an_overridden_first_dump_earns_no_mark_and_the_floor_stays(pipeline: Pipeline) -> None:
    pipeline.gate(min_records=201)
    pipeline.night(override_reason=REASON)
    assert pipeline.mark()["max_record_count"] == 0
    assert "tables" not in pipeline.mark()
    pipeline.change()
    with pytest.raises(GateRefused, match="record-count floor refused"):
        pipeline.night()
    pipeline.gate(min_records=100)
    pipeline.night()
    assert pipeline.mark()["max_record_count"] == 200
