from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ppr_assets.settings import data_repo
from ppr_assets.settings.kinds import UnusableValueError

REPOSITORY = Path("/data-repo")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/For-The-Greater-Good/HAARRRvest.git",
        "https://git.example.org:8443/data.git",
        "http://[::1]:3000/data.git",
        "ssh://git@example.org:22/data.git",
        "git@example.org:owner/data.git",
        "example.org:owner/data@home.git",
        "file:///srv/data.git",
        "/srv/data.git",
        "../data.git",
    ],
)
def test_a_url_without_credentials_is_taken_as_it_is(url: str) -> None:
    assert data_repo.git_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://someone:hunter2@example.org/data.git",
        "https://ghp_hunter2@example.org/data.git",
        "https://x-access-token:hunter2@example.org/data.git",
        "https://:hunter2@example.org/data.git",
        "HTTPS://hunter2@example.org/data.git",
        "http://hunter2@[::1]/data.git",
        "https://a@b:hunter2@example.org/data.git",
        "https://example.org/data.git?private_token=hunter2",
        "ssh://git:hunter2@example.org/data.git",
        "git:hunter2@example.org:data.git",
    ],
)
def test_a_url_with_credentials_is_refused_unseen_and_sent_to_the_token(url: str) -> None:
    with pytest.raises(UnusableValueError) as caught:
        data_repo.git_url(url)
    assert caught.value.hidden
    assert "DATA_REPO_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "fd::7",
        "https://exa mple.org/x",
        "https://[bad/x",
        "a\nb",
        "https://example.org/\x07",
    ],
)
def test_what_git_would_not_clone_or_would_execute_is_refused(url: str) -> None:
    with pytest.raises(UnusableValueError):
        data_repo.git_url(url)


@pytest.mark.parametrize("url", ["https://u:hunter2@exa mple.org/x", "https://u:hunter2@[bad/x"])
def test_a_broken_url_with_credentials_is_refused_unseen(url: str) -> None:
    with pytest.raises(UnusableValueError) as caught:
        data_repo.git_url(url)
    assert caught.value.hidden


def _git_accepts(branch: str) -> bool:
    checked = subprocess.run(["git", "check-ref-format", f"refs/heads/{branch}"], check=False)
    return checked.returncode == 0


@settings(max_examples=150)
@given(st.text("aZ0./-@{}~^:?*[\\ _\x01\x7fé", min_size=1, max_size=8))
@example("a.lock")
@example("a.lock/b")
@example("a.lockb")
@example("refs/heads/main")
def test_a_branch_is_accepted_where_git_accepts_it(branch: str) -> None:
    # Of what git could store, these read as an option or as the current commit on a command line.
    expected = _git_accepts(branch) and not branch.startswith("-") and branch not in ("@", "HEAD")
    try:
        accepted = data_repo.branch(branch) == branch
    except UnusableValueError:
        accepted = False
    assert accepted == expected


@pytest.mark.parametrize("branch", ["", " ", "HEAD", "@", "-main", "a..b", "a b", "a/", ".a"])
def test_what_is_no_branch_is_refused(branch: str) -> None:
    with pytest.raises(UnusableValueError):
        data_repo.branch(branch)


@pytest.mark.parametrize("name", ["Zoë O'Brien, Jr.", "bot", "a@example.org"])
def test_an_author_is_taken_as_given(name: str) -> None:
    assert data_repo.person(name) == name


@pytest.mark.parametrize("name", ["a\nb", "a <b", "b>", "...", " ", '"\'"', "a\0b"])
def test_an_author_that_would_break_a_commit_is_refused(name: str) -> None:
    with pytest.raises(UnusableValueError):
        data_repo.person(name)


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("./sql_dumps", "sql_dumps"),
        ("sql_dumps/", "sql_dumps"),
        ("backups//sql", "backups/sql"),
        ("/data-repo/sql_dumps", "sql_dumps"),
        ("/data-repo/./a/b", "a/b"),
        (".github-dumps", ".github-dumps"),
    ],
)
def test_the_folder_of_the_dumps_is_relative_to_the_repository(text: str, folder: str) -> None:
    assert data_repo.dump_folder(text, REPOSITORY) == folder


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "./",
        "/data-repo",
        "/data-repo/",
        "/elsewhere",
        "/data-repository/sql_dumps",
        "../sql_dumps",
        "a/../../b",
        "/data-repo/../etc",
        ".git",
        ".git/dumps",
        ".GIT/dumps",
        "a/.git/b",
        "a\\b",
        "a\nb",
    ],
)
def test_a_folder_outside_the_repository_or_in_gits_own_is_refused(text: str) -> None:
    with pytest.raises(UnusableValueError):
        data_repo.dump_folder(text, REPOSITORY)
