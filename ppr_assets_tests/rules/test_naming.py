from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.naming import (
    dump_moment,
    dump_name,
    is_dump_name,
    manifest_name,
    quote_identifier,
    table_key,
)

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS)  # noqa: DTZ001
IDENTIFIERS = st.text(min_size=1)


def test_a_dump_is_named_after_its_moment_in_utc() -> None:
    moment = datetime(2026, 11, 21, 21, 0, 0, 999, timezone(timedelta(hours=-5)))
    assert dump_name(moment) == "pantry_pirate_radio_2026-11-22_02-00-00.sql"


def test_a_moment_without_timezone_names_no_dump() -> None:
    with pytest.raises(ValueError, match="time zone"):
        dump_name(datetime(2026, 11, 22))  # noqa: DTZ001


@given(MOMENTS)
def test_a_name_gives_its_moment_back_to_the_second(moment: datetime) -> None:
    name = dump_name(moment)
    assert is_dump_name(name)
    assert dump_moment(name) == moment.astimezone(UTC).replace(microsecond=0)


@given(MOMENTS, MOMENTS)
def test_names_sort_as_their_moments_do(one: datetime, other: datetime) -> None:
    earlier, later = sorted([one, other])
    assert dump_name(earlier) <= dump_name(later)


def test_a_dump_that_upstream_compressed_is_a_dump() -> None:
    name = "pantry_pirate_radio_2025-08-06_18-28-26.sql.gz"
    assert is_dump_name(name)
    assert dump_moment(name) == datetime(2025, 8, 6, 18, 28, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["pantry_pirate_radio_2025-07-27.sql" + end for end in ("", ".gz")]
)
def test_a_dump_that_upstream_named_by_its_date_is_of_that_days_first_moment(name: str) -> None:
    assert dump_moment(name) == datetime(2025, 7, 27, tzinfo=UTC)
    assert manifest_name(name) == "pantry_pirate_radio_2025-07-27.json"
    assert name < dump_name(datetime(2025, 7, 27, tzinfo=UTC))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "latest.sql",
        "pantry_pirate_radio_2026-02-31_02-00-00.sql",
        "pantry_pirate_radio_2026-02-31.sql",
        "pantry_pirate_radio_2026-02-28_.sql",
        "pantry_pirate_radio_2026-11-22_24-00-00.sql",
        "pantry_pirate_radio_2026-11-22_23-59-60.sql",
        "pantry_pirate_radio_2026-11-22_02-00-00.sql\n",
        "pantry_pirate_radio_2026-11-22_02-00-00.json",
        "pantry_pirate_radio_2026-11-22_02-00-00.sql.gz.gz",
        "pantry_pirate_radio_٢٠٢٦-11-22_02-00-00.sql",
        "../pantry_pirate_radio_2026-11-22_02-00-00.sql",
        ".pantry_pirate_radio_2026-11-22_02-00-00.sql.partial",
    ],
)
def test_another_name_is_no_dump(name: str) -> None:
    assert not is_dump_name(name)
    assert dump_moment(name) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_a_name(name: str) -> None:
    assert is_dump_name(name) == (dump_moment(name) is not None)


@given(MOMENTS)
def test_the_manifest_stands_beside_its_dump(moment: datetime) -> None:
    name = dump_name(moment)
    assert manifest_name(name) == manifest_name(f"{name}.gz") == name[: -len(".sql")] + ".json"


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("organization", "organization"),
        ("_t2", "_t2"),
        ("2t", '"2t"'),
        ("Location", '"Location"'),
        ("größe", '"größe"'),
        ('a"b', '"a""b"'),
        ("t\n", '"t\n"'),
        ("", '""'),
    ],
)
def test_an_identifier_is_quoted_only_where_it_must_be(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted


@given(IDENTIFIERS)
def test_a_quoted_identifier_gives_its_name_back(name: str) -> None:
    quoted = quote_identifier(name)
    if quoted == name:
        assert set(name) <= set(string.ascii_lowercase + string.digits + "_")
    else:
        inner = quoted[1:-1].replace('""', "")
        assert '"' not in inner
        assert quoted[1:-1].replace('""', '"') == name


def test_a_table_of_public_goes_without_its_schema() -> None:
    assert table_key("public", "organization") == "organization"
    assert table_key("public", "My table") == '"My table"'
    assert table_key("staging", "organization") == "staging.organization"
    assert table_key("a.b", "c") == '"a.b".c'


@given(IDENTIFIERS, IDENTIFIERS, IDENTIFIERS, IDENTIFIERS)
def test_two_tables_never_share_a_key(a: str, b: str, c: str, d: str) -> None:
    assert (table_key(a, b) == table_key(c, d)) == ((a, b) == (c, d))
