"""A push that is refused for its size, in the words of forges and of git's own limits."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.command import Output
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.errors import TooLarge, push_failure
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import remote_tip
from ppr_assets.settings import Secret
from ppr_assets_tests.fix_git import Somebody, publish_dump
from ppr_assets_tests.fix_http_remote import HttpRemote, serve

pytestmark = pytest.mark.usefixtures("nobody_else")

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
NAMED = f"; the largest file of the push is `sql_dumps/{FIRST}` with 0.2 MB"

GITHUB = """
remote: error: Trace: 4f1b
remote: error: See https://gh.io/lfs for more information.
remote: error: File sql_dumps/x.sql is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB
remote: error: GH001: Large files detected. You may want to try Git Large File Storage.
"""
GITLAB = """
remote: GitLab: You are attempting to check in one or more blobs which exceed the 100MiB limit:
remote: - 8baef1b4abc478178b004d62031cf7fe6db6f903 (120 MiB)
"""
GITEA = "remote: error: sql_dumps/x.sql is larger than the maximum of 50 MB\n"


@pytest.fixture
def large(data_repo: DataRepo) -> str:
    """A commit with a dump that does not compress."""
    return publish_dump(data_repo, FIRST, os.urandom(100_000).hex())


@pytest.mark.parametrize("words", [GITHUB, GITLAB, GITEA], ids=["GitHub", "GitLab", "a hook"])
def test_a_forge_that_refuses_a_file_is_quoted_and_the_file_is_named(
    data_repo: DataRepo, large: str, bare_remote: Path, words: str
) -> None:
    hook = bare_remote / "hooks" / "pre-receive"
    hook.write_text(
        "#!/bin/sh\ncat >&2 <<'END'\n" + words.replace("remote: ", "") + "END\nexit 1\n"
    )
    hook.chmod(0o755)
    with pytest.raises(TooLarge, match="refused the commit for its size") as caught:
        push(data_repo, large)
    assert words.strip().splitlines()[-1].removeprefix("remote: ") in caught.value.message
    assert caught.value.message.endswith(NAMED)
    assert "SQL_DUMP_MAX_FILE_MB" in caught.value.hint


@pytest.mark.parametrize("unpack_limit", [1, 100])
def test_gits_own_limit_on_a_push_is_no_matter_of_one_file(
    data_repo: DataRepo, large: str, bare_remote: Path, unpack_limit: int
) -> None:
    somebody = Somebody(bare_remote)
    somebody.git("config", "receive.maxInputSize", "50k")
    somebody.git("config", "receive.unpackLimit", str(unpack_limit))
    with pytest.raises(TooLarge, match="pack exceeds maximum allowed size") as caught:
        push(data_repo, large)
    assert caught.value.message.endswith(NAMED)
    assert "receive.maxInputSize" in caught.value.hint


def test_a_complaint_behind_somebody_s_progress_is_read() -> None:
    """Seen on a busy machine: git writes its progress while the remote's words come in."""
    said = (
        "Writing objects:  66% (2/3)remote: fatal: pack exceeds maximum allowed size (50.00 KiB)\n"
        "error: remote unpack failed: index-pack abnormal exit\n"
    )
    failure = push_failure("origin", "refs/heads/main", Output(b"", said, 1))
    assert isinstance(failure, TooLarge)
    assert "fatal: pack exceeds maximum allowed size (50.00 KiB)" in failure.message


def test_a_web_server_in_front_that_takes_no_such_body_is_understood(
    data_repo: DataRepo, large: str, bare_remote: Path, tmp_path: Path
) -> None:
    with serve(HttpRemote(tmp_path, "a-password", largest=50_000)) as remote:
        url = f"{remote.url}/{bare_remote.name}"
        Somebody(data_repo.path).git("remote", "set-url", "origin", url)
        Somebody(bare_remote).git("config", "http.receivepack", "true")
        settings = replace(data_repo.settings, url=None, token=Secret("a-password"))
        repo = open_data_repo(settings)
        before = remote_tip(repo)
        with pytest.raises(TooLarge, match="413") as caught:
            push(repo, large)
        assert remote_tip(repo) == before
    assert caught.value.message.endswith(NAMED)
    assert "client_max_body_size" in caught.value.hint


def test_what_others_have_delivered_already_is_not_named(
    data_repo: DataRepo, owner: Somebody, bare_remote: Path
) -> None:
    owner.commit("Somebody's large file", {"large.bin": os.urandom(300_000).hex()})
    owner.git("push", "-q", "origin", "main")
    new = publish_dump(data_repo, FIRST, os.urandom(100_000).hex())
    Somebody(bare_remote).git("config", "receive.maxInputSize", "50k")
    Somebody(data_repo.path).git("update-ref", "refs/ppr_assets/remote/main", "main^")
    with pytest.raises(TooLarge) as caught:
        push(data_repo, new)
    assert caught.value.message.endswith(NAMED)
