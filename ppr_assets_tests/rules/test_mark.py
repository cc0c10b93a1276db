from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ppr_assets.errors import RatchetFileError
from ppr_assets.rules.mark import Mark, merged_mark, parse_mark, render_mark
from ppr_assets_tests.places import SHARED

PUBLISHED_SAMPLE = SHARED / "data/haarrrvest-sample.tar.xz"
UPSTREAM = """{
  "max_record_count": 1260,
  "updated_at": "2025-07-30T06:12:09.104233",
  "updated_by": "haarrrvest_publisher"
}
"""
KNOWN = ("max_record_count", "updated_at", "updated_by", "tables")
COUNTS = st.integers(0, 10**30)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),  # lone surrogates too: JSON can escape them
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MARKS = st.builds(
    Mark,
    organization=COUNTS,
    tables=st.dictionaries(st.text().filter(lambda name: name != "organization"), COUNTS),
    updated_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    updated_by=st.text(),
    extra=st.dictionaries(st.text().filter(lambda key: key not in KNOWN), JSON, max_size=3),
)


@pytest.mark.slow
@given(MARKS)
def test_a_mark_comes_back_from_its_file(mark: Mark) -> None:
    text = render_mark(mark)
    assert parse_mark(text) == mark
    assert parse_mark(text.encode()) == mark
    assert render_mark(parse_mark(text)) == text


def test_upstreams_file_is_read() -> None:
    mark = parse_mark(UPSTREAM)
    assert mark.organization == mark.of("organization") == 1260
    assert mark.updated_at == datetime(2025, 7, 30, 6, 12, 9, 104233, tzinfo=UTC)
    assert mark.updated_by == "haarrrvest_publisher"
    assert mark.of("location") is None


def test_upstreams_file_is_written_as_it_was() -> None:
    assert render_mark(parse_mark(UPSTREAM)) == UPSTREAM


def test_upstreams_published_file_is_written_as_it_was() -> None:
    if not PUBLISHED_SAMPLE.exists():
        pytest.skip(f"the published sample is not at {PUBLISHED_SAMPLE}")
    with tarfile.open(PUBLISHED_SAMPLE) as sample:
        member = sample.extractfile("sql_dumps/.record_count_ratchet")
        assert member is not None
        published = member.read().decode()
    mark = parse_mark(published)
    assert (mark.organization, mark.updated_by) == (10, "haarrrvest_publisher")
    assert render_mark(mark).rstrip() == published.rstrip()


def test_upstreams_keys_stand_first_and_its_timestamp_has_no_offset() -> None:
    moment = datetime(2026, 11, 22, 4, 30, tzinfo=timezone(timedelta(hours=2)))
    mark = Mark(5, {"service": 2, "location": 3}, moment, "ppr-assets", {"a_note": "kept"})
    content = json.loads(render_mark(mark))
    assert list(content) == ["max_record_count", "updated_at", "updated_by", "tables", "a_note"]
    assert content["updated_at"] == "2026-11-22T02:30:00"
    assert list(content["tables"]) == ["location", "service"]
    assert render_mark(mark).endswith("}\n")


