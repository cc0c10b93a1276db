"""A night whose counts stand while the contents go."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ppr_assets.errors import GateRefused
from ppr_assets.operations.audit import audit
from ppr_assets.operations.audit.selection import Scope
from ppr_assets_tests.fix_pipeline import Pipeline, git, wait_for_a_later_name
from ppr_assets_tests.opened import dump, publish


def test_a_night_with_one_location_is_refused_before_there_is_any_mark(
    pipeline: Pipeline,
) -> None:
    pipeline.execute("DELETE FROM location WHERE id <> (SELECT min(id) FROM location)")
    before = pipeline.picture()
    with pytest.raises(GateRefused) as refused:
        pipeline.night()
    assert refused.value.message == (
        "share of the core tables refused the dump: location has 1 records, at least 20 needed "
        "beside 200 organizations"
    )
    assert pipeline.picture() == before
    verdict = pipeline.night(override_reason="a test server")[0].verdict
    assert [one.rule for one in verdict.findings] == ["hollow"]
    found = audit(pipeline.settings.data_repo, Scope(every=True))
    assert [finding for one in found for finding in one.findings] == []
    pipeline.change()
    pipeline.gate(core_share=Decimal(0))
    assert pipeline.night()[1].status == "published"


def test_a_column_that_was_emptied_is_refused_and_may_be_let_pass(pipeline: Pipeline) -> None:
    pipeline.night()
    pipeline.execute("UPDATE organization SET description = ''")
    before = pipeline.picture()
    refused = dump(pipeline.settings)
    assert refused.status == "refused"
    assert "column ratchet refused the dump: organization.description has 0 values, at least 180 needed (it had 200 in pantry_pirate_radio_" in refused.verdict.message  # fmt: skip  # noqa: E501
    assert pipeline.picture() == before

    dumped, published = pipeline.night(override_reason="texts were wrong, ticket 4")
    assert dumped.verdict.status == "overridden"
    assert published.manifest.override is not None
    assert [one["rule"] for one in published.manifest.verdict["findings"]] == ["column"]
    message = git(pipeline.clone, "log", "-1", "--format=%B")
    assert "Override: run config: texts were wrong, ticket 4" in message
    assert "Moved: organization.description: " in message
    pipeline.change()
    assert pipeline.night()[0].status == "staged", "what a human let pass is as it is from then on"
    found = audit(pipeline.settings.data_repo, Scope(every=True))
    assert [finding for one in found for finding in one.findings] == []


def test_hundreds_of_places_on_one_point_are_refused(pipeline: Pipeline) -> None:
    pipeline.night()
    pipeline.execute("UPDATE location SET latitude = 39.8, longitude = -98.6")
    refused = dump(pipeline.settings)
    assert refused.status == "refused"
    assert "share of one point refused the dump: location has " in refused.verdict.message


def test_what_is_unusual_is_said_and_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.night()
    pipeline.execute("ALTER TABLE language DROP COLUMN note")
    pipeline.execute("DELETE FROM phone WHERE number < '5'")
    dumped, published = pipeline.night()
    assert published.status == "published"
    assert "column language.note is gone" in dumped.unusual
    assert [one for one in dumped.unusual if one.startswith("phone")]
    assert published.manifest.movements
    assert published.manifest.profile["phone"].rows == pipeline.count("phone")


def test_publishing_judges_the_profile_by_what_stands_by_then(pipeline: Pipeline) -> None:
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    whole = dump(other.settings).manifest
    assert whole is not None
    wait_for_a_later_name(whole.dump)
    pipeline.execute("UPDATE organization SET description = ''")
    assert dump(pipeline.settings).status == "staged"  # nothing stands yet that had more
    assert publish(other.settings).status == "published"
    refused = publish(pipeline.settings)
    assert refused.status == "refused" and refused.verdict is not None
    assert f"it had 200 in {whole.dump}" in refused.verdict.message


def test_what_was_let_pass_in_one_run_is_not_in_another(pipeline: Pipeline) -> None:
    pipeline.night()
    pipeline.execute("UPDATE organization SET description = ''")
    dump(pipeline.settings, run_id="one", override_reason="known")
    assert publish(pipeline.settings, run_id="another").status == "refused"
    assert publish(pipeline.settings, run_id="one").status == "published"
