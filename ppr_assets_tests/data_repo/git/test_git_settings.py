"""What a user has set for git neither breaks nor changes our calls; or git's words are told, with
the setting that they are about."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.temporary_clone import temporary_clone
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import commit_named
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import fetch, remote_has
from ppr_assets.errors import DataRepoError, PushFailed
from ppr_assets_tests.fix_git import Somebody, publish_dump

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"

HARMLESS = {
    "delivery": {
        "push.default": "nothing",
        "push.followTags": "true",
        "push.recurseSubmodules": "check",
        "push.useForceIfIncludes": "true",
        "remote.pushDefault": "elsewhere",
        "fetch.prune": "true",
        "fetch.pruneTags": "true",
        "fetch.recurseSubmodules": "true",
        "submodule.recurse": "true",
        "tag.gpgSign": "true",
        "user.useConfigOnly": "true",
        "clone.defaultRemoteName": "upstream",
        "url.{remote}.insteadOf": "data:",
    },
    "files": {
        "core.autocrlf": "true",
        "core.safecrlf": "true",
        "core.quotePath": "true",
        "core.logAllRefUpdates": "always",
        "core.attributesFile": "{folder}/attributes",
        "core.excludesFile": "{folder}/excludes",
        "core.fsmonitor": "{folder}/fsmonitor",
        "include.path": "{folder}/not-there",
    },
    "what is shown": {
        "color.ui": "always",
        "diff.renames": "copies",
        "diff.noprefix": "true",
        "log.showSignature": "true",
        "log.follow": "true",
        "log.date": "relative",
        "merge.ff": "false",
        "status.short": "true",
        "fetch.showForcedUpdates": "false",
    },
}


@pytest.fixture
def settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that stands for ~/.gitconfig from now on."""
    path = tmp_path / "gitconfig"
    path.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(path))
    return path


def _set(file: Path, name: str, value: str) -> None:
    subprocess.run(["git", "config", "--file", str(file), "--add", name, value], check=True)


@pytest.mark.parametrize("about", HARMLESS)
def test_settings_that_are_no_matter_of_ours_change_nothing(
    data_repo: DataRepo,
    bare_remote: Path,
    owner: Somebody,
    tmp_path: Path,
    settings_of_the_user: Path,
    about: str,
) -> None:
    (tmp_path / "attributes").write_text("* text eol=crlf filter=upper\n")
    (tmp_path / "excludes").write_text("*\n")
    asked = tmp_path / "fsmonitor"
    asked.write_text(f"#!/bin/sh\ntouch {tmp_path}/monitored\nexit 1\n")
    asked.chmod(0o755)
    owner.git("tag", "a-tag-of-the-owner")
    given = {"folder": tmp_path, "remote": bare_remote}
    for name, value in HARMLESS[about].items():
        _set(settings_of_the_user, name.format(**given), value.format(**given))

    repo = open_data_repo(data_repo.settings)
    new = publish_dump(repo, NAME, "one\r\ntwo\n")
    push(repo, new)
    assert fetch(repo) == new
    assert remote_has(repo, new)
    assert list(dump_folder(repo, new).dumps) == [NAME]
    assert owner.git("tag") == "a-tag-of-the-owner"
    assert owner.git("cat-file", "-s", f"main:sql_dumps/{NAME}") == "9"
    assert (repo.path / "sql_dumps" / NAME).read_bytes() == b"one\r\ntwo\n"
    assert not (tmp_path / "monitored").exists()
    looked = temporary_clone(repo.settings, str(bare_remote), tmp_path / "glimpse.git")
    assert commit_named(looked, "HEAD") == new
    fresh = replace(repo.settings, path=tmp_path / "fresh", url=str(bare_remote))
    assert list(dump_folder(open_data_repo(fresh), "refs/heads/main").dumps) == [NAME]


