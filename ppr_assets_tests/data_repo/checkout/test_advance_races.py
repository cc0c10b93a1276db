"""A publisher that stashes, switches branches, commits and merges in the very clone, all the time.

It does what the publisher of the data repository does. What it commits must be there in the end,
what we publish too, and neither may take anything of the other back.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout import advance
from ppr_assets.data_repo.checkout import work_trees as work_trees
from ppr_assets.data_repo.checkout.advance import BranchMoved, advance_branch, recover
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.staging import discard, staged
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import read_file, tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_git import Somebody, commit_dump, publish_dump, stage_dump

FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
ROUNDS = 5

# What meets a lock is tried again, and a merge that was overtaken is begun anew. Only `git reset`
# keeps out of our way: it moves the branch to where it was when it began, whatever came since.
PUBLISHER = """
try() { for i in $(seq 200); do
  "$@" >> "$LOG" 2>&1 && return 0; sleep 0.05; done; echo "gave up: $*" >> "$LOG"; return 1; }
merge() { git merge -q --no-edit -m "Merge $1" "$1" && return 0
  flock "$RESET" git reset -q --hard; return 1; }
n=0
while test ! -e "$STOP"; do
  n=$((n + 1))
  echo "note $n" >> notes.txt
  try git stash push -q -- notes.txt
  try git checkout -q -b data-update-$n
  mkdir -p daily; echo $n > daily/$n.json
  try git add -A -- .
  try git commit -q -m "Data update $n"
  try git checkout -q main
  try merge data-update-$n
  try git stash pop -q
  try git checkout -q -- notes.txt
  test $n -ge $ENOUGH && echo $n > "$STOP.rounds"
  sleep 0.$((n * 3 % 8))
done
"""


def test_publishing_beside_a_busy_publisher_loses_nothing_of_either(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path, campaign: Campaign
) -> None:
    owner.commit("Notes", {"notes.txt": "note 0\n"})
    stop, log, rounds = (tmp_path / name for name in ("stop", "log", "stop.rounds"))
    names: list[str] = []
    reset = tmp_path / "reset"
    environment = {"STOP": str(stop), "LOG": str(log), "RESET": str(reset), "ENOUGH": "3"}
    with subprocess.Popen(
        ["env", *(f"{key}={value}" for key, value in environment.items()), "sh", "-c", PUBLISHER],
        cwd=owner.path,
    ) as publisher:
        try:
            while campaign.goes_on(len(names), ROUNDS) or not rounds.exists():
                with reset.open("w") as without_reset:
                    fcntl.flock(without_reset, fcntl.LOCK_EX)
                    names.append(_publish(data_repo, len(names)))
                time.sleep(0.05)  # whoever waits for the lock is to get it
        finally:
            stop.touch()
            publisher.wait(240)
    said = log.read_text()
    assert "gave up" not in said, said
    with data_repo_lock(data_repo):
        recover(data_repo)
    now = tip(data_repo)
    assert now is not None
    assert list(dump_folder(data_repo, now).dumps) == names
    assert dump_folder(data_repo, now).latest == names[-1]
    mark = read_file(data_repo, now, "sql_dumps/.record_count_ratchet")
    assert mark is not None
    assert mark.data == b'{"max_record_count": %d}\n' % (2500 + len(names) - 1)
    assert _taken_back(owner) == []
    listed = owner.git("ls-tree", "--name-only", "main", "daily/").splitlines()
    assert {f"daily/{number}.json" for number in range(1, int(rounds.read_text()) + 1)} <= set(
        listed
    )
    assert owner.status() == ""


def test_a_checkout_that_began_before_the_move_and_ends_after_it_is_followed(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes the index of the branch as it was, and only then moves HEAD to the branch."""
    monkeypatch.setattr(work_trees, "QUIET_SECONDS", 0.0)
    owner.git("checkout", "-q", "-b", "side")
    owner.commit("Side", {"side.txt": "side"})
    begun, moved = tmp_path / "begun", tmp_path / "moved"
    hooks = {
        "post-index-change": f"test -e {begun} && exit 0; touch {begun}\n"
        f"while test ! -e {moved}; do sleep 0.02; done",
        "reference-transaction": f"test $1 = committed && touch {moved}; exit 0",
    }
    for name, script in hooks.items():
        hook = data_repo.git_dir / "hooks" / name
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)
    with subprocess.Popen(["git", "checkout", "-q", "main"], cwd=owner.path) as checkout:
        while not begun.exists():
            time.sleep(0.01)
        # Between the two looks that follow the move, in which nothing may be found to do.
        monkeypatch.setattr(advance, "sleep", lambda _: checkout.wait(60))
        publish_dump(data_repo, FIRST)
        assert checkout.wait(60) == 0
    assert owner.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert owner.status() == ""


def test_nothing_is_taken_back_from_somebody_who_has_returned_to_the_branch(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HEAD leaves the branch with the move, and is back when we have just looked at it.

    Whoever then commits what is staged must not commit that the dump is gone.
    """
    left, back, written = (tmp_path / name for name in ("left", "back", "written"))
    owner.git("branch", "side")
    hook = data_repo.git_dir / "hooks" / "reference-transaction"
    hook.write_text(
        f"#!/bin/sh\ntest $1 = committed && test ! -e {left} || exit 0\n"
        f"touch {left}\ngit symbolic-ref HEAD refs/heads/side\n"
    )
    hook.chmod(0o755)
    real = shutil.which("git")
    folder = tmp_path / "bin"
    folder.mkdir()
    git = folder / "git"
    git.write_text(
        "#!/bin/sh\n"
        f'if test -e {left} && test ! -e {back} && test "$1" = ls-files; then\n'
        f"  touch {back}; {real} symbolic-ref HEAD refs/heads/main\n"
        "fi\n"
        # Whoever commits what is staged does so as soon as the index is free again.
        f"if test -e {written} && test ! -e .git/index.lock; then\n"
        f'  rm {written}; env -u GIT_INDEX_FILE {real} commit -q -m "What is staged"\n'
        "fi\n"
        f'test -e {back} && test "$1" = update-index && touch {written}\n'
        f'exec {real} "$@"\n'
    )
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    new = publish_dump(data_repo, FIRST)
    assert back.exists()
    assert _taken_back(owner) == []
    assert owner.git("rev-parse", "HEAD") == new
    assert owner.status() == ""


def _publish(repo: DataRepo, number: int) -> str:
    name = dump_name(datetime(2026, 11, 22, 2, tzinfo=UTC) + timedelta(seconds=number))
    with data_repo_lock(repo):
        recover(repo)
        dump = stage_dump(repo, name, f"dump {number}\n" * 1000)
        while True:
            old = tip(repo)
            try:
                new = commit_dump(repo, old, dump, mark=2500 + number)
                advance_branch(repo, old, new, staged=dump)
            except BranchMoved:
                continue
            break
        for done in staged(repo):
            discard(done)
    return name


def _taken_back(owner: Somebody) -> list[str]:
    """Commits that remove a dump: nobody here means to."""
    pathspec = ":(glob)sql_dumps/*.sql"
    listing = owner.git("log", "--diff-filter=D", "--format=%h %s", "--all", "-m", "--", pathspec)
    return listing.splitlines()
