"""What ``ppr-assets dump`` says of a night: each step that has come to something, in its words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from ppr_assets.cli.dagster.run_report import report
from ppr_assets.operations.dumping.dump import DumpOutcome
from ppr_assets.operations.night import Night
from ppr_assets.operations.publishing.delivery import NOT_PUSHED, Delivery
from ppr_assets.operations.publishing.publish import PublishOutcome
from ppr_assets.operations.publishing.retention import Retention
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.gate.replacement import STANDARD
from ppr_assets.rules.recorded.parts import Proof
from ppr_assets.rules.retention import Fate, ShelvedDump
from ppr_assets_tests.rules.recorded.test_manifest import MANIFEST

COUNTS = {"organization": 200, "location": 300}
ACCEPTED = Verdict("accepted", COUNTS, None, STANDARD.policy)
PROVEN = replace(
    MANIFEST,
    bytes=2048,
    without_rows=(),
    proof=Proof("server", datetime(2026, 1, 1, tzinfo=UTC), "18.1", 2.0),
)
COMMIT = "4f2a91c03d" + "0" * 30
DUMPED = DumpOutcome("staged", ACCEPTED, PROVEN, seconds=3.21)
PUSHED = Delivery(pushed=True, bytes=1024)


def lines(**outcomes: Any) -> list[str]:
    return list(report(replace(Night("a-run"), **outcomes)))


def fate(name: str, *kept_by: str) -> Fate:
    return Fate(ShelvedDump(name, datetime(2026, 1, 1, tzinfo=UTC)), kept_by)


def test_a_night_that_published_tells_each_step() -> None:
    published = PublishOutcome("published", PROVEN, COMMIT, delivery=PUSHED)
    assert lines(counted=ACCEPTED, dumped=DUMPED, published=published) == [
        "counted    200 organizations, 500 records; the gate accepted them",
        f"dumped     {PROVEN.dump}, 2.0 KiB, sha256 {PROVEN.sha256[:12]}…, in 3.2 s",
        "proven     restored and equal (server, PostgreSQL 18.1, 2.0 s)",
        "published  commit 4f2a91c03d, which the remote has (1.0 KiB)",
        "run        a-run",
    ]


def test_a_night_that_ended_early_tells_what_it_came_to() -> None:
    overridden = replace(
        ACCEPTED, status="overridden", override=Override("ticket 214", "command line")
    )
    assert lines() == ["run        a-run"]
    assert lines(counted=overridden)[0].endswith("and is overridden: ticket 214")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"proof": Proof("off", PROVEN.snapshot_at)}, "proven     no: SQL_DUMP_PROOF is off"),
        (
            {"without_rows": ("cache",)},
            f"remark     {replace(MANIFEST, without_rows=('cache',)).without}",
        ),
    ],
)
def test_what_a_dump_lacks_is_told(changes: dict[str, Any], told: str) -> None:
    assert told in lines(dumped=replace(DUMPED, manifest=replace(PROVEN, **changes)))


def test_what_is_unusual_is_told_whole_also_of_a_dump_that_is_refused() -> None:
    unusual = tuple(f"column phone.c{number} is gone" for number in range(9))
    for dumped in (DUMPED, DumpOutcome("refused", replace(ACCEPTED, status="refused"))):
        told = lines(counted=ACCEPTED, dumped=replace(dumped, unusual=unusual))
        assert told[-10:] == [*(f"unusual    {one}" for one in unusual), "run        a-run"]


def test_an_unchanged_night_tells_which_dump_stands() -> None:
    unchanged = PublishOutcome("unchanged", PROVEN, COMMIT, delivery=Delivery(pushed=True))
    assert lines(dumped=replace(DUMPED, status="unchanged"), published=unchanged)[:2] == [
        f"unchanged  since {PROVEN.dump}: that dump still stands, no commit is made",
        "stands in  commit 4f2a91c03d, which the remote has",
    ]


def test_a_commit_that_waits_tells_so_and_what_was_set_aside_and_retired() -> None:
    retention = Retention([fate("a.sql", "latest"), fate("b.sql"), fate("c.sql")], [], 0)
    waits = replace(NOT_PUSHED, set_aside="dump z.sql, which the remote refused")
    outcome = PublishOutcome("published", PROVEN, COMMIT, retention=retention, delivery=waits)
    assert lines(published=outcome)[:-1] == [
        "committed  commit 4f2a91c03d, kept in the clone, not pushed",
        "retired    2 dumps into the history, 1 stay",
        "set aside  dump z.sql, which the remote refused",
    ]
