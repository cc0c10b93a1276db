"""What a failed step says where it was launched: in the UI."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.errors import GateRefused, SettingsError, Unexpected
from ppr_assets.operations.night import Night
from ppr_assets.operations.replaying.terms import NOT_REPLACED
from ppr_assets.operations.restoring.serving.guarding import A_RESTORE
from ppr_assets.orchestration.assets.replayed_database import ReplayConfig
from ppr_assets.orchestration.assets.restored_database import RestoreConfig
from ppr_assets.orchestration.failures import (
    LAUNCHPAD_FIELDS,
    expected_failures,
    failure,
    in_launchpad,
)
from ppr_assets.orchestration.resources import decided
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets_tests.fix_sinks import without_services


def test_options_of_the_command_line_have_the_names_that_they_have_in_the_launchpad() -> None:
    failed = failure(GateRefused("too few", hint=A_RESTORE.way_out))
    said = "In the Launchpad --override is `override`, with `by`."
    assert failed.description == f"too few\nHINT: {A_RESTORE.way_out} {said}"
    assert failed.metadata["hint"].value == f"{A_RESTORE.way_out} {said}"
    assert in_launchpad(NOT_REPLACED).endswith(
        " In the Launchpad --override is `override`, --scraper is `scraper`, with `by`."
    )
    assert in_launchpad("give more time with --deadline") == (
        "give more time with --deadline In the Launchpad --deadline is `deadline_seconds`."
    )


def test_commands_that_are_quoted_and_hints_that_know_the_launchpad_stay_as_they_are() -> None:
    for hint in (
        "`ppr-assets restore --into NAME` looks at it.",
        '`ppr-assets dump --override "why"`, or --override in the Launchpad.',
        "is the disk full?",
        "",
    ):
        assert in_launchpad(hint) == hint


def test_what_nobody_expected_is_noted_and_ends_the_step_as_it_is(tmp_path: Path) -> None:
    night = Night("run")
    with (
        pytest.raises(LookupError, match="nobody thought of it"),
        expected_failures(without_services(tmp_path), night),
    ):
        raise LookupError("nobody thought of it")
    assert isinstance(night.failure, Unexpected)
    assert night.failure.message == "this was not expected: LookupError: nobody thought of it"


def test_a_decision_in_a_runs_config_is_signed_and_can_be_read() -> None:
    override = decided("override", " the county\nhas closed ", " Zoë O'Hara ")
    assert override == Override("the county has closed", "Launchpad", "Zoë O'Hara")
    assert decided("override", " ", "Zoë") is None
    for reason, by, said in (
        ("why", " ", "`override` has a reason and no name"),
        ("why", "Z" * 101, "`by` of the run's config must be a name on one line"),
        ("why\x1b[2J", "Zoë", "`override` of the run's config must be a sentence of at most 500"),
    ):
        with pytest.raises(SettingsError, match=said):
            decided("override", reason, by)


def test_each_name_is_a_field_of_a_run() -> None:
    fields = RestoreConfig.model_fields.keys() | ReplayConfig.model_fields.keys()
    assert fields >= {*dict(LAUNCHPAD_FIELDS).values(), "by"}
