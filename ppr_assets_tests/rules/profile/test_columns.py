from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.json_fields import FieldError, JsonFields
from ppr_assets.rules.profile.columns import (
    ColumnProfile,
    Points,
    TableProfile,
    profile_from_json,
    profile_json,
)

COUNTS = st.integers(0, 10**9)
NAMES = st.sampled_from(["id", "Fee Due", "", "é"])
TABLES = st.builds(
    TableProfile,
    rows=COUNTS,
    columns=st.dictionaries(NAMES, st.builds(ColumnProfile, COUNTS, COUNTS, COUNTS, COUNTS)),
    points=st.none() | st.builds(Points, COUNTS, COUNTS),
    groups=st.dictionaries(NAMES, st.dictionaries(NAMES, COUNTS, min_size=1), max_size=2),
    sampled=st.none() | COUNTS,
)


@given(st.dictionaries(NAMES, TABLES, max_size=2))
def test_a_profile_comes_back_from_its_json(profile: dict[str, TableProfile]) -> None:
    text = json.dumps(profile_json(profile))
    assert profile_from_json(JsonFields(json.loads(text))) == profile


def test_a_column_is_one_short_text() -> None:
    table = TableProfile(
        3, {"name": ColumnProfile(3, 1, 2, 9, 1), "fax": ColumnProfile(), "on": ColumnProfile(3)}
    )
    assert profile_json({"phone": table}) == {
        "phone": {"rows": 3, "columns": {"name": "3 1 2 9 1", "fax": "0", "on": "3"}}
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"columns": {}}, "phone.rows is missing"),
        ({"rows": 1}, "phone.columns is missing"),
        ({"rows": -1, "columns": {}}, "phone.rows is -1, must be a whole number of at least 0"),
        ({"rows": 1, "columns": {"fax": 3}}, "phone.columns.fax is 3, must be a text"),
        ({"rows": 1, "columns": {"fax": "3 -1"}}, "fax is '3 -1', must be one to five numbers"),
        ({"rows": 1, "columns": {"fax": ""}}, "fax is '', must be one to five numbers"),
        ({"rows": 1, "columns": {"fax": "1 2 3 4 5 6"}}, "must be one to five numbers"),
        ({"rows": 1, "columns": {}, "points": {"located": 1}}, "phone.points.together is missing"),
        ({"rows": 1, "columns": {}, "groups": {"x": {"y": "1"}}}, "phone.groups.x.y is '1'"),
        ({"rows": 1, "columns": {}, "sampled": None}, "phone.sampled is None"),
        ([], "phone is [], must be an object"),
    ],
)
def test_what_is_no_profile_is_named(table: object, said: str) -> None:
    with pytest.raises(FieldError) as raised:
        profile_from_json(JsonFields({"phone": table}))
    assert said in str(raised.value)
