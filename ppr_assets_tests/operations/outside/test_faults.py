"""What goes wrong between a night and whoever needs its dump is told once, and so is its end.

Three nights pass under each fault, with a look of the sensor and one from outside after each.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_git import Somebody
from ppr_assets_tests.fix_outside import START, TOKEN, Outside, look_told

pytestmark = pytest.mark.slow

STALE = "published copy: stale"
QUIET_NIGHTS = 60
"""In the suite; a campaign goes on."""


def days(world: Outside, number: int = 3, *, nights: bool = True) -> None:
    """Each with a look before its night, one after it, and what the sensor looks at."""
    for _ in range(number):
        world.after(minutes=47).look()
        world.sensor()
        world.now = world.now.replace(hour=2, minute=0) + timedelta(days=1)
        if nights:
            world.night()
        world.sensor()
        world.after(minutes=47).look()
        world.sensor()


def require_one(world: Outside, said: str) -> None:
    """Begun once, whatever was found, and over once when all is well again."""
    assert world.said == [f"begun {said}"], world.sink.alerts


def require_over(world: Outside, said: str) -> None:
    days(world, 1)
    assert world.said == [f"begun {said}", f"over {said}"], world.sink.alerts


def hook(world: Outside, words: str) -> Path:
    path = world.bare / "hooks" / "pre-receive"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "words",
    [
        "you may not push here",
        "GH006: Protected branch update failed for refs/heads/main.",
    ],
    ids=["push denied", "branch protected"],
)
def test_a_push_that_is_refused(outside: Outside, words: str) -> None:
    refusing = hook(outside, words)
    days(outside)
    require_one(outside, "push undelivered: nightly_dump")
    assert words.partition(" for")[0] in outside.sink.alerts[0]["error"]
    refusing.unlink()
    require_over(outside, "push undelivered: nightly_dump")


def test_a_token_that_has_expired(outside: Outside) -> None:
    outside.remote.password = "another"
    days(outside)
    require_one(outside, "push undelivered: nightly_dump")
    assert TOKEN not in str(outside.sink.got)
    outside.remote.password = TOKEN
    require_over(outside, "push undelivered: nightly_dump")


def test_a_schedule_that_was_switched_off(outside: Outside) -> None:
    days(outside, 2, nights=False)
    require_one(outside, "no new dump: nightly_dump")
    require_over(outside, "no new dump: nightly_dump")


def test_a_daemon_that_is_dead_is_heard_by_who_looks_from_another_machine(
    outside: Outside, tmp_path: Path
) -> None:
    """Nobody says anything on the machine that dumps: no night, no sensor and no look."""
    theirs = outside.elsewhere(tmp_path)
    for hours in (1, 25):
        look_told(theirs, START + timedelta(hours=hours))
        assert outside.said == []
    for hours in (26, 27, 59):
        look_told(theirs, START + timedelta(hours=hours))
    require_one(outside, STALE)
    outside.after(hours=60).night()
    look_told(theirs, outside.now)
    assert outside.said == [f"begun {STALE}", f"over {STALE}"]


def test_a_remote_that_is_stale_for_those_who_read(outside: Outside, tmp_path: Path) -> None:
    """Every push succeeds, and what others read does not follow."""
    mirror = tmp_path / "mirror.git"
    Somebody(tmp_path).git("clone", "-q", "--mirror", str(outside.bare), str(mirror))
    outside.set(public_url=mirror.as_uri())
    days(outside)
    require_one(outside, STALE)
    assert "others still get" in outside.sink.alerts[0]["error"]
    Somebody(mirror).git("fetch", "-q", "origin")
    outside.look()
    assert outside.said == [f"begun {STALE}", f"over {STALE}"]


@pytest.mark.parametrize("first", ["night", "look"])
def test_a_wrong_branch(outside: Outside, first: str) -> None:
    outside.set(branch="mian")
    if first == "night":
        outside.after(days=1).night()
    days(outside)
    said = "run failed: nightly_dump" if first == "night" else "published copy: wrong branch"
    require_one(outside, said)
    assert "no branch `mian`, it has `main`" in outside.sink.alerts[0]["error"]
    outside.set(branch="main")
    require_over(outside, said)


def test_a_branch_that_nobody_gets_who_clones_without_its_name(outside: Outside) -> None:
    Somebody(outside.clone).git("branch", "-q", "dumps", "main")
    Somebody(outside.bare).git("branch", "-q", "dumps", "main")
    outside.set(branch="dumps")
    days(outside, 2)
    require_one(outside, STALE)
    assert "gets branch `main`" in outside.sink.alerts[0]["error"]
    Somebody(outside.bare).git("symbolic-ref", "HEAD", "refs/heads/dumps")
    require_over(outside, STALE)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 2345\n"


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda text: text[: len(text) // 2], "was cut off"),
        (lambda _: POINTER.format("0" * 64), "is a Git LFS pointer"),
    ],
    ids=["file cut", "pointer instead of bytes"],
)
def test_bytes_that_are_others(
    outside: Outside, tmp_path: Path, harm: Callable[[str], str], words: str
) -> None:
    name = f"sql_dumps/{dump_name(START)}"
    theirs = outside.somebody(tmp_path)
    whole = (theirs.path / name).read_text()
    outside.after(minutes=47).look()
    theirs.commit("tidy up", {name: harm(whole)})
    theirs.git("push", "-q", "origin", "main")
    for _ in range(3):
        outside.after(hours=1).look()
    require_one(outside, "published copy: damaged")
    assert words in outside.sink.alerts[0]["error"]
    theirs.commit("bring it back", {name: whole})
    theirs.git("push", "-q", "origin", "main")
    outside.after(hours=1).look()
    assert outside.said[1:] == ["over published copy: damaged"]


@pytest.mark.parametrize("first", ["night", "look"])
def test_a_name_that_is_not_resolved(outside: Outside, first: str) -> None:
    url = outside.settings.data_repo.url or ""
    away = "http://no-such-host.invalid/remote.git"
    outside.set(url=away)
    Somebody(outside.clone).git("remote", "set-url", "origin", away)
    if first == "night":
        outside.after(days=1).night()
    days(outside, 2)
    said = "push undelivered: nightly_dump" if first == "night" else "published copy: unreachable"
    require_one(outside, said)
    assert "Could not resolve host" in outside.sink.alerts[0]["error"]
    outside.set(url=url)
    Somebody(outside.clone).git("remote", "set-url", "origin", url)
    require_over(outside, said)


def test_quiet_nights_say_nothing(outside: Outside, campaign: Campaign) -> None:
    """On most of them the data are the same, so that there is neither a dump nor a commit."""
    for number in campaign.rounds(QUIET_NIGHTS):
        outside.now = START + timedelta(days=number + 1)
        outside.night(changed=number % 15 == 0)
        if number % 7 == 0:
            outside.after(hours=number % 24).look()
        outside.sensor()
    assert outside.said == []
