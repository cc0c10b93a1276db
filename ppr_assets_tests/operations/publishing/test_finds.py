"""Deciding on what was found in a dump: recorded, delivered, and in force in the next night."""

from __future__ import annotations

import traceback
from pathlib import Path
from random import Random

import pytest

from ppr_assets.errors import DataRepoError, PolicyRefused, PolicyUnreadable, SettingsError
from ppr_assets.operations.deciding.policy_change import allow, review
from ppr_assets.rules.finds.decisions import Reviewed
from ppr_assets.rules.finds.judgement import Rise, Spot
from ppr_assets.rules.publication.policy import Policy
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.planted import KEYS

FILE = "sql_dumps/.publication.toml"
TOKEN, MAIL = "GitHub token", "free-mail address"
DESCRIPTION = Spot("organization", "description", TOKEN)
EMAIL = Spot("organization", "email", MAIL)
REASON = "it is the example of a guide"
VALUE = KEYS[TOKEN](Random(3))


def _mails(pipeline: Pipeline, number: int) -> None:
    pipeline.execute(
        "UPDATE organization o SET email = CASE WHEN r.n <= %s THEN 'pantry@gmail.com' END "
        "FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM organization) r "
        "WHERE r.id = o.id",
        number,
    )


def _plant(pipeline: Pipeline, column: str) -> None:
    pipeline.execute(
        f"UPDATE organization SET {column} = %s "
        "WHERE id = (SELECT id FROM organization ORDER BY id LIMIT 1)",
        f"Use {VALUE}, on Friday",
    )


def _policy(pipeline: Pipeline) -> Policy:
    return Policy.parse(git(pipeline.clone, "show", f"main:{FILE}"), source="here")


def test_a_secret_stops_the_night_whoever_overrides_and_leaves_nothing(pipeline: Pipeline) -> None:
    pipeline.first_night()
    _plant(pipeline, "description")
    before = pipeline.picture()
    for reason in (None, "publish it all the same"):
        pipeline.gate(allow_empty=reason is not None)
        with pytest.raises(PolicyRefused) as refused:
            pipeline.night(reason)
        error = refused.value
        assert error.exit_code == 8
        assert "be published: organization.description in the row id=" in error.message
        assert error.message.endswith("(GitHub token)")
        told = "".join(traceback.format_exception(error)) + repr(error) + error.render()
        assert VALUE[:12] not in told
    assert pipeline.picture() == before
    files = [path for path in pipeline.clone.rglob("*") if path.is_file()]
    assert not [path for path in files if VALUE.encode() in path.read_bytes()]


def test_what_is_allowed_is_published_from_then_on_and_nothing_else(pipeline: Pipeline) -> None:
    pipeline.first_night()
    _plant(pipeline, "description")
    change = allow(pipeline.settings.signed_by("Ann Lee"), DESCRIPTION, reason=f" {REASON} ")
    assert change.commit == pipeline.head() == pipeline.remote_head()
    assert git(pipeline.clone, "log", "-1", "--format=%B", "main") == (
        f"Allow what looks like a {TOKEN} in organization.description\n\nReason: {REASON}\n"
        "By: Ann Lee"
    )
    assert git(pipeline.clone, "show", "--format=", "--name-only", "main") == FILE
    assert git(pipeline.clone, "status", "--porcelain") == ""
    assert allow(pipeline.settings, DESCRIPTION, reason=REASON).commit is None
    assert pipeline.night()[1].status == "published"
    _plant(pipeline, "name")
    with pytest.raises(PolicyRefused, match=r"be published: organization\.name in the row"):
        pipeline.night()


def test_what_leads_to_persons_is_told_until_somebody_has_reviewed_it(pipeline: Pipeline) -> None:
    _mails(pipeline, 3)
    dumped, _ = pipeline.night()
    assert dumped.rises == (Rise(EMAIL, 3, 0),)
    assert dumped.manifest is not None
    assert dumped.manifest.persons == {EMAIL: 3}
    assert pipeline.night()[0].rises == (Rise(EMAIL, 3, 0),)  # unchanged, and still not reviewed
    change, reviewed = review(pipeline.settings, reason="offices without a domain")
    assert change.commit == pipeline.head() == pipeline.remote_head()
    assert reviewed == {EMAIL: 3}
    _mails(pipeline, 5)
    assert pipeline.night()[0].rises == ()
    _mails(pipeline, 6)
    assert pipeline.night()[0].rises == (Rise(EMAIL, 6, 3),)


def test_a_later_review_changes_what_has_changed_alone(pipeline: Pipeline) -> None:
    _mails(pipeline, 3)
    pipeline.execute("UPDATE organization SET website = '203.0.113.7' WHERE name IS NOT NULL")
    pipeline.night()
    _, first = review(pipeline.settings, reason="first")
    address = Spot("organization", "website", "IPv4 address")
    assert first == {EMAIL: 3, address: 200}
    commit_files(
        pipeline.clone,
        "Say more",
        {FILE: f"# by hand\n{(pipeline.clone / FILE).read_text()}\n[other]\na = 'public'\n"},
    )
    assert review(pipeline.settings, reason="again")[0].commit is None
    pipeline.execute("UPDATE organization SET website = 'here', description = 'ann@aol.com'")
    pipeline.night()
    review(pipeline.settings, reason="second")
    described = Spot("organization", "description", MAIL)
    assert _policy(pipeline).finds.reviewed == {
        EMAIL: Reviewed(*EMAIL, 3, "first"),
        described: Reviewed(*described, 200, "second"),
    }
    assert git(pipeline.clone, "show", f"main:{FILE}").startswith("# by hand\n")
    assert _policy(pipeline).tables.keys() == {"other"}


def test_nothing_can_be_reviewed_before_a_dump_was_searched(pipeline: Pipeline) -> None:
    with pytest.raises(DataRepoError) as told:
        review(pipeline.settings, reason="why not")
    assert told.value.render() == (
        "no dump has been published yet whose values were searched, so none can be reviewed\n"
        "HINT: make one first: `ppr-assets dump`. A night without changes makes none."
    )


def test_a_decision_is_made_on_what_somebody_else_has_pushed(pipeline: Pipeline) -> None:
    pipeline.first_night()
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    allow(pipeline.settings, DESCRIPTION, reason=REASON)
    elsewhere = Spot("service", "name", TOKEN)
    allow(other.settings, elsewhere, reason=REASON)
    assert git(other.clone, "rev-parse", "main~") == pipeline.head()
    assert _policy(other).finds.allowed.keys() == {DESCRIPTION, elsewhere}


def test_a_damaged_file_is_mended_by_hand_and_stops_every_night(pipeline: Pipeline) -> None:
    pipeline.first_night()
    commit_files(pipeline.clone, "Break it", {FILE: '[["allowed finds"]]\ntable = "service"\n'})
    before = pipeline.picture()
    with pytest.raises(PolicyUnreadable, match="allowed finds"):
        allow(pipeline.settings, DESCRIPTION, reason=REASON)
    with pytest.raises(PolicyUnreadable, match="allowed finds"):
        pipeline.night()
    assert pipeline.picture() == before


def test_a_decision_needs_a_reason_and_the_file_that_is_in_force(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    before = pipeline.picture()
    with pytest.raises(SettingsError, match="the reason is empty"):
        allow(pipeline.settings, DESCRIPTION, reason=" ")
    pipeline.gate(policy_file=tmp_path / "elsewhere.toml")
    with pytest.raises(SettingsError, match=r"elsewhere\.toml`, which is read in the place of"):
        allow(pipeline.settings, DESCRIPTION, reason=REASON)
    assert pipeline.picture() == before
