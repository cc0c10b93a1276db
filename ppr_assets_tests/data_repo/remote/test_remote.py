"""Fetching from and pushing to a real bare remote, and what its refusals become."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.objects import Blob, write_blob, write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, commit_at, tip
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.remote import remote
from ppr_assets.data_repo.remote.errors import Outrun, RemoteUnreachable
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import fetch, remote_branches, remote_has, remote_tip
from ppr_assets.errors import PushFailed
from ppr_assets_tests.fix_git import Somebody, own_children, publish_dump

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"


def _hook(remote: Path, name: str, script: str) -> None:
    hook = remote / "hooks" / name
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def _published(publisher: Somebody, name: str) -> str:
    commit = publisher.commit(f"Data {name}", {f"daily/{name}.json": "{}"})
    publisher.git("push", "-q", "origin", "main")
    return commit


def test_the_remotes_tip_is_asked_and_not_remembered(
    data_repo: DataRepo, publisher: Somebody
) -> None:
    assert remote_tip(data_repo) == tip(data_repo)
    new = _published(publisher, "b")
    assert remote_tip(data_repo) == new
    publisher.git("push", "-q", "origin", "main:refs/heads/deep/refs/heads/main")
    assert remote_tip(data_repo) == new
    assert remote_branches(data_repo) == {"main": new, "deep/refs/heads/main": new}


def test_no_remote_or_no_branch_there_is_none(data_repo: DataRepo, publisher: Somebody) -> None:
    alone = replace(data_repo, remote=None)
    assert remote_tip(alone) is None
    assert fetch(alone) is None
    assert remote_branches(alone) == {}
    elsewhere = replace(data_repo, settings=replace(data_repo.settings, branch="elsewhere"))
    assert remote_tip(elsewhere) is None
    assert fetch(elsewhere) is None
    publisher.git("push", "-q", "origin", "main:elsewhere")
    assert fetch(elsewhere) is not None
    publisher.git("push", "-q", "origin", ":elsewhere")
    assert fetch(elsewhere) is None
    assert data_repo.word("for-each-ref", "refs/ppr_assets/remote/elsewhere") == ""


def test_fetching_brings_the_commits_and_leaves_no_trace(
    data_repo: DataRepo, owner: Somebody, publisher: Somebody
) -> None:
    owner.git("config", "--unset", "remote.origin.tagOpt")  # as in clones that are not ours
    owner.git("fetch", "-q", "origin")
    fetch_head = (data_repo.git_dir / "FETCH_HEAD").read_text()
    refs = owner.git(
        "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes"
    )
    new = _published(publisher, "b")
    publisher.git("tag", "v1")
    publisher.git("push", "-q", "origin", "v1")
    assert fetch(data_repo) == new
    assert owner.git("cat-file", "-t", new) == "commit"
    assert (data_repo.git_dir / "FETCH_HEAD").read_text() == fetch_head
    after = owner.git(
        "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes"
    )
    assert after == refs
    assert owner.git("tag") == ""


def test_fetching_survives_a_forced_push(data_repo: DataRepo, publisher: Somebody) -> None:
    _published(publisher, "b")
    fetch(data_repo)
    publisher.git("reset", "-q", "--hard", "HEAD^")
    new = publisher.commit("Corrected", {"daily/c.json": "{}"})
    publisher.git("push", "-q", "--force", "origin", "main")
    assert fetch(data_repo) == new


def test_two_fetches_at_once_both_arrive(data_repo: DataRepo, publisher: Somebody) -> None:
    """A sensor and a run, for example; each sees the other's lock on the ref."""
    for number in range(4):
        new = _published(publisher, str(number))
        child = os.fork()
        if child == 0:
            try:
                with open_data_repo(data_repo.settings) as own:  # a fork shares its pipes
                    fetch(own)
            except BaseException:  # noqa: BLE001  # the exit code tells
                os._exit(1)
            os._exit(0)
        assert fetch(data_repo) == new
        assert os.waitpid(child, 0)[1] == 0


