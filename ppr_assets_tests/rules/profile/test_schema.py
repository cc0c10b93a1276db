from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.profile.columns import ColumnProfile, TableProfile
from ppr_assets.rules.profile.schema import NOTHING, Schema, reworded, schema_changes

NAMES = st.sampled_from("abc")
SCHEMAS = st.builds(
    Schema,
    st.dictionaries(NAMES, st.dictionaries(NAMES, st.sampled_from(["", "1", "2"]))),
    st.dictionaries(NAMES, st.sampled_from(["1", "2"])),
)


@given(SCHEMAS, SCHEMAS)
def test_what_comes_one_way_goes_the_other(one: Schema, other: Schema) -> None:
    assert schema_changes(one, one) == []
    there, back = schema_changes(one, other), schema_changes(other, one)
    mirrored = [
        said.replace("is new", "IS").replace("is gone", "is new").replace("IS", "is gone")
        for said in back
    ]
    assert there == mirrored


def test_tables_columns_and_everything_else_are_named() -> None:
    before = Schema(
        {"service": {"alert": "text", "fees": "text"}, "unit": {"id": ""}},
        {"constraint fees_check of service": "1", "function f(text)": "1", "view v": "1"},
    )
    now = Schema(
        {"service": {"fees": "integer", "notice": "text"}, "audit": {"ip": "inet"}},
        {"function f(text)": "2", "view v": "1", "index service_name_idx": "1"},
    )
    assert schema_changes(before, now) == [
        "table audit is new",
        "table unit is gone",
        "column service.alert is gone",
        "column service.fees is defined in another way",
        "column service.notice is new",
        "constraint fees_check of service is gone",
        "function f(text) is defined in another way",
        "index service_name_idx is new",
    ]


def test_a_profile_knows_the_names_of_tables_and_columns() -> None:
    before = {"phone": TableProfile(1, {"number": ColumnProfile(), "type": ColumnProfile()})}
    now = {"phone": TableProfile(1, {"number": ColumnProfile(1)})}
    said = schema_changes(Schema.of_profile(before), Schema.of_profile(now))
    assert said == ["column phone.type is gone"]


def test_a_night_from_before_there_were_profiles_has_no_columns_to_compare() -> None:
    before, now = {"phone": TableProfile(1)}, {"phone": TableProfile(1, {"id": ColumnProfile(1)})}
    assert schema_changes(Schema.of_profile(before), Schema.of_profile(now)) == []


def test_a_definition_that_is_not_known_has_not_changed() -> None:
    known, unknown = Schema({"phone": {"type": "text"}}), Schema({"phone": {"type": ""}})
    assert schema_changes(known, unknown) == schema_changes(unknown, known) == []


def test_what_a_restore_words_anew_is_no_change_and_another_definition_is() -> None:
    written = Schema({"phone": {"id": "a", "type": "b"}}, {"constraint c of phone": "d"})
    restored = Schema({"phone": {"id": "a", "type": "B"}}, {"constraint c of phone": "D"})
    again = reworded(written, restored)
    assert again == Schema({"phone": {"type": "B"}}, {"constraint c of phone": "D"})
    assert schema_changes(written, restored, again) == []
    changed = Schema({"phone": {"id": "A", "type": "B"}}, {"constraint c of phone": "other"})
    assert schema_changes(written, changed, again) == [
        "column phone.id is defined in another way",
        "constraint c of phone is defined in another way",
    ]
    assert reworded(written, written) == NOTHING
