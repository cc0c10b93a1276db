"""Everybody at once, as real processes on clones of their own: two that dump, one that publishes.

Nights are killed, the remote dies and dawdles in the middle of pushes, and in the end everything is
held to what each of them was told. It takes a few seconds, or as long as it takes until something
was published by all of them.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ppr_assets.operations.audit.report import Audited
from ppr_assets.operations.audit.selection import Scope
from ppr_assets.operations.audit.walk import audit
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import KeepSettings
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_command_line import wait_until
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline, listing, settled

SECONDS = 1

# Each night is a process, and every fifth is killed. What it was told goes to the log, by itself:
# a night that is killed has been told nothing.
PRODUCER = """
import json, os, random, signal, sys, time
from ppr_assets.errors import Busy, PprError
from ppr_assets.settings import Settings
from ppr_assets_tests.application import connect
from ppr_assets_tests.opened import dump, publish

name, log, stop, seed = sys.argv[1:]
settings = Settings.from_environment(dotenv=None)
dice = random.Random(seed + name)
CHANGES = [
    "INSERT INTO organization (id, name, description) SELECT gen_random_uuid()::text, 'New', 'x' "
    "FROM generate_series(1, 7)",
    "DELETE FROM organization WHERE id IN (SELECT id FROM organization WHERE name = 'New' LIMIT 3)",
    "UPDATE language SET note = md5(random()::text)",
]

def night():
    told = {}
    try:
        while True:
            try:
                told["dump"] = dump(settings, run_id=name).status
                break
            except Busy:  # the other one dumps at this moment, or a killed one's session ends
                time.sleep(0.2)
        outcome = publish(settings, run_id=name)
        told |= {"status": outcome.status, "commit": outcome.commit,
                 "pushed": outcome.delivery.pushed, "set_aside": outcome.delivery.set_aside}
        if outcome.error():
            told["error"] = type(outcome.error()).__name__ + ": " + outcome.error().message
    except PprError as error:
        told["error"] = type(error).__name__ + ": " + error.message
    with open(log, "a") as file:
        file.write(json.dumps(told) + "\\n")

while not os.path.exists(stop):
    with connect(settings.database, autocommit=True) as session:
        session.execute(dice.choice(CHANGES))
    child = os.fork()
    if child == 0:
        try:
            night()
        except BaseException as error:
            with open(log, "a") as file:
                file.write(json.dumps({"error": "unexpected " + repr(error)}) + "\\n")
        os._exit(0)
    if dice.random() < 0.2:
        time.sleep(dice.uniform(0.1, 1.2))
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""

# What the publisher of the data repository does, with notes that it stashes, branches and merges.
PUBLISHER = """
n=0
try() { for i in 1 2 3 4 5 6 7 8 9 10; do "$@" >> "$LOG.err" 2>&1 && return 0; sleep 0.1; done
  echo "gave up: $*" >> "$LOG.err"; return 1; }
while test ! -e "$STOP"; do
  n=$((n + 1))
  echo "note $n" >> notes.txt
  try git stash push -q -- notes.txt
  try git checkout -q -b data-update-$n
  mkdir -p daily; echo $n > daily/$n.json
  try git add -A -- .
  try git commit -q -m "Data update $n"
  try git checkout -q main
  try git merge -q --no-ff -m "Merge data-update-$n" data-update-$n
  git pull -q --no-rebase --no-edit origin main >> "$LOG.err" 2>&1
  git push -q origin main >> "$LOG.err" 2>&1 && git rev-parse HEAD >> "$LOG"
  try git stash pop -q
  git checkout -q -- notes.txt
  sleep 1.$((n * 3 % 7))
done
"""

# The remote is killed before and after it has moved its branch, and is sometimes slow.
TROUBLE = """#!/bin/sh
cat > /dev/null
n=$(($(cat {count} 2>/dev/null || echo 0) + 1)); echo $n > {count}
case $((n % {every})) in 0) kill -9 $PPID;; 1) sleep 0.4;; esac
exit 0
"""


@pytest.fixture
def worlds(pipeline: Pipeline) -> list[Pipeline]:
    """Two clones that the same database is published from; no dump retires, so none may be gone."""
    pipeline.gate(keep=KeepSettings(last=None, daily=0, weekly=0, monthly=0, yearly=0))
    pipeline.variables["SQL_DUMP_KEEP_LAST"] = "all"
    pipeline.first_night()
    for hook, every in (("pre-receive", 7), ("post-receive", 5)):
        path = pipeline.remote / "hooks" / hook
        path.write_text(TROUBLE.format(count=pipeline.remote / f"{hook}-count", every=every))
        path.chmod(0o755)
    return [pipeline, pipeline.elsewhere(pipeline.clone_again("other"))]


