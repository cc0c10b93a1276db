"""The token reaches a real HTTP remote, and nothing else."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import fetch, remote_tip
from ppr_assets.settings import DataRepoSettings, Secret
from ppr_assets_tests.fix_git import Somebody, publish_dump
from ppr_assets_tests.fix_http_remote import HttpRemote, serve

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

TOKEN = "ghp_recognisable0123456789"
ENCODED = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"


@pytest.fixture
def http_remote(bare_remote: Path) -> Iterator[HttpRemote]:
    """The bare remote, by HTTP and with the token as its password."""
    Somebody(bare_remote).git("config", "http.receivepack", "true")
    with serve(HttpRemote(bare_remote.parent, TOKEN)) as remote:
        yield remote


@pytest.fixture
def settings(repo_settings: DataRepoSettings, http_remote: HttpRemote) -> DataRepoSettings:
    return replace(repo_settings, url=f"{http_remote.url}/remote.git", token=Secret(TOKEN))


@contextmanager
def _watched_processes(folder: Path, word: str) -> Iterator[set[str]]:
    """The command lines of every process that is there at some moment of the block. A git with
    ``word`` among its arguments is there until it has been seen."""
    seen: set[str] = set()
    done = threading.Event()
    folder.mkdir()
    marker, git = folder / "seen", folder / "git"
    git.write_text(
        f'#!/bin/sh\ncase "$*" in *{word}*)\n'
        f"  until test -e {marker}; do sleep 0.01; done ;;\n"
        f'esac\nexec {shutil.which("git")} "$@"\n'
    )
    git.chmod(0o755)

    def look() -> None:
        while not done.is_set():
            for process in psutil.process_iter(["cmdline"]):
                seen.update(process.info["cmdline"] or [])
            if word in seen:
                marker.touch()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as path:
            path.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
            yield seen
    finally:
        done.set()
        thread.join()


def _files_with(folder: Path, *words: str) -> list[str]:
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words)
    ]


def test_the_token_opens_the_remote_and_is_seen_nowhere(
    settings: DataRepoSettings,
    http_remote: HttpRemote,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with _watched_processes(tmp_path / "bin", "ls-remote") as commands:
        repo = open_data_repo(settings)
        new = publish_dump(repo, FIRST, os.urandom(2_000_000).hex())
        assert push(repo, new).bytes > 2_000_000
        assert remote_tip(repo) == new
        assert fetch(repo) == new
    assert f"Basic {ENCODED}" in http_remote.seen
    assert "ls-remote" in commands
    assert [command for command in commands if TOKEN in command or ENCODED in command] == []
    assert _files_with(tmp_path, TOKEN, ENCODED) == []
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(repo)
    assert TOKEN not in repr(settings)
    assert "credential" not in (repo.git_dir / "config").read_text()


def test_a_wrong_token_is_a_failure_that_names_the_variable_and_not_the_token(
    settings: DataRepoSettings, http_remote: HttpRemote, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    repo = open_data_repo(settings)
    wrong = replace(repo, settings=replace(settings, token=Secret("ghp_wrong9876543210")))
    new = publish_dump(repo, FIRST)
    for attempt in (lambda: remote_tip(wrong), lambda: fetch(wrong), lambda: push(wrong, new)):
        with pytest.raises(RemoteUnreachable) as caught:
            attempt()
        assert "DATA_REPO_TOKEN" in caught.value.hint
        said = f"{caught.value.render()} {caught.value!r} {caught.value.__cause__!r}"
        assert "wrong9876543210" not in said
    assert "wrong9876543210" not in caplog.text
    assert tip(repo) == new


def test_without_a_token_nobody_is_asked_for_one(settings: DataRepoSettings) -> None:
    with pytest.raises(RemoteUnreachable) as caught:
        open_data_repo(replace(settings, token=None))
    assert "DATA_REPO_TOKEN" in caught.value.hint
    assert not settings.path.exists()


def test_helpers_of_the_user_do_not_get_the_token_to_keep(
    settings: DataRepoSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\necho $1 >> {kept}; cat >> {kept}\n")
    helper.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f'[credential]\n\thelper = "{helper}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    repo = open_data_repo(settings)
    push(repo, publish_dump(repo, FIRST))
    assert not kept.exists()


def test_another_origin_does_not_get_the_token(
    settings: DataRepoSettings, http_remote: HttpRemote, bare_remote: Path
) -> None:
    """The remote sends us elsewhere, where somebody asks for a password."""
    with serve(HttpRemote(bare_remote.parent, "something else")) as stranger:
        repo = open_data_repo(settings)
        http_remote.elsewhere = stranger.url
        with pytest.raises(RemoteUnreachable):
            remote_tip(repo)
        assert stranger.seen
        assert not any(ENCODED in header for header in stranger.seen)


def test_a_token_for_a_folder_is_not_used(
    repo_settings: DataRepoSettings, bare_remote: Path
) -> None:
    repo = open_data_repo(replace(repo_settings, url=str(bare_remote), token=Secret(TOKEN)))
    assert remote_tip(repo) == tip(repo)
