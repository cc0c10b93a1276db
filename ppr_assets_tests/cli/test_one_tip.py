"""All verbs look at the same commit, and say which one and when the remote was asked for it."""

from __future__ import annotations

import json
import os
import time

import pytest

from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets_tests.fix_command_line import CommandLine, Said, facts
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name


@pytest.fixture
def behind(pipeline: Pipeline) -> Pipeline:
    """A clone with a dump, and a remote that has one more and a decision, by somebody else."""
    pipeline.first_night()
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    pipeline.change()
    wait_for_a_later_name(pipeline.latest())
    other.night()
    decided = '[phone]\nextension = { rule = "null", reason = "not yet" }\n'
    commit_files(other.clone, "Decide", {"sql_dumps/.publication.toml": decided})
    git(other.clone, "push", "-q", "origin", "main")
    assert pipeline.head() != pipeline.remote_head()
    return pipeline


def _newest(behind: Pipeline) -> str:
    return git(behind.remote, "show", "main:sql_dumps/latest.sql")


def _each(ppr_assets: CommandLine, *options: str) -> dict[str, Said]:
    verbs = ["list", "list --history", "audit", "verify"]
    if not options:  # offline there is one dump, with none before it to be compared with
        verbs += ["diff", "ratchet show", "policy show", "policy review"]
    return {verb: ppr_assets(*verb.split(), *options) for verb in verbs}


def test_what_others_have_pushed_is_seen_by_each_verb(
    behind: Pipeline, ppr_assets: CommandLine
) -> None:
    newest, head = _newest(behind), behind.remote_head()
    for verb, said in _each(ppr_assets).items():
        assert (verb, said.code) == (verb, 0)
        assert said.err == f"looking at commit {head[:10]} of main, the remote was asked just now\n"
        if verb.split()[0] not in ("ratchet", "policy"):
            assert newest in said.out, verb
    assert "(not yet)" in ppr_assets("policy", "review").out
    told = facts(ppr_assets("status").out)
    assert (told["latest"], told["head"], told["pushed"]) == (newest, head, "yes")
    assert told["clone"] == f"behind, at {behind.head()}: the next run follows"
    with found_dump(behind.settings.data_repo, Wanted()) as found:
        assert (found.name, found.commit) == (newest, head)


def test_offline_is_what_the_clone_knows_and_how_old_that_is(
    behind: Pipeline, ppr_assets: CommandLine
) -> None:
    git_dir = behind.clone / ".git"
    for stamp in (git_dir / "ppr_assets" / "fetched", git_dir / "FETCH_HEAD"):
        if stamp.exists():
            os.utime(stamp, times=(time.time() - 5 * 3600 - 60,) * 2)
    mine = behind.latest()
    for verb, said in _each(ppr_assets, "--offline").items():
        first, remark = said.err.splitlines()
        needed = f"looking at commit {behind.head()[:10]} of main, the remote was asked 5 h ago"
        assert (verb, first) == (verb, needed)
        assert remark == "newer dumps may be published, as the remote was not asked: --offline"
        assert mine in said.out
    told = json.loads(ppr_assets("status", "--offline", "--json").out)
    assert (told["latest"], told["pushed"]) == (mine, True)
    # What was fetched stays known.
    assert ppr_assets("list").code == 0
    assert _newest(behind) in ppr_assets("list", "--offline").out


def test_a_remote_that_does_not_answer_is_told_and_the_clone_is_looked_at(
    behind: Pipeline, ppr_assets: CommandLine
) -> None:
    behind.remote.rename(behind.remote.with_name("away.git"))
    mine = behind.latest()
    for verb in ("list", "audit", "verify"):
        said = ppr_assets(verb)
        assert (verb, said.code) == (verb, 0)
        assert mine in said.out
        assert "newer dumps may be published, as the remote was not asked: no use of" in said.err
    status = ppr_assets("status")
    assert status.code == 6
    assert facts(status.out)["latest"] == mine
    assert facts(status.out)["pushed"] == "there is no remote, or it did not answer"


def test_two_sides_that_have_both_moved_are_told(behind: Pipeline, ppr_assets: CommandLine) -> None:
    behind.repo(push_enabled=False)
    wait_for_a_later_name(_newest(behind))
    behind.change()
    behind.night()
    said = ppr_assets("list")
    assert said.out.splitlines()[1].startswith(behind.latest())
    told = (
        f"the clone's branch has 1 commit that the remote has not, and lacks 2 up to "
        f"{behind.remote_head()[:10]}: the next dump merges them\n"
    )
    assert said.beside == told
    assert facts(ppr_assets("status").out)["pushed"] == "no"


def test_a_commit_that_only_the_remote_has_is_found_by_its_name(behind: Pipeline) -> None:
    commit = behind.remote_head()
    with found_dump(behind.settings.data_repo, Wanted(at=commit)) as found:
        assert found.name == _newest(behind)


@pytest.mark.parametrize("how", ["reset", "begun anew"])
def test_a_remote_that_was_rewritten_is_told_with_what_to_do(
    pipeline: Pipeline, ppr_assets: CommandLine, how: str
) -> None:
    pipeline.first_night()
    other = pipeline.clone_again("other")
    if how == "reset":
        git(other, "reset", "-q", "--hard", "HEAD~1")
    else:
        git(other, "checkout", "-q", "--orphan", "new")
        git(other, "commit", "-q", "-m", "Begin anew")
    git(other, "push", "-q", "--force", "origin", "HEAD:main")
    for verb in ("list", "audit"):
        said = ppr_assets(verb)
        assert (verb, said.code) == (verb, 0)
        assert "`main` was rewritten: it no longer holds" in said.beside
        assert "the next dump stops there" in said.beside
        assert f"git reset --keep origin/main` in `{pipeline.clone}`" in said.beside
