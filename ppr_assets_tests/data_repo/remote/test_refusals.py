"""Each kind of refusal, in the words of forges and of git: what it is, and the way out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.errors import ContentRefused, Refused, TooLarge
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.refusals import AfterRefusal, hint_without_answer, kind_of
from ppr_assets.data_repo.remote.remote import remote_tip
from ppr_assets_tests.fix_git import Somebody, publish_dump

pytestmark = pytest.mark.usefixtures("nobody_else")

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
GH013 = "error: GH013: Repository rule violations found for refs/heads/main.\n\n"
GH006 = "error: GH006: Protected branch update failed for refs/heads/main.\n"

SAID = {
    "secrets": (
        f"{GH013}- GITHUB PUSH PROTECTION\n  ———————\n    - Push cannot contain secrets\n",
        "PUSH BLOCKED: Secrets detected in code changes\nSecret push protection found the "
        "following secrets in commit: 37e54de5\n\n-- test.sql:2 GitLab Personal Access Token\n",
        "error: VS403654: The push was rejected because it contains one or more secrets.\n",
        "pre-receive: found a possible private key in 1f2e3d4c\n",
        "gitleaks: 1 secret found, push refused\n",
        "PII detected in sql_dumps/dump.sql\n",
    ),
    "damage": (
        "error: object 1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c: missingEmail: invalid author\n"
        "fatal: fsck error in packed object\n",
    ),
    "file size": (
        "error: File a.sql is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB\n"
        "error: GH001: Large files detected.\n",
        'GitLab: File "a.sql" is larger than the allowed size of 10 MB\n',
    ),
    "branch": (
        f"{GH006}error: Changes must be made through a pull request.\n",
        f"{GH013}- Changes must be made through a pull request.\n",
        f"{GH013}- Cannot update this protected ref.\n",
        f'{GH006}error: Required status check "build" is expected.\n',
        f"{GH006}error: At least 1 approving review is required by reviewers with write access.\n"
        "error: Commits must have valid signatures.\n",
        f"{GH006}error: You're not authorized to push to this branch.\n",
        "GitLab: You are not allowed to push code to protected branches on this project.\n",
        "GitLab: You are not allowed to force push code to a protected branch on this project.\n",
        "Gitea: Not allowed to push to protected branch main\n",
        "Branch refs/heads/main can only be modified through pull requests.\n",
        "TF402455: Pushes to this branch are not permitted; you must use a pull request.\n",
        "GitLab: Branch name does not follow the pattern 'data-.*'\n",
        f"{GH013}- Cannot create ref due to creations being restricted.\n",
    ),
    "signature": (
        f"{GH013}- Commits must have verified signatures.\n  Found 1 violation:\n",
        f"{GH006}error: Commits must have valid signatures.\n",
        "GitLab: Commit must be signed with a GPG key\n",
        "Gitea: Branch main is protected from unverified commit 0123abc\n",
    ),
    "identity": (
        "error: GH007: Your push would publish a private email address.\n",
        "GitLab: Author's email 'a@b.c' does not follow the pattern '@house.org$'\n",
        "GitLab: Author 'a@b.c' is not a member of team\n",
        "GitLab: You cannot push commits for 'a@b.c'. You can only push commits that were "
        "committed with one of your own verified emails.\n",
        f"{GH013}- Committer email must match a given regex pattern: house.org\n",
        "GitLab: Committer name 'A' is inconsistent with your git account name\n",
        "expected committer email 'a@b.c' but found 'd@e.f'\n",
    ),
    "message": (
        "GitLab: Commit message does not follow the pattern 'DATA-\\d+'\n",
        f"{GH013}- Commit message must match a given regex pattern: DATA-\n",
        "GitLab: Commits must be signed off\n",
    ),
    "busy": (
        "GitLab is in maintenance mode\n",
        "Request exceeds the rate limit of 100 per minute\n",
        "You have exceeded a secondary rate limit. Please wait a few minutes.\n",
        "GitLab: This endpoint has been requested too many times. Try again later.\n",
        "Internal Server Error\n",
    ),
    "LFS": (
        "error: GH008: Your push referenced at least 1 unknown Git LFS object:\n",
        "GitLab: LFS objects are missing. Ensure LFS is properly set up.\n",
        "ERROR: file sql_dumps/a.sql must be tracked by Git LFS\n",
    ),
    "merges": (f"{GH013}- This branch must not contain merge commits.\n",),
    "push size": ("TF402462: The push was rejected because its size is greater than 5120 MB.\n",),
    "names": (
        "GitLab: File name sql_dumps/latest.sql was blacklisted by the pattern \\.sql$.\n",
        f"{GH013}- GITHUB PUSH PROTECTION\n  - File path is restricted\n",
        "Gitea: branch main is protected from changing file sql_dumps/latest.sql\n",
    ),
    "quota": (
        "GitLab: Your push has been rejected, because this repository has exceeded its size limit "
        "of 10 MB by 5 MB. Please contact your GitLab administrator for more information.\n",
        "GitLab: Your push to this repository would cause it to exceed the size limit of 10 MB so "
        "it has been rejected.\n",
        "repository is in read only mode (over 2 GB size limit).\n",
        "GitLab: Your push has been rejected, because this repository exceeds its size limit\n",
    ),
    "read-only": (
        "This repository was archived so it is read-only.\n",
        "GitLab: You can't push code to a read-only GitLab instance.\n",
        "Repository 'a/b' is disabled.\nPlease ask the owner to check their account.\n",
        "error: the repository has been locked for migration\n",
    ),
    "permission": (
        "GitLab: You are not allowed to push code to this project.\n",
        "TF401027: You need the Git 'GenericContribute' permission to perform this action.\n",
        "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` "
        "without `workflows` permission\n",
        "error: remote unpack failed: unable to create temporary object directory\n",
    ),
    "rule": (f"{GH013}- Something new.\n", "error: protected branch hook declined\n"),
    "disk": ("fatal: write error: No space left on device\n",),
    "unknown": (
        "not on a Sunday\n",
        "password rotation today: come back at six\n",
        "deploy token not found\n",
    ),
}
PLACES = [(kind, words) for kind, several in SAID.items() for words in several]
SET_ASIDE = ("secrets", "damage", "file size", "push size")


@pytest.mark.parametrize(("kind", "words"), PLACES, ids=[f"{k}-{w[:30]!r}" for k, w in PLACES])
def test_words_are_taken_for_their_kind(kind: str, words: str) -> None:
    found = kind_of(f"[remote rejected] (pre-receive hook declined)\n{words}")
    assert found.name == kind
    assert (found.answer is AfterRefusal.SET_ASIDE) == (kind in SET_ASIDE)
    assert found.hint.rstrip().endswith(".")


@pytest.mark.parametrize("kind", SAID)
def test_a_remote_that_says_so_is_quoted_and_its_kind_is_known(
    data_repo: DataRepo, bare_remote: Path, kind: str
) -> None:
    words = SAID[kind][0]
    hook = bare_remote / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{words}END\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Refused) as caught:
        push(data_repo, publish_dump(data_repo, NAME))
    assert caught.value.kind.name == kind
    assert isinstance(caught.value, ContentRefused) == (kind in SET_ASIDE)
    assert isinstance(caught.value, TooLarge) == (kind in ("file size", "push size"))
    for line in words.splitlines():
        assert line.strip(" —") in caught.value.message


def test_a_remote_that_is_somebodys_work_tree(data_repo: DataRepo, publisher: Somebody) -> None:
    Somebody(data_repo.path).git("remote", "set-url", "origin", str(publisher.path))
    new = publish_dump(data_repo, NAME)
    with pytest.raises(Refused, match="branch is currently checked out") as caught:
        push(data_repo, new)
    command = caught.value.hint.split("`")[1]
    assert command == "git config receive.denyCurrentBranch updateInstead"
    publisher.git(*command.split()[1:])
    push(data_repo, new)
    assert remote_tip(data_repo) == new


def test_a_remote_that_checks_objects(data_repo: DataRepo, bare_remote: Path) -> None:
    """A commit that git itself would not make."""
    Somebody(bare_remote).git("config", "receive.fsckObjects", "true")
    owner = Somebody(data_repo.path)
    child = owner.git("commit-tree", "-p", "main", "-m", "Data", "main^{tree}")
    raw = owner.git("cat-file", "commit", child) + "\n"
    broken = raw.replace("author Somebody Else <somebody@example.com>", "author Somebody Else")
    (data_repo.path / "raw").write_text(broken)
    commit = owner.git("hash-object", "-t", "commit", "-w", "--literally", "raw")
    with pytest.raises(ContentRefused, match="missingEmail") as caught:
        push(data_repo, commit)
    assert "git fsck" in caught.value.hint


def test_colours_and_escapes_of_a_remote_reach_no_terminal(
    data_repo: DataRepo, bare_remote: Path
) -> None:
    Somebody(data_repo.path).git("config", "color.ui", "always")
    hook = bare_remote / "hooks" / "pre-receive"
    hook.write_text(
        "#!/bin/sh\nprintf 'error: \\033[31mno\\033[0m \\007\\033]0;x\\n' >&2; exit 1\n"
    )
    hook.chmod(0o755)
    with pytest.raises(Refused, match="error: no") as caught:
        push(data_repo, publish_dump(data_repo, NAME))
    assert caught.value.message.isprintable()


def test_a_repository_without_the_branch_is_told_from_a_wrong_address(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "empty.git")], check=True)
    words = ["git", "clone", "--branch", "main", (tmp_path / "empty.git").as_uri(), "clone"]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
    assert hint_without_answer(said) == (
        "is it empty, or is what it publishes on another branch? DATA_REPO_BRANCH names that."
    )