def test_a_ref_that_is_locked_for_a_moment_is_waited_for(
    data_repo: DataRepo, publisher: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = _published(publisher, "b")
    lock = data_repo.git_dir / "refs/ppr_assets/remote/main.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    # The pause before it tries again.
    monkeypatch.setattr(remote, "sleep", lambda _: lock.unlink())
    assert fetch(data_repo) == new


def test_a_push_moves_the_branch_there_and_counts_its_bytes(
    data_repo: DataRepo, bare_remote: Path
) -> None:
    new = publish_dump(data_repo, FIRST, os.urandom(100_000).hex())
    result = push(data_repo, new)
    assert Somebody(bare_remote).git("rev-parse", "main") == new
    # Random hex digits: half of them are air.
    assert 100_000 < result.bytes < 130_000
    assert 0 < result.seconds < 60
    assert push(data_repo, new).bytes == 0


def test_what_was_pushed_is_noted_in_all_refs_or_in_none_and_fails_no_push(
    data_repo: DataRepo,
) -> None:
    ours, delivered = f"refs/ppr_assets/remote/{data_repo.branch}", "refs/ppr_assets/delivered/main"
    first = publish_dump(data_repo, FIRST, "one")
    push(data_repo, first, noted=(delivered,))
    assert [commit_at(data_repo, ref) for ref in (ours, delivered)] == [first, first]
    (data_repo.git_dir / f"{delivered}.lock").touch()
    second = publish_dump(data_repo, FIRST.replace("22", "23"), "two")
    push(data_repo, second, noted=(delivered,))
    assert remote_tip(data_repo) == second
    assert [commit_at(data_repo, ref) for ref in (ours, delivered)] == [first, first]


def test_the_bytes_are_those_that_arrive(data_repo: DataRepo, bare_remote: Path) -> None:
    """Kept as a pack there, it is as large as what was sent, and a header and checksum more."""
    Somebody(bare_remote).git("config", "receive.unpackLimit", "1")
    new = publish_dump(data_repo, FIRST, os.urandom(50_000).hex())
    sent = push(data_repo, new).bytes
    packs = [path.stat().st_size for path in (bare_remote / "objects/pack").glob("*.pack")]
    assert packs == [sent]


def test_the_whole_delta_is_small_when_little_has_changed(data_repo: DataRepo) -> None:
    text = "".join(f"row {number}\n" for number in range(50_000))
    base = tip(data_repo)
    assert base is not None
    sent = 0
    for changed in ("", "one row more\n"):
        blob = Blob(FILE, write_blob(data_repo, (text + changed).encode()))
        base = write_commit(
            data_repo,
            write_changed_tree(data_repo, base, {"sql_dumps/stable.sql": blob}),
            parents=[base],
            message="Stable path\n",
            author=identity(data_repo),
        )
        sent = push(data_repo, base).bytes
    assert 0 < sent < 1500


def test_somebody_elses_push_comes_first(data_repo: DataRepo, publisher: Somebody) -> None:
    new = publish_dump(data_repo, FIRST)
    theirs = _published(publisher, "b")
    with pytest.raises(Outrun):
        push(data_repo, new)
    assert remote_tip(data_repo) == theirs


def test_a_remote_that_moves_during_the_push_is_outrun_as_well(
    data_repo: DataRepo, publisher: Somebody, bare_remote: Path
) -> None:
    """It happens between the remote's word on where it is and its taking the commit."""
    theirs = publisher.commit("Data b", {"daily/b.json": "{}"})
    publisher.git("push", "-q", "origin", "main:refs/heads/waiting")
    _hook(bare_remote, "pre-receive", f"echo {theirs} > refs/heads/main")
    with pytest.raises(Outrun):
        push(data_repo, publish_dump(data_repo, FIRST))
    assert remote_tip(data_repo) == theirs


@pytest.mark.parametrize("name", ["pre-receive", "update"])
def test_a_hook_that_refuses_is_heard(data_repo: DataRepo, bare_remote: Path, name: str) -> None:
    _hook(
        bare_remote,
        name,
        "echo 'error: not on a Sunday' >&2; exit 1",
    )
    before = remote_tip(data_repo)
    new = publish_dump(data_repo, FIRST)
    with pytest.raises(PushFailed, match=r"refused the commit: \[remote rejected\]") as caught:
        push(data_repo, new)
    assert "hook declined" in caught.value.message
    assert "not on a Sunday" in caught.value.message
    assert "next run" in caught.value.hint
    assert not isinstance(caught.value, RemoteUnreachable)
    assert remote_tip(data_repo) == before
    assert tip(data_repo) == new
    (bare_remote / "hooks" / name).unlink()
    push(data_repo, new)


def test_a_hook_of_the_clone_that_refuses_is_not_blamed_on_the_remote(
    data_repo: DataRepo,
) -> None:
    _hook(data_repo.git_dir, "pre-push", "echo 'not on a Sunday' >&2; exit 1")
    with pytest.raises(PushFailed, match="nothing was pushed"):
        push(data_repo, publish_dump(data_repo, FIRST))


def test_a_push_looks_for_differences_within_bounded_memory(
    data_repo: DataRepo, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    ours = "'^(pack|core[.]packed)'"
    _hook(data_repo.git_dir, "pre-push", f"git config --get-regexp {ours} | sort > '{told}'")
    push(data_repo, publish_dump(data_repo, FIRST))
    assert told.read_text().splitlines() == [
        "core.packedgitlimit 64m",
        "core.packedgitwindowsize 16m",
        "pack.deltacachelimit 1000000",
        "pack.deltacachesize 64m",
        "pack.threads 1",
        "pack.windowmemory 64m",
    ]


def test_a_remote_that_is_gone_is_unreachable(data_repo: DataRepo, bare_remote: Path) -> None:
    new = publish_dump(data_repo, FIRST)
    shutil.rmtree(bare_remote)
    for attempt in (
        lambda: remote_tip(data_repo),
        lambda: fetch(data_repo),
        lambda: push(data_repo, new),
    ):
        with pytest.raises(RemoteUnreachable, match="no use of remote `origin`: fatal") as caught:
            attempt()
        assert "DATA_REPO_URL" in caught.value.hint


def test_a_remote_that_nobody_answers_for_is_unreachable(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.git("remote", "set-url", "origin", "http://127.0.0.1:1/data.git")
    repo = open_data_repo(replace(data_repo.settings, url=None))
    with pytest.raises(RemoteUnreachable) as caught:
        remote_tip(repo)
    assert "the next run tries again" in caught.value.hint


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_a_remote_that_hangs_is_cut_off(data_repo: DataRepo, bare_remote: Path, hook: str) -> None:
    new = publish_dump(data_repo, FIRST)
    _hook(bare_remote, hook, "sleep 1000")
    hasty = replace(data_repo, settings=replace(data_repo.settings, timeout_seconds=1.0))
    started = time.monotonic()
    with pytest.raises(RemoteUnreachable) as caught:
        push(hasty, new)
    assert time.monotonic() - started < 60
    assert caught.value.render() == (
        "no answer from remote `origin`: `git push` did not end within 1 seconds and was stopped\n"
        "HINT: does the remote hang, a credential helper (credential.helper) or ssh "
        "(core.sshCommand), or a pre-push hook (core.hooksPath)? DATA_REPO_TIMEOUT_SECONDS is the "
        "limit."
    )
    data_repo.objects.close()
    assert own_children() == []
    assert list(data_repo.git_dir.rglob("*.lock")) == []


def test_the_remote_has_what_its_branch_contains(
    data_repo: DataRepo, publisher: Somebody, owner: Somebody
) -> None:
    new = publish_dump(data_repo, FIRST)
    assert remote_has(data_repo, new) is False
    push(data_repo, new)
    assert remote_has(data_repo, new) is True
    publisher.git("pull", "-q", "origin", "main")
    _published(publisher, "b")
    assert remote_has(data_repo, new) is True
    ahead = owner.commit("Not pushed", {"a.txt": "a"})
    assert remote_has(data_repo, ahead) is False
    publisher.git("push", "-q", "origin", ":main", check=False)
    assert remote_has(replace(data_repo, remote=None), new) is False


def test_nothing_is_pushed_but_the_commit(
    data_repo: DataRepo, owner: Somebody, bare_remote: Path
) -> None:
    owner.git("config", "push.followTags", "true")
    owner.git("tag", "-a", "-m", "a tag", "v1")
    owner.git("branch", "private")
    push(data_repo, publish_dump(data_repo, FIRST))
    refs = Somebody(bare_remote).git("for-each-ref", "--format=%(refname)")
    assert refs == "refs/heads/main"
