"""How far the current stage is, in words."""

from __future__ import annotations

from time import monotonic

import pytest

from ppr_assets.cli.shared.stage_line import stage_line
from ppr_assets.progress import Stage

MIB = 1 << 20


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        (Stage("asking the remote"), "asking the remote"),
        (Stage("dumping", done=3 * MIB), "dumping  3.0 MiB"),
        (
            Stage("loading rows", 800 * MIB, done=400 * MIB),
            "loading rows  50 %  400.0 MiB of 800.0 MiB  10 s left",
        ),
        (
            Stage("loading rows", 800 * MIB, done=4 * MIB),
            "loading rows  0 %  4.0 MiB of 800.0 MiB  33 min left",
        ),
        (Stage("loading rows", 10, done=10, then="building indexes"), "building indexes"),
        (
            Stage("dumping", 8 * MIB, about=True, done=2 * MIB),
            "dumping  25 %  2.0 MiB of about 8.0 MiB  30 s left",
        ),
        (Stage("dumping", 8 * MIB, about=True, done=9 * MIB), "dumping  9.0 MiB"),
        (
            Stage("receiving", 4000, "objects", beside="12.3 MiB, 1.2 MiB/s", done=1000),
            "receiving  25 %  1,000 of 4,000 objects  30 s left  12.3 MiB, 1.2 MiB/s",
        ),
        (Stage("verifying", 0), "verifying"),
    ],
)
def test_percent_bytes_and_time_left_are_told_as_far_as_they_are_known(
    stage: Stage, line: str
) -> None:
    stage.began = monotonic() - 10
    assert stage_line(stage) == line


def test_nobody_knows_in_the_first_two_seconds_how_long_it_takes() -> None:
    assert stage_line(Stage("verifying", 100, done=50)) == "verifying  50 %  50 B of 100 B"
