"""A night whose counts stand while the contents go."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ppr_assets.errors import GateRefused
from ppr_assets.operations.audit import audit
from ppr_assets.operations.audit.selection import Scope
from ppr_assets.rules.naming import manifest_name
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings.dump import KeepSettings
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import ANN, Pipeline, decided, wait_for_a_later_name
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
        "beside 200 organizations (SQL_DUMP_MIN_CORE_SHARE)"
    )
    assert pipeline.picture() == before
    verdict = pipeline.night(override_reason="a test server")[0].verdict
    assert [one.rule for one in verdict.findings] == ["hollow"]
    _require_recorded(pipeline, "hollow", "a test server")
    pipeline.change()
    assert dump(pipeline.settings).status == "refused", "that dump was let pass, and no other"
    pipeline.gate(core_share=Decimal(0))
    assert pipeline.night()[1].status == "published"


def test_a_column_that_was_emptied_is_refused_and_may_be_let_pass(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute("UPDATE organization SET description = ''")
    before = pipeline.picture()
    refused = dump(pipeline.settings)
    assert refused.status == "refused"
    assert "column ratchet refused the dump: organization.description has 0 values, at least 180 needed (it had 200 in pantry_pirate_radio_" in refused.verdict.message  # fmt: skip  # noqa: E501
    assert pipeline.picture() == before

    dumped, published = pipeline.night(override_reason="texts were wrong, ticket 4")
    assert dumped.verdict.status == "overridden"
    _require_recorded(pipeline, "column", "texts were wrong, ticket 4")
    assert published.manifest.movements[0] == (
        "organization.description: 100 % empty, 0 % for 1 night"
    )
    pipeline.change()
    assert pipeline.night()[0].status == "staged", "what a human let pass is as it is from then on"
    found = audit(pipeline.settings.data_repo, Scope(every=True))
    assert [finding for one in found for finding in one.findings] == []


def test_hundreds_of_places_on_one_point_are_refused(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute("UPDATE location SET latitude = 39.8, longitude = -98.6")
    refused = dump(pipeline.settings)
    assert refused.status == "refused"
    assert "share of one point refused the dump: location has " in refused.verdict.message
    assert "SQL_DUMP_MAX_POINT_SHARE)\nHINT: did a geocoder" in refused.verdict.explained
    assert "ALLOW_EMPTY_SQL_DUMP" in refused.verdict.explained
    pipeline.night(override_reason="one shelter with many programs")
    _require_recorded(pipeline, "point", "one shelter with many programs")
    pipeline.change()
    assert dump(pipeline.settings).status == "refused", "that dump was let pass, and no other"
    pipeline.gate(point_share=Decimal(1))
    assert pipeline.night()[1].status == "published"


def _require_recorded(pipeline: Pipeline, rule: str, reason: str) -> None:
    """In manifest and commit, as an audit finds it again."""
    manifest = json.loads((pipeline.dumps / manifest_name(pipeline.latest())).read_text())
    assert manifest["override"] == {"reason": reason, "source": "Launchpad", "by": ANN}
    assert [one["rule"] for one in manifest["verdict"]["findings"]] == [rule]
    assert f"Override: Launchpad: {reason}" in git(pipeline.clone, "log", "-1", "--format=%B")
    found = audit(pipeline.settings.data_repo, Scope(every=True))
    assert [finding for one in found for finding in one.findings] == []


def test_what_is_unusual_is_said_and_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute("ALTER TABLE phone DROP COLUMN extension")
    pipeline.execute("DELETE FROM phone WHERE number < '5'")
    dumped, published = pipeline.night()
    assert published.status == "published"
    assert "column phone.extension is gone" in dumped.unusual
    assert [one for one in dumped.unusual if one.startswith("phone")]
    assert published.manifest.movements
    assert published.manifest.profile["phone"].rows == pipeline.count("phone")
    pipeline.change()
    phones = [one for one in pipeline.night()[0].unusual if one.startswith("phone")]
    assert phones, "which stays unusual for three dumps"
    assert dump(pipeline.settings).unusual == (), "of unchanged data it was said then"


def test_what_changed_in_the_schema_is_told_by_name_and_never_by_what_it_says(
    pipeline: Pipeline,
) -> None:
    pipeline.execute("CREATE FUNCTION greeting() RETURNS text LANGUAGE sql AS $$ SELECT 'hello' $$")
    first = pipeline.night()[1].manifest
    pipeline.execute(
        "CREATE OR REPLACE FUNCTION greeting() RETURNS text LANGUAGE sql AS $$ SELECT 'whisper' $$"
    )
    pipeline.execute("ALTER TABLE phone ADD CONSTRAINT dialled CHECK (number <> 'whisper')")
    pipeline.execute("ALTER TABLE phone ALTER type SET DEFAULT 'whisper', ADD ext2 text")
    dumped, published = pipeline.night()
    assert dumped.unusual == (
        "column phone.ext2 is new",
        "column phone.type is defined in another way",
        "constraint dialled of phone is new",
        "function greeting() is defined in another way",
    )
    assert "whisper" not in published.manifest.to_json()
    schema = published.manifest.schema
    assert schema and first.schema and schema.tables.keys() == first.schema.tables.keys()
    pipeline.change()
    assert pipeline.night()[0].unusual == ()


def test_what_is_usual_is_learned_from_retired_dumps_too(pipeline: Pipeline) -> None:
    pipeline.gate(keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, yearly=0))
    for _ in range(3):
        pipeline.night()
        pipeline.change()
    assert len([*pipeline.dumps.glob("*.json")]) == 1
    phones = pipeline.count("phone")
    pipeline.execute("DELETE FROM phone")
    assert f"phone: 0 rows, {phones} for 3 nights" in pipeline.night()[0].unusual


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
    pipeline.first_night()
    pipeline.execute("UPDATE organization SET description = ''")
    dump(pipeline.settings, run_id="one", given=decided("known"))
    assert publish(pipeline.settings, run_id="another").status == "refused"
    assert publish(pipeline.settings, run_id="one").status == "published"


_READ_AGAIN = """DO $$ DECLARE said text; BEGIN
  SELECT pg_get_constraintdef(oid) INTO said FROM pg_constraint WHERE conname = 'phone_kind_check';
  ALTER TABLE phone DROP CONSTRAINT phone_kind_check;
  EXECUTE 'ALTER TABLE phone ADD CONSTRAINT phone_kind_check ' || said;
END $$"""
"""What a restore does with this constraint."""


def test_the_night_after_a_restore_has_other_words_and_is_usual(pipeline: Pipeline) -> None:
    """PostgreSQL words a CHECK over ``varchar in (…)`` anew when it reads its own dump."""
    pipeline.gate(proof="embedded")
    pipeline.execute(
        "ALTER TABLE phone ADD kind varchar(9) DEFAULT 'voice' CHECK (kind IN ('voice', 'fax')), "
        "ADD CONSTRAINT few CHECK (id IS NOT NULL)"
    )
    first = pipeline.night()[1].manifest
    assert first.reworded is not None
    assert [*first.reworded.objects] == ["constraint phone_kind_check of phone"]
    assert Manifest.from_json(first.to_json()).reworded == first.reworded
    pipeline.execute(_READ_AGAIN)
    pipeline.execute("ALTER TABLE phone DROP CONSTRAINT few, ADD CONSTRAINT few CHECK (id <> '')")
    dumped, published = pipeline.night()
    assert dumped.unusual == ("constraint few of phone is defined in another way",)
    assert published.manifest.reworded is None, "what was restored comes back in the same words"
