"""A publisher that stashes, switches branches, commits and merges in the very clone, all the time.

It does what the publisher of the data repository does. What it commits must be there in the end,
what we publish too, and neither may take anything of the other back.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ppr_assets.data_repo.clone import DataRepo
from ppr_assets.data_repo.lock import data_repo_lock
from ppr_assets.data_repo.staging import discard, staged
from ppr_assets.data_repo.tree import latest_name, list_dumps, read_file, tip
from ppr_assets.data_repo.worktree import BranchMoved, advance_branch, recover
from ppr_assets_tests.fix_git import Somebody, commit_dump, stage_dump

ROUNDS = 20

# What meets a lock is tried again, and a merge that was overtaken is begun anew.
PUBLISHER = """
try() { for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  "$@" >> "$LOG" 2>&1 && return 0; sleep 0.05; done; echo "gave up: $*" >> "$LOG"; return 1; }
merge() { git merge -q --no-edit -m "Merge $1" "$1" && return 0; git reset -q --hard; return 1; }
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
  git checkout -q -- notes.txt
  sleep 0.$((n * 3 % 8))
done
echo $n > "$STOP.rounds"
"""


def test_publishing_beside_a_busy_publisher_loses_nothing_of_either(
    data_repo: DataRepo, owner: Somebody, tmp_path: Path
) -> None:
    owner.commit("Notes", {"notes.txt": "note 0\n"})
    stop, log = tmp_path / "stop", tmp_path / "log"
    environment = {"STOP": str(stop), "LOG": str(log)}
    with subprocess.Popen(
        ["env", *(f"{key}={value}" for key, value in environment.items()), "sh", "-c", PUBLISHER],
        cwd=owner.path,
    ) as publisher:
        try:
            names = [_publish(data_repo, number) for number in range(ROUNDS)]
        finally:
            stop.touch()
            publisher.wait(60)
    said = log.read_text()
    assert "gave up" not in said, said
    with data_repo_lock(data_repo):
        recover(data_repo)
    now = tip(data_repo)
    assert now is not None
    assert list_dumps(data_repo, now) == names
    assert latest_name(data_repo, now) == names[-1]
    mark = read_file(data_repo, now, "sql_dumps/.record_count_ratchet")
    assert mark is not None
    assert mark.data == b'{"max_record_count": %d}\n' % (2500 + ROUNDS - 1)
    assert _taken_back(owner) == []
    rounds = int((tmp_path / "stop.rounds").read_text())
    assert rounds > 3
    listed = owner.git("ls-tree", "--name-only", "main", "daily/").splitlines()
    assert {f"daily/{number}.json" for number in range(1, rounds + 1)} <= set(listed)
    assert owner.status() == ""


def _publish(repo: DataRepo, number: int) -> str:
    name = f"pantry_pirate_radio_2026-11-22_02-00-{number:02}.sql"
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
            discard(repo, done)
    return name


def _taken_back(owner: Somebody) -> list[str]:
    """Commits that remove a dump: nobody here means to."""
    pathspec = ":(glob)sql_dumps/*.sql"
    listing = owner.git("log", "--diff-filter=D", "--format=%h %s", "--all", "-m", "--", pathspec)
    return listing.splitlines()
