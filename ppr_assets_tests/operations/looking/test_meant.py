"""Which dump is meant by a name, a moment or a date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ppr_assets.errors import DumpMissing
from ppr_assets.operations.looking.meant import Meant, meant_dump
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_old_dumps import OldDump

OLDER, NEWER = "2026-01-01_02-00-00", "2026-01-02_02-00-00"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for moment in (OLDER, NEWER):
        (tmp_path / f"pantry_pirate_radio_{moment}.sql").write_bytes(OldDump(16).sql)
    return tmp_path


def _meant(shelf: Path, at: str | None) -> str:
    settings = DataRepoSettings(shelf / "no_clone")
    with meant_dump(settings, Meant(at, str(shelf))) as found:
        return found.name.removeprefix("pantry_pirate_radio_").removesuffix(".sql")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (None, NEWER),
        ("latest", NEWER),
        ("2026-01-01", OLDER),
        ("2026-01-02T01:59:59", OLDER),
        ("2026-01-02 02:00", NEWER),
        ("2026-01-02T03:59:00+02:00", OLDER),
        ("2026-01-02T02:00Z", NEWER),
        ("9999-12-31", NEWER),
        ("9999-12-31T23:59:59-12:00", NEWER),
        (f"pantry_pirate_radio_{OLDER}", OLDER),
        (f"pantry_pirate_radio_{OLDER}.sql", OLDER),
        (OLDER, OLDER),
    ],
)
def test_a_dump_is_meant_by_its_name_its_moment_or_a_date(
    at: str | None, expected: str, shelf: Path
) -> None:
    assert _meant(shelf, at) == expected


@pytest.mark.parametrize("at", ["", " ", "2026-11-31", "2026-1-1", "2026-11", "2026-11-01T25:00"])
def test_what_is_nearly_a_date_is_told_how_dates_are_written(at: str, shelf: Path) -> None:
    said = re.escape(f"`{at}` is neither a dump nor a commit nor a date")
    with pytest.raises(DumpMissing, match=said):
        _meant(shelf, at)


def test_before_the_first_there_is_none(shelf: Path) -> None:
    for at in ("2025-12-31", "0001-01-01", "0001-01-01T00:00+14:00"):
        with pytest.raises(DumpMissing):
            _meant(shelf, at)
