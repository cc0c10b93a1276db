"""Which dump is meant by a name, a moment or a date."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DumpMissing
from ppr_assets.operations.looking.meant import Meant, meant_dump
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import publish_dump
from ppr_assets_tests.fix_old_dumps import OldDump

NAMED = "pantry_pirate_radio_"
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
    with pytest.raises(DumpMissing) as missing:
        _meant(shelf, at)
    assert missing.value.render() == (
        f"`{at}` is neither a dump nor a commit nor a date\n"
        "HINT: dates are as in 2026-11-01 (its end) or 2026-11-01T12:00, in UTC."
    )


def test_before_the_first_there_is_none(shelf: Path) -> None:
    for at in ("2025-12-31", "0001-01-01", "0001-01-01T00:00+14:00"):
        with pytest.raises(DumpMissing):
            _meant(shelf, at)


def test_what_was_never_published_is_looked_for_in_the_history(
    data_repo: DataRepo, repo_settings: DataRepoSettings
) -> None:
    publish_dump(data_repo, f"pantry_pirate_radio_{OLDER}.sql")
    for at, what in (("2025-12-31", "of `2025-12-31` or before"), (NEWER, f"`{NAMED}{NEWER}.sql`")):
        with (
            pytest.raises(DumpMissing) as missing,
            meant_dump(repo_settings, Meant(at, offline=True)),
        ):
            pass
        assert missing.value.render() == (
            f"there was no dump {what} in the history, the oldest is {NAMED}{OLDER}.sql\n"
            "HINT: `ppr-assets list --history` names all that were published."
        )
