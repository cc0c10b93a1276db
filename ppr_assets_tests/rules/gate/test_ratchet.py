from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.gate.ratchet import Override, Verdict, judge, raised_mark
from ppr_assets.rules.mark import Mark, parse_mark, render_mark
from ppr_assets.rules.policy import GatePolicy

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
POLICY = GatePolicy(100, Decimal("0.9"))
HINT = (
    'did the last scraper run finish? To publish it once: `ppr-assets dump --override "why"`, '
    "or a reason and your name in the Launchpad. While it is set, ALLOW_EMPTY_SQL_DUMP=true passes "
    "every refusal."
)
TABLES = ("organization", "location", "service", "phone", "staging.raw")
COUNTS = st.dictionaries(st.sampled_from(TABLES), st.integers(0, 400))
MARKS = st.builds(
    Mark,
    organization=st.integers(0, 400),
    tables=st.dictionaries(st.sampled_from(TABLES[1:]), st.integers(0, 400)),
    updated_at=st.just(NOW - timedelta(days=1)),
    extra=st.just({"note": "kept"}),
)
POLICIES = st.builds(
    GatePolicy,
    min_records=st.integers(0, 300),
    percentage=st.decimals("0.01", 1, places=3),
    tables=st.none() | st.lists(st.sampled_from(TABLES), unique=True),
)
OVERRIDES = st.none() | st.builds(
    Override, reason=st.sampled_from(["source closed", "a move"]), source=st.just("Launchpad")
)


def _ratcheted(policy: GatePolicy, mark: Mark) -> set[str]:
    listed = {*mark.tables} if policy.tables is None else {*policy.tables}
    return {
        table
        for table in listed | {"organization"}
        if (mark.of(table) is not None and (mark.of(table) or 0) >= policy.min_records)
    }


@given(COUNTS, st.none() | MARKS, POLICIES)
def test_the_gate_passes_what_holds_floor_and_ratchet_and_nothing_else(
    counts: Mapping[str, int], mark: Mark | None, policy: GatePolicy
) -> None:
    floor = counts.get("organization", 0) >= policy.min_records
    ratchet = mark is None or all(
        counts.get(table, 0) >= Fraction(policy.percentage) * (mark.of(table) or 0)
        for table in _ratcheted(policy, mark)
    )
    verdict = judge(counts, mark, policy)
    assert verdict.passed == (floor and ratchet)
    assert verdict.status == ("accepted" if verdict.passed else "refused")
    assert bool(verdict.findings) == (not verdict.passed)


@given(COUNTS, st.none() | MARKS, POLICIES, OVERRIDES)
def test_an_override_passes_only_what_was_refused_and_hides_nothing(
    counts: Mapping[str, int], mark: Mark | None, policy: GatePolicy, override: Override | None
) -> None:
    alone, verdict = judge(counts, mark, policy), judge(counts, mark, policy, override)
    assert verdict.findings == alone.findings
    if override is None or alone.passed:
        assert verdict == alone
        assert verdict.override is None
    else:
        assert (verdict.status, verdict.override) == ("overridden", override)


@given(COUNTS, st.none() | MARKS, POLICIES)
def test_the_headroom_is_negative_exactly_where_a_rule_is_broken(
    counts: Mapping[str, int], mark: Mark | None, policy: GatePolicy
) -> None:
    verdict = judge(counts, mark, policy)
    broken = {table for table, records in verdict.headroom.items() if records < 0}
    assert broken == {finding.table for finding in verdict.findings}
    for table, records in verdict.headroom.items():
        fewer = {**counts, table: counts.get(table, 0) - max(records, 0)}
        assert judge(fewer, mark, policy).findings == verdict.findings


