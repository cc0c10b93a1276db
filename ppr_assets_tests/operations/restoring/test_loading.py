"""A dump on its way into a database: how long it may take where nobody has said it."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from ppr_assets.operations.restoring.loading import limit_seconds
from ppr_assets_tests.fix_restore import MadeDump


def test_it_is_five_minutes_or_five_minutes_a_gigabyte(new_dump: MadeDump, tmp_path: Path) -> None:
    found = new_dump.found(tmp_path)
    assert limit_seconds(found) == 300
    assert limit_seconds(replace(found, manifest=None)) == 300
    for size, seconds in ((1_000_000_000, 300), (4_500_000_000, 1350)):
        assert (
            limit_seconds(replace(found, manifest=replace(new_dump.manifest, bytes=size)))
            == seconds
        )