@pytest.mark.parametrize(
    ("name", "value", "words", "hint"),
    [
        ("push.gpgSign", "true", "does not support --signed push", "push.gpgSign"),
        ("push.pushOption", "ci.skip", "does not support push options", "push.pushOption"),
        ("remote.origin.mirror", "true", "--mirror can't be combined", "remote.origin.mirror"),
        ("protocol.allow", "never", "transport 'file' not allowed", "protocol.allow"),
        ("protocol.file.allow", "never", "transport 'file' not allowed", "protocol.<name>.allow"),
        ("core.hooksPath", "{folder}", "not on a Sunday", "core.hooksPath"),
        ("push.default", "nonsense", "push.default", "git's configuration"),
        ("core.compression", "99", "compression level 99", "git's configuration"),
        ("remote.origin.pushurl", "/not-there", "/not-there", "git remote -v"),
        ("url.file:///x.pushInsteadOf", "{folder}", "'/x/remote.git'", "git remote -v"),
        ("http.lowSpeedLimit", "nonsense", "", ""),
    ],
)
def test_a_setting_that_stops_a_push_is_told_in_gits_words_and_named(
    data_repo: DataRepo,
    tmp_path: Path,
    settings_of_the_user: Path,
    name: str,
    value: str,
    words: str,
    hint: str,
) -> None:
    hook = tmp_path / "pre-push"
    hook.write_text("#!/bin/sh\necho 'not on a Sunday' >&2\nexit 1\n")
    hook.chmod(0o755)
    new = publish_dump(data_repo, NAME)
    _set(settings_of_the_user, name, value.format(folder=tmp_path))
    if not words:
        push(data_repo, new)
        return
    with pytest.raises(PushFailed) as caught:
        push(data_repo, new)
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert "not reachable" not in caught.value.hint


@pytest.mark.parametrize(
    ("name", "script", "words", "hint"),
    [
        ("gpg.program", "sleep 60", "`git commit-tree` did not end", "commit.gpgsign"),
        ("core.hooksPath", "sleep 60", "`git push` did not end", "pre-push hook"),
        ("core.hooksPath", "exit 1", "aborted by hook", "reference-transaction hook"),
    ],
)
def test_a_program_of_the_users_that_hangs_or_refuses_is_named(
    data_repo: DataRepo,
    tmp_path: Path,
    settings_of_the_user: Path,
    name: str,
    script: str,
    words: str,
    hint: str,
) -> None:
    for program in ("gpg", "pre-push" if "sleep" in script else "reference-transaction"):
        (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / program).chmod(0o755)
    _set(settings_of_the_user, name, str(tmp_path / "gpg" if "gpg" in name else tmp_path))
    _set(settings_of_the_user, "commit.gpgSign", str("gpg" in name).lower())
    repo = replace(data_repo, settings=replace(data_repo.settings, timeout_seconds=1.5))
    with pytest.raises(DataRepoError) as caught:
        push(repo, publish_dump(repo, NAME))
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert "git fsck" not in caught.value.hint


def test_the_hints_commands_help_and_a_proxy_is_named(
    data_repo: DataRepo, owner: Somebody, settings_of_the_user: Path
) -> None:
    new = publish_dump(data_repo, NAME)
    _set(settings_of_the_user, "push.gpgSign", "true")
    _set(settings_of_the_user, "push.pushOption", "ci.skip")
    owner.git("config", "push.gpgSign", "if-asked")
    owner.git("config", "push.pushOption", "")
    push(data_repo, new)

    _set(settings_of_the_user, "http.proxy", "http://somebody:pass-word@proxy.invalid:3128")
    owner.git("remote", "set-url", "origin", "https://git.invalid/data.git")
    repo = open_data_repo(replace(data_repo.settings, url=None))
    with pytest.raises(PushFailed) as caught:
        fetch(repo)
    assert "proxy" in caught.value.message and "get-regexp proxy" in caught.value.hint
    assert "pass-word" not in caught.value.render()


def test_a_bare_repository_that_git_is_told_not_to_trust(
    bare_remote: Path, data_repo: DataRepo, settings_of_the_user: Path
) -> None:
    _set(settings_of_the_user, "safe.bareRepository", "explicit")
    with pytest.raises(DataRepoError, match=r"safe\.bareRepository"):
        publish_dump(open_data_repo(replace(data_repo.settings, path=bare_remote, url=None)), NAME)