def test_a_timestamp_with_an_offset_is_read_as_that_moment() -> None:
    mark = parse_mark('{"max_record_count": 1, "updated_at": "2026-11-22T04:30:00+02:00"}')
    assert mark.updated_at == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def _with(**changes: object) -> str:
    return json.dumps({"max_record_count": 1260} | changes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not JSON"),
        (b"", "is not JSON"),
        ("   \n", "is not JSON"),
        ("1260 records", "is not JSON"),
        (UPSTREAM[:40], "is not JSON"),
        (b'{"max_record_count": 1260, "updated_by": "\xff"}', "is not JSON"),
        (UPSTREAM.encode("utf-16"), "is not JSON"),
        ('{"max_record_count": NaN}', "is not JSON: NaN is not a number"),
        ('{"max_record_count": Infinity}', "is not JSON: Infinity is not a number"),
        ('{"max_record_count": -Infinity}', "is not JSON: -Infinity is not a number"),
        ('{"max_record_count": 1, "note": 1e999}', "is not JSON: 1e999 is not a number"),
        ('{"max_record_count": ' + "9" * 5000 + "}", "is not JSON"),
        (
            '{"max_record_count": 1260, "max_record_count": 1}',
            "is not JSON: a key stands twice in it",
        ),
        (
            '{"max_record_count": 9, "tables": {"a": 9, "a": 1}}',
            "is not JSON: a key stands twice in it",
        ),
        ("[" * 100_000, "is not JSON"),
        (
            '{"max_record_count": 1, "note": ' + "[" * 50 + "]" * 50 + "}",
            "is nested deeper than 20 levels",
        ),
        ("null", "holds null, not an object"),
        ("1260", "holds a number, not an object"),
        ('"1260"', "holds a text, not an object"),
        ("true", "holds a boolean, not an object"),
        ("[1260]", "holds a list, not an object"),
        ("{}", "has no max_record_count"),
        (_with(max_record_count=None), "has None as max_record_count, not a whole number from 0"),
        (_with(max_record_count=-1), "has -1 as max_record_count, not a whole number from 0"),
        (_with(max_record_count=True), "has True as max_record_count, not a whole number from 0"),
        (_with(max_record_count=12.5), "has 12.5 as max_record_count, not a whole number from 0"),
        (
            _with(max_record_count=1260.0),
            "has 1260.0 as max_record_count, not a whole number from 0",
        ),
        (
            _with(max_record_count="1260"),
            "has '1260' as max_record_count, not a whole number from 0",
        ),
        (
            _with(max_record_count=[1260]),
            "has [1260] as max_record_count, not a whole number from 0",
        ),
        (_with(tables=None), "has null as tables, not an object"),
        (_with(tables=[1]), "has a list as tables, not an object"),
        (_with(tables={"location": -1}), "has -1 as tables.location, not a whole number from 0"),
        (
            _with(tables={"location": False}),
            "has False as tables.location, not a whole number from 0",
        ),
        (_with(tables={"location": "7"}), "has '7' as tables.location, not a whole number from 0"),
        (
            _with(tables={"organization": 1}),
            "has organization among tables, its mark is max_record_count",
        ),
        (_with(updated_at="yesterday"), "has 'yesterday' as updated_at, not a timestamp"),
        (_with(updated_at=20250730), "has 20250730 as updated_at, not a timestamp"),
        (
            _with(updated_at="0001-01-01T00:00:00+14:00"),
            "has '0001-01-01T00:00:00+14:00' as updated_at, not a timestamp",
        ),
        (_with(updated_by=7), "has a number as updated_by, not a text"),
    ],
)
def test_what_is_no_mark_is_refused_with_the_way_out(text: str | bytes, why: str) -> None:
    with pytest.raises(RatchetFileError) as caught:
        parse_mark(text)
    assert caught.value.message.startswith(f"the ratchet file {why}")
    assert ": " in why or why == "is not JSON" or caught.value.message.endswith(why)
    assert len(caught.value.message) < 200
    assert caught.value.hint == (
        "bring back the committed file, or set the mark on purpose: "
        '`ppr-assets ratchet reset --to N --reason "…"`.'
    )


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_whatever_the_file_holds_it_is_a_mark_or_refused(text: str | bytes) -> None:
    try:
        mark = parse_mark(text)
    except RatchetFileError:
        return
    assert mark.organization == json.loads(text)["max_record_count"]


@pytest.mark.parametrize(
    "fields",
    [
        {"organization": -1},
        {"organization": 1, "tables": {"location": -1}},
        {"organization": 1, "tables": {"organization": 2}},
        {"organization": 1, "updated_at": datetime(2026, 11, 22)},  # noqa: DTZ001
        {"organization": 1, "extra": {"tables": {}}},
    ],
)
def test_a_mark_that_no_file_could_hold_is_not_made(fields: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"mark|key"):
        Mark(**fields)
    with pytest.raises(ValueError, match=r"mark|key"):  # which msgspec looks at since 0.21.1
        replace(Mark(0), **fields)


@pytest.mark.slow
@given(MARKS, MARKS)
def test_merging_two_marks_lowers_neither(one: Mark, other: Mark) -> None:
    merged = merged_mark(one, other)
    names = {"organization", *one.tables, *other.tables}
    for name in names:
        assert merged.of(name) == max(mark.of(name) or 0 for mark in (one, other))
    assert set(merged.tables) == names - {"organization"}
    assert set(merged.extra) == {*one.extra, *other.extra}


def test_merged_marks_are_signed_by_the_newer_one() -> None:
    older = Mark(9, {}, datetime(2026, 11, 21, tzinfo=UTC), "old")
    newer = Mark(5, {}, datetime(2026, 11, 22, tzinfo=UTC), "new")
    assert (
        merged_mark(older, newer)
        == merged_mark(newer, older)
        == (Mark(9, {}, newer.updated_at, "new"))
    )
