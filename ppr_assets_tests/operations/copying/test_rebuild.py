"""A data repository that was deleted, or forced back, comes back out of a copy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.copies.packed import unpacked
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.message import Signed
from ppr_assets.errors import DumpMissing
from ppr_assets.operations.copying.rebuild import RebuiltFolder, rebuild
from ppr_assets.operations.published.standing_mark import standing_mark
from ppr_assets.operations.publishing.dump_commit import write_policy_commit
from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets.rules.naming import copy_name
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_git import git, set_git_environment

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD, FOURTH = map(dump_of, (1, 2, 3, 4))
POLICY = "# nothing of it\n[tables]\nlegacy = 'structure'\n"
OTHERS = (".d", ".gita", "README.md", "dumps.svg")
WORDS = "--format=%an <%ae> %cI%n%B"


@pytest.fixture(scope="module")
def decided(published_twice: CopyWorld, tmp_path_factory: pytest.TempPathFactory) -> CopyWorld:
    """What each ``with_decisions`` begins with."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_git_environment(monkeypatch)
        world = published_twice.taken_along(tmp_path_factory.mktemp("decided"))
        reset(world.settings, to=900, reason="closed county, ticket 214")
        world.publish(THIRD, mark=950)
        with open_data_repo(world.settings.data_repo) as repo:
            signed = Signed("ticket 215", "Ann Lee")
            decision = write_policy_commit(repo, tip(repo), POLICY, "Withhold legacy", signed)
            world.land(repo, decision)
        world.publish(FOURTH, mark=1000)
        world.copy()
    return world


@pytest.fixture
def with_decisions(decided: CopyWorld, tmp_path: Path, git_environment: None) -> CopyWorld:
    """After two dumps the mark was lowered and the policy decided on, and two dumps followed."""
    return decided.taken_along(tmp_path)


def rebuilt(world: CopyWorld, path: Path, **changes: object) -> tuple[RebuiltFolder, Path]:
    """By somebody whose data repository is to be at ``path``."""
    given = replace(world.settings.data_repo, path=path, url=None, **changes)  # type: ignore[arg-type]
    (url,) = world.settings.data_repo.copies.urls
    return rebuild(replace(world.settings, data_repo=given), url), path


def files(clone: Path, commit: str = "main") -> dict[str, str]:
    """What stands in the dump folder, by its object; not what only publishing itself adds, nor the
    page, which is made anew."""
    told = git(clone, "ls-tree", "-r", f"{commit}:sql_dumps").splitlines()
    found = {name: facts for facts, _, name in (line.partition("\t") for line in told)}
    return {name: facts for name, facts in found.items() if not name.startswith(OTHERS)}


def words(clone: Path, commit: str = "main") -> list[str]:
    """Who said what of the dump folder, and when."""
    told = git(clone, "log", "-z", WORDS, commit, "--", "sql_dumps")
    return [one.strip() for one in told.split("\0")]


def test_what_was_deleted_comes_back_with_its_dumps_marks_policy_and_their_reasons(
    with_decisions: CopyWorld, tmp_path: Path
) -> None:
    before = with_decisions.settings.data_repo.path
    outcome, after = rebuilt(with_decisions, tmp_path / "new" / "data")
    assert (outcome.dumps, outcome.decisions) == ([FIRST, SECOND, THIRD, FOURTH], 2)
    assert outcome.damaged == [] and outcome.commit == git(after, "rev-parse", "main")
    assert files(after) == files(before)
    assert words(after)[1:] == words(before)  # behind the one that says so
    page = git(after, "show", "main:sql_dumps/README.md")
    assert [line[3:13] for line in page.splitlines() if line.startswith("| [")] == [
        f"2026-11-0{day}" for day in (4, 3, 2, 1)
    ]
    assert git(after, "log", "-1", "--format=%s") == "Rebuild the dump folder from copies: 4 dumps"
    assert (after / "sql_dumps" / "latest.sql").read_text() == with_decisions.texts[FOURTH]
    assert git(after, "status", "--porcelain") == ""
    with open_data_repo(replace(with_decisions.settings.data_repo, path=after, url=None)) as repo:
        found = standing_mark(repo, tip(repo))
    assert found is not None and found.lost == {} and found.mark.organization == 1000

    again, _ = rebuilt(with_decisions, after)
    assert (again.dumps, again.decisions, again.commit) == ([], 0, None)