def _run(worlds: list[Pipeline], publisher: Path, tmp_path: Path, campaign: Campaign) -> None:
    """All of them for a while, each to its own log in ``tmp_path``."""
    done, stop = tmp_path / "done", tmp_path / "stop"
    logs = [tmp_path / name for name in ("first", "second", "publications")]
    began = time.monotonic()
    producers = [
        subprocess.Popen(
            [sys.executable, "-c", PRODUCER, log.name, str(log), str(done), str(campaign.seed)],
            env=os.environ | world.variables,
        )
        for log, world in zip(logs, worlds, strict=False)
    ]
    somebody = subprocess.Popen(
        ["sh", "-c", PUBLISHER],
        cwd=publisher,
        env=os.environ | {"STOP": str(stop), "LOG": str(tmp_path / "publications")},
    )
    try:
        while campaign.goes_on(int(time.monotonic() - began), SECONDS):
            time.sleep(0.05)
        wait_until(lambda: all(map(_published_something, logs)))
        done.touch()
        for producer in producers:
            assert producer.wait(240) == 0
    finally:
        done.touch()
        stop.touch()
        for process in (*producers, somebody):
            try:
                process.wait(240)
            finally:
                process.kill()


def _published_something(log: Path) -> bool:
    if not log.exists():
        return False
    return log.name == "publications" or any(night.get("pushed") for night in _told(log))


def _told(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def _calm_down(worlds: list[Pipeline]) -> None:
    """The next nights, without trouble: each delivers what waits, and ends without an error."""
    for hook in ("pre-receive", "post-receive"):
        (worlds[0].remote / "hooks" / hook).unlink()
    for world in worlds:
        for lock in world.remote.rglob("*.lock"):
            lock.unlink()  # left by the remote's killed git
    assert settled(worlds[0].advisory_locks) == 0, "a killed night's session has not ended"
    for world in worlds * 2:
        world.change()
        assert world.night()[1].error() is None


def _manifests(pipeline: Pipeline) -> Iterator[Manifest]:
    """Of each dump at the remote's tip, oldest first."""
    for name in git(pipeline.remote, "ls-tree", "--name-only", "main:sql_dumps").splitlines():
        if name.startswith("pantry") and name.endswith(".json"):
            yield Manifest.from_json(git(pipeline.remote, "show", f"main:sql_dumps/{name}"))


def _unclean(findings: list[Audited]) -> Mapping[str, tuple[str, ...]]:
    return {found.commit.sha: found.findings for found in findings if found.findings}


def test_two_producers_and_a_publisher_lose_double_and_misjudge_nothing(
    worlds: list[Pipeline], tmp_path: Path, campaign: Campaign
) -> None:
    pipeline = worlds[0]
    publisher = pipeline.clone_again("publisher")
    git(publisher, "config", "user.name", "Publisher")
    (publisher / "notes.txt").write_text("note 0\n")
    git(publisher, "add", "notes.txt")
    git(publisher, "commit", "-qm", "Notes")
    _run(worlds, publisher, tmp_path, campaign)
    _calm_down(worlds)

    said = _told(tmp_path / "first") + _told(tmp_path / "second")
    errors = [night["error"] for night in said if "error" in night]
    delivered = {night["commit"] for night in said if night.get("pushed")}
    merged = set((tmp_path / "publications").read_text().split())
    seen = f"{len(said)} nights, {len(delivered)} commits, {len(merged)} publications"
    logging.getLogger(__name__).info("%s; %s", seen, Counter(error[:70] for error in errors))
    assert not [error for error in errors if error.startswith("unexpected")], errors
    assert delivered and merged, seen

    # Nobody's commit is lost, and no repository is damaged.
    assert delivered | merged <= set(git(pipeline.remote, "rev-list", "main").split())
    for repository in (*(world.clone for world in worlds), publisher, pipeline.remote):
        git(repository, "fsck", "--full", "--strict")
    for world in worlds:
        assert git(world.clone, "status", "--porcelain", "-uall") == ""
        assert listing(world.staged) == []
        assert list((world.clone / ".git").rglob("*.lock")) == []
    assert settled(pipeline.children) == []

    # No data are published twice in a row (what was inserted may go again, and the data be those of
    # an earlier dump), and the mark is the highest count of all dumps.
    manifests = list(_manifests(pipeline))
    assert not [one.dump for one, after in pairwise(manifests) if one.sha256 == after.sha256]
    git(pipeline.clone, "fetch", "-q", "origin")
    git(pipeline.clone, "merge", "-q", "--ff-only", "origin/main")
    highest = max(manifest.rows["organization"] for manifest in manifests)
    assert pipeline.mark()["max_record_count"] == highest

    # Each was judged against the mark of the commit that it stands on: the audit judges them all.
    audited = list(audit(pipeline.settings.data_repo, Scope(every=True)))
    assert _unclean(audited) == {}
    assert len([found for found in audited if found.dump]) == len(manifests)
