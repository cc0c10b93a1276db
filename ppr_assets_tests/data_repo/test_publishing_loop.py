"""Everything together: recover, fetch, integrate, commit, push, move; by several at once."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout.advance import BranchMoved, advance_branch, recover
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import discard, staged
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_file, tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.publications import newest_publication
from ppr_assets.data_repo.remote.errors import Outrun
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import fetch, remote_tip
from ppr_assets.errors import PushFailed
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import Somebody, commit_dump, stage_dump

pytestmark = pytest.mark.slow

RATCHET = "sql_dumps/.record_count_ratchet"


def _publish(repo: DataRepo, name: str, count: int) -> bool:
    """Publish one dump as the operation does; True if the remote has it."""
    with data_repo_lock(repo):
        recover(repo)
        dump = stage_dump(repo, name, f"{name}\n")
        for _ in range(50):
            local, theirs = tip(repo), fetch(repo)
            base = base_for_publishing(repo, local, theirs)
            mark = read_file(repo, base, RATCHET) if base else None
            highest = max(count, json.loads(mark.data)["max_record_count"] if mark else 0)
            new = commit_dump(repo, base, dump, highest)
            delivered = True
            try:
                push(repo, new)
            except Outrun:
                continue
            except PushFailed:
                delivered = False
            try:
                advance_branch(repo, local, new, staged=dump)
            except BranchMoved:
                continue
            for done in staged(repo):
                discard(done)
            return delivered
    raise AssertionError("outrun fifty times")


def _name(number: int) -> str:
    return f"pantry_pirate_radio_2026-11-22_02-00-{number:02}.sql"


def _mark(repo: DataRepo, commit: str) -> int:
    file = read_file(repo, commit, RATCHET)
    assert file is not None
    return int(json.loads(file.data)["max_record_count"])


def _child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  # told, and the exit code says it
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def test_two_producers_and_a_publisher_at_once_lose_nothing(
    repo_settings: DataRepoSettings, bare_remote: Path, publisher: Somebody, tmp_path: Path
) -> None:
    repos = [
        open_data_repo(replace(repo_settings, path=tmp_path / name, url=str(bare_remote)))
        for name in ("first", "second")
    ]

    def produce(repo: DataRepo, numbers: range) -> None:
        for number in numbers:
            assert _publish(repo, _name(number), 2500 + number)

    def scrape() -> None:
        for number in range(8):
            publisher.commit(f"Data update {number}", {f"daily/{number}.json": "{}"})
            while "rejected" in publisher.git("push", "--porcelain", "origin", "main", check=False):
                publisher.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")

    children = [
        _child(lambda: produce(repos[0], range(0, 12, 2))),
        _child(lambda: produce(repos[1], range(1, 12, 2))),
        _child(scrape),
    ]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    for repo in repos:
        now = fetch(repo)
        assert now is not None
        assert list(dump_folder(repo, now).dumps) == [_name(number) for number in range(12)]
        assert _mark(repo, now) == 2511
        data = repo.word("ls-tree", "--name-only", f"{now}:daily").split()
        assert {f"{number}.json" for number in range(8)} <= set(data)
        assert Somebody(repo.path).status() == ""
    Somebody(bare_remote).git("fsck", "--strict")


def test_a_night_offline_is_delivered_with_the_next(
    data_repo: DataRepo, bare_remote: Path, publisher: Somebody, owner: Somebody
) -> None:
    away = bare_remote.with_name("away.git")
    bare_remote.rename(away)
    with data_repo_lock(data_repo):
        local = tip(data_repo)
        dump = stage_dump(data_repo, _name(0), "offline\n")
        advance_branch(data_repo, local, commit_dump(data_repo, local, dump), staged=dump)
        discard(dump)
    away.rename(bare_remote)
    publisher.commit("Data update", {"daily/b.json": "{}"})
    publisher.git("push", "-q", "origin", "main")
    assert _publish(data_repo, _name(1), 2600)
    now = remote_tip(data_repo)
    assert now == tip(data_repo)
    assert now is not None
    assert list(dump_folder(data_repo, now).dumps) == [_name(0), _name(1)]
    assert dump_folder(data_repo, now).latest == _name(1)
    assert _mark(data_repo, now) == 2600
    published = newest_publication(data_repo, now)
    assert published is not None
    assert published.subject == "Data update"
    assert owner.status() == ""
