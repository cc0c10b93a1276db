"""What a failed step says where it was launched: in the UI."""

from __future__ import annotations

from ppr_assets.errors import GateRefused
from ppr_assets.operations.replaying.terms import NOT_REPLACED
from ppr_assets.operations.restoring.serving.guarding import A_RESTORE
from ppr_assets.orchestration.assets.replayed_database import ReplayConfig
from ppr_assets.orchestration.assets.restored_database import RestoreConfig
from ppr_assets.orchestration.failures import LAUNCHPAD_FIELDS, failure, in_launchpad


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


def test_each_name_is_a_field_of_a_run() -> None:
    fields = RestoreConfig.model_fields.keys() | ReplayConfig.model_fields.keys()
    assert fields >= {*dict(LAUNCHPAD_FIELDS).values(), "by"}
