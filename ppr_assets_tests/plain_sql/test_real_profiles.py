"""What the real database's dumps and marks of 2025 say, judged by the rules of a profile."""

from __future__ import annotations

import gzip
import json
import lzma
from decimal import Decimal
from pathlib import Path

import pytest

from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.plain_sql.profile import TableProfiler
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import GatePolicy
from ppr_assets.rules.profile.columns import ColumnProfile, Points, Profile, TableProfile
from ppr_assets.rules.profile.guard import hollow_tables, judge_profile
from ppr_assets.rules.profile.movements import EarlierNight, movements, warnings
from ppr_assets.rules.profile.schema import Schema, schema_changes
from ppr_assets_tests.places import SHARED

DUMPS = sorted((SHARED / "data/real-dumps").glob("*.sql.*z"))
MARKS = SHARED / "data/haarrrvest-ratchet-history.jsonl"
POLICY = GatePolicy(100, Decimal("0.9"), core_share=Decimal("0.1"), point_share=Decimal("0.25"))
NOT_THERE = "../shared is not there"


def _profile(packed: Path, folder: Path) -> Profile:
    unpack = gzip.decompress if packed.suffix == ".gz" else lzma.decompress
    found = {}
    for piece in pieces([unpack(packed.read_bytes())]):
        if isinstance(piece, CopyRows):
            with SortedRows(folder) as rows:
                for chunk in piece.rows:
                    rows.add(chunk)
                columns = piece.columns
                profiler = TableProfiler(piece.key, columns, rows=rows.count, size=rows.size)
                for some in rows.lists():
                    profiler.add(some)
            found[piece.key] = profiler.finished()
    return found


def _marks() -> list[int]:
    lines = MARKS.read_text().splitlines()
    return [json.loads(line)["ratchet"]["max_record_count"] for line in lines]


@pytest.mark.skipif(not DUMPS, reason=NOT_THERE)
def test_the_real_dumps_are_profiled_and_refused_only_for_being_hollow(tmp_path: Path) -> None:
    nights: list[EarlierNight] = []
    refused = []
    for packed in DUMPS:
        profile = _profile(packed, tmp_path)
        counts = {table: found.rows for table, found in profile.items()}
        found = [*hollow_tables(counts, None, POLICY), *judge_profile(profile, nights, POLICY)]
        refused.append([one.text for one in found])
        nights.append(EarlierNight(profile, packed.name))
    assert refused == [
        [],  # no organizations: the floor's
        [
            "location has 0 records, at least 16 needed "
            "beside 154 organizations (SQL_DUMP_MIN_CORE_SHARE)",
            "service has 4 records, at least 16 needed "
            "beside 154 organizations (SQL_DUMP_MIN_CORE_SHARE)",
        ],
        [
            "location has 0 records, at least 42 needed "
            "beside 413 organizations (SQL_DUMP_MIN_CORE_SHARE)",
            "service has 10 records, at least 42 needed "
            "beside 413 organizations (SQL_DUMP_MIN_CORE_SHARE)",
        ],
    ]
    first, _, last = (night.profile for night in nights)
    assert schema_changes(Schema.of_profile(first), Schema.of_profile(last)) == []
    assert warnings(movements(last, nights[:-1])) == []
    assert last["organization"].columns["name"].filled == 413
    assert last["organization_source"].groups["scraper_id"].keys()
    assert last["location"] == TableProfile(
        0, dict.fromkeys(last["location"].columns, ColumnProfile()), Points(0, 0)
    )


@pytest.mark.skipif(not MARKS.exists(), reason=NOT_THERE)
def test_no_good_night_of_the_real_marks_is_refused() -> None:
    mark: Mark | None = None
    for organizations in _marks():
        counts = {
            "organization": organizations,
            "location": round(organizations * 0.9),
            "service": round(organizations * 0.7),
        }
        assert hollow_tables(counts, mark, POLICY) == []
        assert hollow_tables(counts, None, POLICY) == []
        mark = Mark(organizations, {"location": counts["location"], "service": counts["service"]})


@pytest.mark.skipif(not MARKS.exists(), reason=NOT_THERE)
def test_the_hollow_nights_of_the_real_marks_are_refused() -> None:
    before, last = _marks()[-2:]
    assert (before, last) == (641, 1219)
    counts = {"organization": last, "location": 1, "service": 30}
    found = hollow_tables(counts, Mark(before), POLICY)
    assert [(one.table, one.have, one.need) for one in found] == [
        ("location", 1, 122),
        ("service", 30, 122),
    ]


@pytest.mark.skipif(not MARKS.exists(), reason=NOT_THERE)
def test_of_the_real_marks_only_the_night_that_lost_everything_is_named() -> None:
    nights: list[EarlierNight] = []
    named = []
    for organizations in _marks():
        profile = {"organization": TableProfile(organizations)}
        named += warnings(movements(profile, nights))
        nights.append(EarlierNight(profile))
    assert named[0] == "organization: 10 rows, 10,505 for 4 nights"
    assert named[1:] == [
        "organization: 641 rows, 10,505 before",
        "organization: 1,219 rows, 10,505 before",
    ]