def test_the_headroom_in_percent_has_one_scale_from_the_first_night_on() -> None:
    counts = {"organization": 2500, "location": 3000, "language": 4}
    first = judge(counts, None, POLICY)
    later = judge(counts, Mark(2500, {"location": 3000, "language": 4}), POLICY)
    assert first.headroom == {"organization": 2400}, "24 times what the floor needs"
    assert first.headroom_percent == later.headroom_percent == 10.0
    nearest = judge({**counts, "location": 2760}, later.mark, POLICY)
    assert nearest.headroom_percent == 2.0, "of location, whose mark is 3000"
    lost = judge({**counts, "organization": 1667}, later.mark, POLICY)
    assert (lost.status, lost.headroom_percent) == ("refused", -23.32)
    assert judge({}, None, POLICY).headroom_percent is None


@given(COUNTS, st.none() | MARKS, POLICIES, OVERRIDES)
def test_a_verdict_reads_on_one_line_and_goes_through_json(
    counts: Mapping[str, int], mark: Mark | None, policy: GatePolicy, override: Override | None
) -> None:
    verdict = judge(counts, mark, policy, override)
    assert len(verdict.message.splitlines()) == 1
    assert json.loads(json.dumps(verdict.to_json())) == verdict.to_json()
    assert bool(verdict.hint) == (not verdict.passed)


@given(st.none() | MARKS, st.lists(st.tuples(COUNTS, POLICIES, OVERRIDES), max_size=6))
def test_the_mark_never_sinks_over_any_sequence_of_verdicts(
    mark: Mark | None, nights: list[tuple[Mapping[str, int], GatePolicy, Override | None]]
) -> None:
    for counts, policy, override in nights:
        verdict = judge(counts, mark, policy, override)
        raised = raised_mark(mark, verdict, at=NOW, by="test")
        if verdict.status != "accepted":
            assert raised is mark
        else:
            assert raised is not None
            assert raised.extra == (mark.extra if mark else {})
            for table in TABLES:
                before = mark.of(table) if mark else None
                assert (raised.of(table) or 0) == max(before or 0, counts.get(table, 0))
        mark = parse_mark(render_mark(raised)) if raised else None


def test_the_refusal_of_the_ratchet_reads_as_documented() -> None:
    verdict = judge({"organization": 812}, Mark(1260), POLICY)
    assert verdict.message == (
        "record-count ratchet refused the dump: "
        "organization has 812 records, at least 1134 needed (90% of mark 1260)"
    )
    assert verdict.hint == HINT


def test_the_refusal_of_the_floor_reads_as_documented() -> None:
    verdict = judge({"organization": 12}, None, POLICY)
    assert verdict.message == (
        "record-count floor refused the dump: "
        "organization has 12 records, at least 100 needed (SQL_DUMP_MIN_RECORDS)"
    )
    assert verdict.hint == HINT


def test_several_findings_stand_on_one_line() -> None:
    mark = Mark(1260, {"location": 2000})
    verdict = judge({"organization": 12, "location": 5}, mark, GatePolicy(100, Decimal("0.925")))
    assert verdict.message == (
        "record-count floor and ratchet refused the dump: "
        "organization has 12 records, at least 100 needed (SQL_DUMP_MIN_RECORDS); "
        "organization has 12 records, at least 1166 needed (92.5% of mark 1260); "
        "location has 5 records, at least 1850 needed (92.5% of mark 2000)"
    )


@pytest.mark.parametrize(
    ("percentage", "shown"), [("1", "100%"), ("0.5", "50%"), ("0.10", "10%"), ("0.0050", "0.5%")]
)
def test_a_percentage_is_shown_without_idle_zeros(percentage: str, shown: str) -> None:
    policy = GatePolicy(0, Decimal(percentage))
    assert f"({shown} of mark 1000)" in judge({}, Mark(1000), policy).message


def test_an_overridden_refusal_says_who_passed_it_and_why() -> None:
    override = Override("source closed,\nsee the minutes", "Launchpad", "Ann Lee")
    verdict = judge({"organization": 812}, Mark(1260), POLICY, override)
    assert verdict.passed
    assert verdict.message.endswith(
        "(90% of mark 1260); overridden (Ann Lee, Launchpad): source closed, see the minutes"
    )


def test_an_override_from_before_names_says_where_it_was_given() -> None:
    override = Override("source closed", "run config")
    assert "overridden (run config): source closed" in (
        judge({"organization": 812}, Mark(1260), POLICY, override).message
    )


