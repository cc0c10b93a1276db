"""A look from outside has nothing to show, reads what is new, and knows what is no incident."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import asdict

from ppr_assets.alerts.state import state_file
from ppr_assets.errors import DataRepoError, NotAsPublished, SettingsError
from ppr_assets.operations.last_night import LastNight
from ppr_assets.operations.outside.look import Looked, look, restore_published
from ppr_assets.operations.outside.stranger import stranger
from ppr_assets.rules.naming import copy_name, dump_name, manifest_name
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_git import Somebody
from ppr_assets_tests.fix_outside import TOKEN, Outside, look_told

pytestmark = pytest.mark.slow


def wrong(looked: Looked) -> dict[str, str]:
    """What is said, by subject."""
    return {one.subject: one.error.message for one in looked.findings if one.error}


@pytest.fixture
def known_to_git(outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All the ways by which this user's own git would be let in."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(f"machine 127.0.0.1 login x-access-token password {TOKEN}\n")
    helper = f"!f() {{ echo username=x-access-token; echo password={TOKEN}; }}; f"
    config = home / "config"
    Somebody(home).git("config", "--file", str(config), "credential.helper", helper)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.https://elsewhere.invalid/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"{outside.remote.url}/")


@pytest.mark.usefixtures("known_to_git")
def test_a_stranger_has_nothing_to_show(outside: Outside) -> None:
    outside.remote.public = False
    outside.remote.seen.clear()
    looked = outside.look()
    assert set(outside.remote.seen) == {""}
    assert wrong(looked)["unreadable"].startswith("nobody can read it without a token: ")
    assert outside.said == ["begun published copy: unreadable"]
    assert "DATA_REPO_PUBLIC_URL=private" in outside.sink.alerts[0]["error"]
    outside.remote.public = True
    assert wrong(outside.look()) == {}
    assert set(outside.remote.seen) == {""}


def test_a_private_repository_is_looked_at_with_the_token(outside: Outside) -> None:
    outside.remote.public = False
    outside.set(public_url="private")
    looked = outside.look()
    assert wrong(looked) == {} and looked.dump is not None and looked.dump.read
    assert looked.who is not None and looked.who.private
    assert outside.said == []


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("git@github.com:someone/data.git", "https://github.com/someone/data.git"),
        ("ssh://git@codeberg.org/someone/data", "https://codeberg.org/someone/data.git"),
        ("https://git.example.org/data.git", "https://git.example.org/data.git"),
    ],
)
def test_an_address_by_ssh_is_asked_by_https_at_a_forge(
    given: str, asked: str, tmp_path: Path
) -> None:
    variables = {"DATA_REPO_PATH": str(tmp_path), "DATA_REPO_URL": given}
    who = stranger(Settings.from_environment(variables, dotenv=None).data_repo)
    assert who is not None and who.url == asked


def test_an_address_by_ssh_elsewhere_is_said_to_need_a_setting(outside: Outside) -> None:
    outside.set(url="git@git.example.org:data.git")
    with pytest.raises(SettingsError, match="nobody can read without a key") as caught:
        outside.look()
    assert "DATA_REPO_PUBLIC_URL" in caught.value.hint
    outside.set(public_url=f"{outside.remote.url}/remote.git")
    assert wrong(outside.look()) == {}


def test_a_dump_that_was_read_whole_is_not_fetched_again(outside: Outside) -> None:
    def requests() -> tuple[bool, int]:
        outside.remote.seen.clear()
        dump = outside.look().dump
        assert dump is not None
        return dump.read, len(outside.remote.seen)

    read, first = requests()
    known, second = requests()
    assert (read, known) == (True, False) and second < first
    state_file(outside.settings.data_repo).with_name("published_copy.json").unlink()
    assert requests() == (True, first)
    outside.after(days=1).night()
    assert requests()[0]


def test_what_was_set_up_so_is_no_incident(outside: Outside, tmp_path: Path) -> None:
    outside.set(push_enabled=False)
    looked = look(outside.settings, good=None, at=outside.after(days=9).now)
    assert (wrong(looked), len(looked.remarks)) == ({}, 1)
    alone = Settings.from_environment({"DATA_REPO_PATH": str(tmp_path / "none")}, dotenv=None)
    looked = look(alone, good=None, at=outside.now)
    assert (looked.findings, looked.who) == ([], None)
    assert "there is no remote" in looked.remarks[0]
    with pytest.raises(NotAsPublished, match="there is no remote"):
        restore_published(alone)


def test_a_repository_in_which_nothing_was_published_yet_is_no_incident(
    outside: Outside, tmp_path: Path
) -> None:
    """But for somebody who only looks: nobody there knows that it is new."""
    for folder in (outside.bare, outside.clone):
        Somebody(folder).git("update-ref", "refs/heads/main", "main~1")
    Somebody(outside.clone).git("update-ref", "refs/ppr_assets/remote/main", "main")
    looked = outside.look()
    assert wrong(looked) == {} and looked.remarks == ["nothing is published yet"]
    assert set(wrong(look_told(outside.elsewhere(tmp_path), outside.now))) == {"unreadable"}


def test_a_remote_without_any_branch_is_told_to_who_only_looks(
    outside: Outside, tmp_path: Path
) -> None:
    Somebody(outside.bare).git("update-ref", "-d", "refs/heads/main")
    looked = look_told(outside.elsewhere(tmp_path), outside.now)
    (told,) = (one.error for one in looked.findings if one.error)
    assert told.render() == (
        f"{outside.settings.data_repo.url} has no branch yet, and so no dump\n"
        "HINT: `ppr-assets dump` publishes one, where PUBLISHER_PUSH_ENABLED is true."
    )


def test_a_line_that_is_bad_for_a_moment_is_no_incident(outside: Outside) -> None:
    outside.remote.failing = 2
    assert wrong(outside.look()) == {}
    outside.remote.failing = 3
    assert set(wrong(outside.look())) == {"unreachable"}


def test_a_disk_that_is_full_here_is_not_told_of_the_remote(
    outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    full = tmp_path / "bin" / "git"
    words = "fatal: write error: No space left on device"
    full.write_text(
        f'#!/bin/sh\ncase "$*" in *clone*) echo "{words}" >&2; exit 128 ;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    full.chmod(0o755)
    monkeypatch.setenv("PATH", f"{full.parent}:{os.environ['PATH']}")
    with pytest.raises(DataRepoError, match="No space left"):
        outside.look()
    assert outside.said == []


def test_what_only_a_restore_meets_is_told_by_the_next_look(outside: Outside) -> None:
    """The remote has lost the bytes of a dump that was read before."""
    assert wrong(outside.look()) == {}
    bare = Somebody(outside.bare)
    blob = bare.git("rev-parse", f"main:sql_dumps/{dump_name(outside.now)}")
    (outside.bare / "objects" / blob[:2] / blob[2:]).unlink()
    assert wrong(outside.look()) == {}
    with pytest.raises(NotAsPublished):
        restore_published(outside.settings)
    assert set(wrong(outside.look())) == {"damaged"}
    assert outside.said == ["begun published copy: damaged"]


def test_each_place_of_copies_is_looked_at(outside: Outside, tmp_path: Path) -> None:
    from ppr_assets.data_repo.clone.clone import open_data_repo
    from ppr_assets.operations.copying.copy import copy_published

    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    data_repo = Settings.from_environment(
        {"PPR_COPY_URLS": " ".join(map(str, folders))}, dotenv=None
    ).data_repo
    outside.set(copies=data_repo.copies)
    assert wrong(outside.look()) == {}  # the night has not ended long ago
    assert set(wrong(outside.after(hours=7).look())) == {str(folder) for folder in folders}
    with open_data_repo(outside.settings.data_repo) as repo:
        assert copy_published(outside.settings, repo).error() is None
    looked = outside.look()
    assert wrong(looked) == {}
    assert {one.newest for one in looked.places} == {looked.dump.name if looked.dump else ""}
    newest = looked.places[0].newest or ""
    manifest = folders[0] / manifest_name(newest)
    written = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(written | {"sha256": "0" * 64}))
    assert wrong(look(outside.settings, good=None, at=outside.now)) == {
        str(folders[0]): f"the copy of {newest} at `{folders[0]}` is not the one that others get"
    }
    manifest.write_text(json.dumps(written))
    copy = folders[1] / copy_name(newest)
    copy.write_bytes(copy.read_bytes()[:-7])
    assert "was cut off" in wrong(outside.look())[str(folders[1])]
    lacks = [f"published copy: {folder}" for folder in folders]
    assert sorted(outside.said[:2]) == sorted(f"begun {one}" for one in lacks)
    assert sorted(outside.said[2:4]) == sorted(f"over {one}" for one in lacks)
    assert outside.said[4:] == [f"begun {lacks[1]}"]


def test_an_old_dump_is_not_stale_where_a_good_night_is_known(
    outside: Outside, tmp_path: Path
) -> None:
    """A stranger on another machine cannot know, and says so."""
    outside.after(days=3).night(changed=False)
    assert wrong(outside.after(hours=25).look()) == {}
    said = wrong(look_told(outside.elsewhere(tmp_path), outside.now))
    assert "no good night since then is known here" in said["stale"]
    alerts = replace(outside.settings.alerts, max_age_hours=200.0)
    theirs = replace(outside.elsewhere(tmp_path), alerts=alerts)
    assert wrong(look_told(theirs, outside.now)) == {}


def test_what_a_night_has_noted_of_itself_counts_for_the_dump_that_it_left(
    outside: Outside,
) -> None:
    """So it is with cron alone, where neither Dagster nor the alerts know of a night."""
    ended, note = outside.after(days=3).now, state_file(outside.settings.data_repo)
    published = outside.look().dump
    assert published is not None

    def noted(dump: str) -> dict[str, str]:
        night = LastNight("run", ended, ended, "unchanged", 0, good_at=ended, dump=dump)
        text = json.dumps(asdict(night), default=datetime.isoformat)
        note.with_name("last_night.json").write_text(text)
        return wrong(look(outside.settings, good=None, at=ended + timedelta(hours=25)))

    assert noted(published.name) == {}
    assert set(noted("pantry_pirate_radio_2099-01-01_00-00-00.sql")) == {"stale"}