def test_a_branch_that_was_forced_back_gets_what_it_lacks_and_its_remote_too(
    with_decisions: CopyWorld, tmp_path: Path
) -> None:
    before = with_decisions.settings.data_repo.path
    remote = tmp_path / "remote.git"
    second = git(before, "log", "-1", "--format=%H", "--", f"sql_dumps/{SECOND}")
    git(before, "push", "-q", str(remote), f"{second}:main")
    git(tmp_path, "clone", "-q", str(remote), "forced")
    outcome, after = rebuilt(with_decisions, tmp_path / "forced", push_enabled=True)
    assert (outcome.dumps, outcome.decisions) == ([THIRD, FOURTH], 2)
    assert files(after) == files(before)
    assert outcome.delivery.pushed
    assert git(remote, "rev-parse", "main") == git(after, "rev-parse", "main")
    assert git(after, "merge-base", "main", second) == second

    with_decisions.name(str(with_decisions.folder))
    with_decisions.settings = replace(
        with_decisions.settings,
        data_repo=replace(with_decisions.settings.data_repo, path=after, url=None),
    )
    there = with_decisions.there()
    assert with_decisions.copied().verified
    assert with_decisions.there() == there, "the records of what was made again are there already"


def test_a_damaged_copy_is_left_out_and_told(with_decisions: CopyWorld, tmp_path: Path) -> None:
    path = with_decisions.folder / copy_name(THIRD)
    path.write_bytes(path.read_bytes()[:-4])
    for record in with_decisions.folder.glob("commit_*"):
        if FOURTH in record.read_text():
            record.unlink()
    outcome, after = rebuilt(with_decisions, tmp_path / "new")
    assert outcome.dumps == [FIRST, SECOND, FOURTH], "by its manifest where the record is lost"
    (damaged,) = outcome.damaged
    assert copy_name(THIRD) in damaged.message
    assert THIRD not in files(after)
    assert f"Dump: {FOURTH}" in git(after, "log", "-3", "--format=%B")


def test_a_large_dump_comes_back_in_parts_and_is_copied_whole(
    with_decisions: CopyWorld, tmp_path: Path
) -> None:
    rows = "".join(f"{number}\tfood bank\n" for number in range(400))
    text = f"dump\n--\n\nCOPY public.organization (id, name) FROM stdin;\n{rows}\\.\n\n\n"
    text += "--\n-- PostgreSQL database dump complete\n--\n"
    with_decisions.publish(dump_of(5), text)
    assert with_decisions.copied().copied == [dump_of(5)]
    given = replace(with_decisions.settings.dump, max_file_bytes=4000)
    with_decisions.settings = replace(with_decisions.settings, dump=given)
    outcome, after = rebuilt(with_decisions, tmp_path / "new")
    assert not outcome.damaged
    assert outcome.dumps[-1] == dump_of(5)
    parts = [name for name in files(after) if name.startswith(dump_of(5)[:-4] + ".parts/")]
    assert len(parts) > 1

    (whole := tmp_path / "whole").mkdir()
    new = replace(with_decisions.settings.data_repo, path=after, url=None)
    with_decisions.settings = replace(with_decisions.settings, data_repo=new)
    with_decisions.folder = whole
    with_decisions.name()
    assert with_decisions.copied().verified
    packed = (whole / copy_name(dump_of(5))).read_bytes()
    assert b"".join(unpacked([packed], "")).decode() == with_decisions.texts[dump_of(5)]


def test_a_place_without_a_copy_rebuilds_nothing(copy_world: CopyWorld, tmp_path: Path) -> None:
    with pytest.raises(DumpMissing) as missing:
        rebuilt(copy_world, tmp_path / "new")
    assert missing.value.render() == (
        f"there is no copy at `{copy_world.folder}`, so nothing to rebuild from\n"
        "HINT: look at the URL and its prefix; `ppr-assets list --from URL` lists what it has."
    )
    assert not (tmp_path / "new").exists()
    shutil.rmtree(copy_world.folder)