def test_an_accepted_verdict_says_what_was_counted() -> None:
    assert judge({"organization": 1300}, Mark(1260), POLICY).message == (
        "the gate accepted 1300 organizations"
    )


def test_exactly_what_is_needed_passes_and_one_less_does_not() -> None:
    assert judge({"organization": 1134}, Mark(1260), POLICY).status == "accepted"
    assert judge({"organization": 1133}, Mark(1260), POLICY).status == "refused"
    assert judge({"organization": 100}, None, POLICY).status == "accepted"
    assert judge({"organization": 99}, None, POLICY).status == "refused"


def test_the_floor_holds_also_when_a_mark_exists() -> None:
    verdict = judge({"organization": 60}, Mark(60), POLICY)
    assert [finding.rule for finding in verdict.findings] == ["floor"]


def test_a_core_table_that_vanished_is_refused_though_organizations_stand() -> None:
    verdict = judge({"organization": 1260}, Mark(1260, {"location": 2000}), POLICY)
    assert verdict.message == (
        "record-count ratchet refused the dump: "
        "location has 0 records, at least 1800 needed (90% of mark 2000)"
    )


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_an_override_needs_a_reason(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        Override(reason, "environment")


def _accepted(counts: Mapping[str, int], mark: Mark | None = None) -> Verdict:
    verdict = judge(counts, mark, POLICY)
    assert verdict.status == "accepted"
    return verdict


def test_the_first_dump_sets_the_mark_of_every_table_that_has_rows() -> None:
    counts = {"organization": 200, "location": 300, "phone": 400, "funding": 0}
    assert raised_mark(None, _accepted(counts), at=NOW, by="ppr-assets") == (
        Mark(200, {"location": 300, "phone": 400}, NOW, "ppr-assets")
    )


def test_a_table_that_is_ratcheted_later_is_guarded_from_its_first_night() -> None:
    first = raised_mark(
        None, _accepted({"organization": 200, "phone": 400}), at=NOW, by="ppr-assets"
    )
    widened = GatePolicy(100, Decimal("0.9"), tables=None)
    verdict = judge({"organization": 200, "phone": 100}, first, widened)
    assert [finding.table for finding in verdict.findings] == ["phone"]


def test_a_mark_that_does_not_rise_is_the_same_object() -> None:
    mark = Mark(200, {"location": 300}, NOW - timedelta(days=9), "earlier")
    counts = {"organization": 190, "location": 300, "funding": 0}
    assert raised_mark(mark, _accepted(counts, mark), at=NOW, by="later") is mark


def test_one_table_that_rises_signs_the_mark_anew_and_lowers_no_other() -> None:
    mark = Mark(200, {"location": 300}, NOW - timedelta(days=9), "earlier", {"note": "kept"})
    counts = {"organization": 190, "location": 301}
    assert raised_mark(mark, _accepted(counts, mark), at=NOW, by="later") == (
        Mark(200, {"location": 301}, NOW, "later", {"note": "kept"})
    )


def test_an_overridden_first_dump_begins_no_mark() -> None:
    verdict = judge({"organization": 3}, None, POLICY, Override("a test server", "environment"))
    assert verdict.status == "overridden"
    assert raised_mark(None, verdict, at=NOW, by="ppr-assets") is None


def test_the_manifest_gets_the_judgement_in_numbers() -> None:
    verdict = judge({"organization": 812, "location": 1900}, Mark(1260, {"location": 2000}), POLICY)
    assert verdict.to_json() == {
        "status": "refused",
        "min_records": 100,
        "ratchet_percentage": "0.9",
        "mark": 1260,
        "marks": {"location": 2000},
        "headroom": {"organization": -322, "location": 100},
        "findings": [
            {"rule": "ratchet", "table": "organization", "have": 812, "need": 1134, "mark": 1260}
        ],
        "min_core_share": "0",
        "max_point_share": "1",
        "ratchet_tables": ["organization", "location", "service"],
    }
