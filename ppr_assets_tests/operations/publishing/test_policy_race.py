"""One publisher decides while another one dumps, as real processes on clones of their own.

Whatever comes between a dump and its commit, no commit on the remote has a dump that the policy
beside it forbids, and what somebody was told is published is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ppr_assets.plain_sql.disallowed import disallowed
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import Policy, shipped_policy
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline

DECIDED = ("language.note", "service.description", "organization.website", "service.email")

DECIDER = """
import random, sys, time
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.deciding.against_database import Wish, decide
from ppr_assets.settings import Settings

settings = Settings.from_environment(dotenv=None)
dice = random.Random(20261122)
for column in sys.argv[1:]:
    time.sleep(dice.uniform(0.1, 0.8))  # a night takes about as long
    while True:
        try:
            decide(settings, Wish(column, "null", "asked for"))
            break
        except DataRepoError as error:  # Busy and Outrun too
            print(error.message)
"""

PRODUCER = """
import json, os, random, sys, time
from ppr_assets.errors import PolicyRefused, PprError
from ppr_assets.settings import Settings
from ppr_assets_tests.application import connect
from ppr_assets_tests.opened import dump, publish

settings = Settings.from_environment(dotenv=None)
dice = random.Random(20261122)
stop = sys.argv[1]
last = False
while not last:
    last = os.path.exists(stop)  # that night has all decisions behind it
    with connect(settings.database, autocommit=True) as session:
        session.execute("UPDATE phone SET description = %s", [str(dice.random())])
    told = {"dump": dump(settings).status}
    time.sleep(dice.uniform(0, 0.5))
    try:
        outcome = publish(settings)
        told |= {"status": outcome.status, "dump": outcome.manifest.dump,
                 "pushed": outcome.delivery.pushed}
    except PolicyRefused as error:
        told["refused"] = error.message
    print(json.dumps(told), flush=True)
"""


def started(script: str, pipeline: Pipeline, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | pipeline.variables,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_no_commit_has_a_dump_that_the_policy_beside_it_forbids(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    for table, column in (one.split(".") for one in DECIDED):
        pipeline.execute(f"UPDATE {table} SET {column} = 'private'")
    pipeline.night()
    stop = tmp_path / "stop"
    decider = pipeline.elsewhere(pipeline.clone_again("decider"))
    producing = started(PRODUCER, pipeline, str(stop))
    deciding = started(DECIDER, decider, *DECIDED)
    try:
        deciding.communicate(timeout=60)
        stop.touch()
        told = [json.loads(line) for line in producing.communicate(timeout=60)[0].splitlines()]
    finally:
        for process in (producing, deciding):
            process.kill()
            process.wait()
    assert (deciding.returncode, producing.returncode) == (0, 0)

    brought = {name: commit for commit in commits(pipeline) for name in new_dumps(pipeline, commit)}
    for name, commit in brought.items():
        held = disallowed([shown(pipeline, commit, name)], {name: policy(pipeline, commit)})
        assert held == {name: []}, commit
    assert {one["dump"] for one in told if one.get("status") == "published"} <= brought.keys()
    policies = {
        Manifest.from_json(shown(pipeline, commit, name[:-4] + ".json").decode()).policy
        for name, commit in brought.items()
    }
    assert len(policies) > 1, told
    assert (told[-1].get("status"), told[-1].get("pushed")) == ("published", True)


def commits(pipeline: Pipeline) -> list[str]:
    return git(pipeline.remote, "rev-list", "--reverse", "main").splitlines()


def new_dumps(pipeline: Pipeline, commit: str) -> set[str]:
    """Those that none of its parents has."""
    parents = git(pipeline.remote, "rev-list", "-1", "--parents", commit).split()[1:]
    return dumps(pipeline, commit).difference(*(dumps(pipeline, parent) for parent in parents))


def dumps(pipeline: Pipeline, commit: str) -> set[str]:
    names = git(pipeline.remote, "ls-tree", "--name-only", commit, "sql_dumps/").splitlines()
    return {
        Path(name).name for name in names if Path(name).match("sql_dumps/pantry_pirate_radio_*.sql")
    }


def shown(pipeline: Pipeline, commit: str, name: str) -> bytes:
    command = ["git", "show", f"{commit}:sql_dumps/{name}"]
    return subprocess.run(command, cwd=pipeline.remote, capture_output=True, check=True).stdout


def policy(pipeline: Pipeline, commit: str) -> Policy:
    there = git(pipeline.remote, "ls-tree", "--name-only", commit, f"sql_dumps/{PUBLICATION}")
    text = shown(pipeline, commit, PUBLICATION).decode() if there else ""
    return shipped_policy().with_additions(Policy.parse(text, source=commit))
