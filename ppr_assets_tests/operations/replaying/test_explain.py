"""How a record came to be: which files told it, why they are one, and whose word stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.errors import SettingsError
from ppr_assets.operations.replaying.explain import Explained, Explanation, explain
from ppr_assets.operations.replaying.gathered import gathered
from ppr_assets.rules.replay.rows.columns import HEADS
from ppr_assets_tests.operations.replaying.test_replay import given, named, publish
from ppr_assets_tests.records.told import LOCATION

OLD, NEW, OTHER = (
    "daily/2025-08-07/scrapers/freshtrak/1.json",
    "daily/2025-08-08/scrapers/freshtrak/2.json",
    "daily/2025-08-08/scrapers/vivery/3.json",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One pantry told three times, and what is no pantry's word."""
    elsewhere = {**LOCATION, "latitude": 41.5, "longitude": -81.7}
    publish(tmp_path, "2025-08-07", "freshtrak", 1, named("Hope Pantry", description="Old"))
    publish(tmp_path, "2025-08-08", "freshtrak", 2, named("Hope Pantry", email="new@example.net"))
    publish(tmp_path, "2025-08-08", "vivery", 3, named("HOPE PANTRY", description="Other"))
    publish(tmp_path, "2025-08-08", "vivery", 4, named("Faith", locations=[elsewhere]))
    (tmp_path / "daily/2025-08-08/scrapers/vivery/5.json").write_text('{"job_id": 1}')
    return tmp_path


def by_table(found: Explanation) -> dict[str, Explained]:
    return {one.table: one for one in found.records}


def test_a_file_tells_of_its_records_and_of_why_they_are_one(folder: Path) -> None:
    found = explain(given(folder), OTHER)
    assert [(line.file, line.outcome) for line in found.files] == [(OTHER, "loaded")]
    one = by_table(found)["organization"]
    assert [(word.file, word.reason, word.same_as) for word in one.told] == [
        (OLD, "", ()),
        (NEW, "the same scraper told it again", ()),
        (OTHER, "same name and the address 12 main st", [OLD, NEW]),
    ]
    assert (one.word_of["description"], one.word_of["email"]) == (OTHER, NEW)
    assert (one.values["description"], one.values["email"]) == ("Other", "new@example.net")
    place = by_table(found)["location"]
    assert place.of == one.id
    assert [word.reason for word in place.told][2] == "the address 12 main st within 25 m"
    assert by_table(found)["service"].told[1].reason == "same organization and name"


def test_every_row_is_explained_by_its_id(folder: Path) -> None:
    with gathered(given(folder)) as (_, merged):
        rows = [*merged.rows()]
        alone = {named.id for named, _ in merged.told} - {values["id"] for _, values in rows}
    seen = set()
    for table, values in rows:
        (one,) = explain(given(folder), values["id"].upper()).records
        assert (one.table, one.id) == (table, values["id"])
        assert one.told, table
        assert all(word.json_path.startswith("$.result") for word in one.told)
        assert one.of or table in HEADS or table == "record_version"
        seen.add(table)
    assert {*HEADS, "phone", "schedule", "address", "location_source", "record_version"} <= seen
    (other,) = alone  # as its scraper would have it
    assert by_table(explain(given(folder), other))["organization"].told[2].id == other


def test_a_file_that_cannot_be_used_says_why_and_one_is_found_by_its_place(folder: Path) -> None:
    (line,) = explain(given(folder), "vivery/5.json").files
    assert (line.outcome, line.reason) == (
        "rejected",
        "not a job: Object missing required field `job`",
    )
    assert explain(given(folder), str(folder / OLD)).files[0].file == OLD


def test_what_is_neither_a_file_nor_an_id_is_said(folder: Path) -> None:
    with pytest.raises(SettingsError, match="`x` is neither one of the 5 files that were read nor"):
        explain(given(folder), "x")
