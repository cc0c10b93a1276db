"""Commits are signed where git is configured for it, with a real SSH key."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.commits import signature_of
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.errors import DataRepoError
from ppr_assets_tests.fix_git import Somebody, publish_dump

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SIGNER = "pantry-pirate-radio@example.com"

pytestmark = [
    pytest.mark.usefixtures("nobody_else"),
    pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here"),
]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key pair without a passphrase; the public half ends in ``.pub``."""
    path = tmp_path / "signing"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True
    )
    return path


@pytest.fixture
def signing(owner: Somebody, key: Path) -> Somebody:
    """The owner of the clone has configured git to sign."""
    owner.git("config", "gpg.format", "ssh")
    owner.git("config", "user.signingkey", str(key))
    owner.git("config", "commit.gpgsign", "true")
    return owner


def _trust(owner: Somebody, key: Path, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"{SIGNER} {key.with_suffix('.pub').read_text()}")
    owner.git("config", "gpg.ssh.allowedSignersFile", str(allowed))


def _state(repo: DataRepo, commit: str) -> tuple[str, str]:
    found = signature_of(repo, commit)
    return found.state, found.signer


def test_a_commit_is_signed_and_verifies_where_the_key_is_trusted(
    data_repo: DataRepo, signing: Somebody, key: Path, tmp_path: Path
) -> None:
    commit = publish_dump(data_repo, NAME)
    assert _state(data_repo, commit)[0] == "unknown"
    _trust(signing, key, tmp_path)
    assert _state(data_repo, commit) == ("good", SIGNER)
    signing.git("verify-commit", commit)


def test_a_commit_is_not_signed_where_nobody_asked_for_it(
    data_repo: DataRepo, owner: Somebody
) -> None:
    assert _state(data_repo, publish_dump(data_repo, NAME)) == ("unsigned", "")


def test_a_merge_of_ours_is_signed_too(
    data_repo: DataRepo, signing: Somebody, publisher: Somebody, key: Path, tmp_path: Path
) -> None:
    _trust(signing, key, tmp_path)
    ours = publish_dump(data_repo, NAME)
    theirs = publisher.commit("Data update", {"STATS.md": "1\n"})
    signing.git("fetch", "-q", str(publisher.path), "main")
    merge = base_for_publishing(data_repo, ours, theirs)
    assert merge not in (None, ours, theirs)
    assert _state(data_repo, merge or "") == ("good", SIGNER)


def test_a_signature_of_another_commit_is_bad(
    data_repo: DataRepo, signing: Somebody, key: Path, tmp_path: Path
) -> None:
    _trust(signing, key, tmp_path)
    signed = signing.git("cat-file", "commit", publish_dump(data_repo, NAME))
    forged = tmp_path / "forged"
    forged.write_text(signed.replace("2500 organizations", "9999 organizations") + "\n")
    commit = signing.git("hash-object", "-t", "commit", "-w", str(forged))
    assert _state(data_repo, commit)[0] == "bad"


def test_a_signing_that_fails_moves_nothing(
    data_repo: DataRepo, signing: Somebody, tmp_path: Path
) -> None:
    signing.git("config", "user.signingkey", str(tmp_path / "no-such-key"))
    before = tip(data_repo)
    with pytest.raises(DataRepoError) as refused:
        publish_dump(data_repo, NAME)
    said = f"error: Couldn't load public key {tmp_path}/no-such-key: No such file or directory?"
    assert refused.value.message == (
        f"git could not sign the commit: `git commit-tree` ended with exit code 1: {said}"
    )
    assert refused.value.hint == (
        "look at gpg.format and user.signingkey in git's configuration (a key with a passphrase "
        "needs an agent), or set commit.gpgsign to false in the clone. The branch did not move."
    )
    assert tip(data_repo) == before
    assert signing.status() == ""
