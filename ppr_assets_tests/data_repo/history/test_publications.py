"""Publishing commits, told apart from our own in histories as the real publisher makes them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.publications import new_publication_since, newest_publication
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import PUBLICATION, Somebody, publish_dump
from ppr_assets_tests.places import SHARED

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

LOG = SHARED / "data/haarrrvest-publishing-log.txt"
FIRST = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SECOND = "pantry_pirate_radio_2026-11-23_02-00-00.sql"


def _tip(repo: DataRepo) -> str:
    commit = tip(repo)
    assert commit is not None
    return commit


def test_our_own_commits_are_no_publications(data_repo: DataRepo) -> None:
    before = newest_publication(data_repo, _tip(data_repo))
    assert before is not None
    assert (before.subject, before.author) == (PUBLICATION, "Somebody Else")
    assert before.date.utcoffset() is not None
    seen = _tip(data_repo)
    publish_dump(data_repo, FIRST)
    publish_dump(data_repo, SECOND)
    assert newest_publication(data_repo, _tip(data_repo)) == before
    assert new_publication_since(data_repo, _tip(data_repo), seen) is None


def test_a_new_publication_is_seen_once(data_repo: DataRepo, owner: Somebody) -> None:
    seen = publish_dump(data_repo, FIRST)
    new = owner.commit("Data update for 2025-08-10 06:56 UTC", {"daily/b.json": "{}"})
    found = new_publication_since(data_repo, _tip(data_repo), seen)
    assert found is not None
    assert found.sha == new
    after = publish_dump(data_repo, SECOND)
    assert new_publication_since(data_repo, after, seen) == found
    assert new_publication_since(data_repo, after, new) is None


def test_a_branch_that_was_merged_counts_by_its_commits(
    data_repo: DataRepo, owner: Somebody
) -> None:
    seen = _tip(data_repo)
    owner.git("checkout", "-q", "-b", "data-update-2025-08-10")
    update = owner.commit("Data update for 2025-08-10 06:56 UTC", {"daily/b.json": "{}"})
    owner.git("checkout", "-q", "main")
    publish_dump(data_repo, FIRST)
    owner.git(
        "merge", "-q", "--no-ff", "-m", "Merge data-update-2025-08-10", "data-update-2025-08-10"
    )
    found = new_publication_since(data_repo, _tip(data_repo), seen)
    assert found is not None
    assert found.sha == update


def test_a_merge_of_two_publications_is_none_itself(data_repo: DataRepo, owner: Somebody) -> None:
    seen = _tip(data_repo)
    owner.git("checkout", "-q", "-b", "data-update-2025-08-10")
    update = owner.commit("Data update for 2025-08-10 06:56 UTC", {"daily/b.json": "{}"})
    owner.git("checkout", "-q", "main")
    auto = owner.commit("Auto-commit content store updates", {"content_store/index.db": "x"})
    owner.git(
        "merge", "-q", "--no-ff", "-m", "Merge data-update-2025-08-10", "data-update-2025-08-10"
    )
    found = new_publication_since(data_repo, _tip(data_repo), seen)
    assert found is not None
    assert found.sha in (update, auto)


def test_a_history_that_was_cut_back_has_an_older_newest(
    data_repo: DataRepo, owner: Somebody
) -> None:
    seen = owner.commit("Data update, later withdrawn", {"daily/b.json": "{}"})
    owner.git("reset", "-q", "--hard", "HEAD^")
    found = new_publication_since(data_repo, _tip(data_repo), seen)
    assert found is not None
    assert found.subject == PUBLICATION


@pytest.mark.parametrize("seen", [None, "0" * 40, "f" * 40, "not a commit"])
def test_an_unknown_past_means_the_newest_of_all(data_repo: DataRepo, seen: str | None) -> None:
    found = new_publication_since(data_repo, _tip(data_repo), seen)
    assert found == newest_publication(data_repo, _tip(data_repo))


def test_after_a_forced_push_it_is_the_newest_of_the_new_history(
    data_repo: DataRepo, owner: Somebody
) -> None:
    seen = owner.commit("Data update, later withdrawn", {"daily/b.json": "{}"})
    owner.git("reset", "-q", "--hard", "HEAD^")
    new = owner.commit("Data update, corrected", {"daily/b.json": "[]"})
    found = new_publication_since(data_repo, _tip(data_repo), seen)
    assert found is not None
    assert found.sha == new


def test_a_repository_of_dumps_alone_has_no_publication(repo_settings: DataRepoSettings) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(repo_settings.path)], check=True)
    repo = open_data_repo(repo_settings)
    publish_dump(repo, FIRST)
    assert newest_publication(repo, _tip(repo)) is None


def test_a_commit_that_touches_dumps_and_data_is_a_publication(
    data_repo: DataRepo, owner: Somebody
) -> None:
    publish_dump(data_repo, FIRST)
    new = owner.commit("Both", {"sql_dumps/README.md": "x", "daily/b.json": "{}"})
    found = newest_publication(data_repo, _tip(data_repo))
    assert found is not None
    assert found.sha == new


@dataclass(frozen=True)
class Logged:
    """A commit of the publishing log."""

    sha: str
    parents: list[str]
    date: str
    subject: str
    paths: list[str]


def _generated_log() -> list[Logged]:
    """The shape of the real one: an update on a branch, its merge, and automatic commits."""
    commits: list[Logged] = []
    moment = datetime(2025, 8, 9, 6, 0, 0, tzinfo=UTC)

    def add(parents: list[str], subject: str, paths: list[str]) -> str:
        sha = f"{len(commits) + 1:040x}"
        date = (moment + timedelta(seconds=len(commits))).isoformat()
        commits.append(Logged(sha, parents, date, subject, paths))
        return sha

    main = add([], "Start", ["README.md"])
    for number in range(6):
        auto = add(
            [main], f"Auto-commit content store updates - {number}", ["content_store/index.db"]
        )
        update = add([auto], f"Data update {number}", ["README.md", f"daily/{number}.json"])
        main = add([auto, update], f"Merge data-update-{number}", [])
    return commits


def _real_log() -> list[Logged]:
    """The last commits of the real repository, oldest first."""
    commits = []
    for block in LOG.read_text(encoding="utf-8").split("\ncommit "):
        head, _, paths = block.removeprefix("commit ").partition("\n\n")
        lines = head.splitlines()
        facts = dict(line.partition(" ")[::2] for line in lines[1:])
        parents = facts["parents"].split()
        commits.append(
            Logged(lines[0], parents, facts["date"], facts["subject"], paths.splitlines()[:20])
        )
    return commits[::-1]


def _replay(owner: Somebody, log: list[Logged]) -> dict[str, str]:
    """Make the log's commits with their parents, dates and paths; new name by old name."""
    made: dict[str, str] = {}
    files: dict[str, dict[str, str]] = {}
    for commit in log:
        parents = [made[parent] for parent in commit.parents if parent in made]
        # A merge holds what its last parent has, as the publisher's merges do.
        content = dict(files.get(parents[-1], {})) if parents else {}
        blob = _feed(owner, ["hash-object", "-w", "--stdin"], commit.sha)
        content.update(dict.fromkeys(commit.paths, blob))
        lines = [f"100644 {blob}\t{path}" for path, blob in content.items()]
        index = {"GIT_INDEX_FILE": str(owner.path / ".git" / f"replay-{len(made)}")}
        _feed(owner, ["update-index", "--add", "--index-info"], "\n".join(lines) + "\n", index)
        tree = _feed(owner, ["write-tree"], "", index)
        words = [word for parent in parents for word in ("-p", parent)]
        dates = {"GIT_AUTHOR_DATE": commit.date, "GIT_COMMITTER_DATE": commit.date}
        sha = _feed(owner, ["commit-tree", tree, *words, "-m", commit.subject], "", dates)
        made[commit.sha], files[sha] = sha, content
    return made


def _feed(owner: Somebody, words: list[str], text: str, env: dict[str, str] | None = None) -> str:
    return subprocess.run(
        ["git", *words],
        cwd=owner.path,
        input=text,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.parametrize(
    "log",
    [
        pytest.param("generated"),
        pytest.param(
            "real",
            marks=pytest.mark.skipif(
                not LOG.exists(), reason="the real publishing log is not here"
            ),
        ),
    ],
)
def test_walking_a_publishers_history_meets_each_publication_and_ends(
    data_repo: DataRepo, owner: Somebody, log: str
) -> None:
    """At each tip of main, as a sensor looks at them one after the other."""
    commits = _generated_log() if log == "generated" else _real_log()
    made = _replay(owner, commits)
    subjects = {made[commit.sha]: commit for commit in commits}
    heads = owner.git("rev-list", "--reverse", "--first-parent", made[commits[-1].sha]).splitlines()
    assert len(heads) > 10
    found, seen = [], heads[0]
    for head in heads[1:]:
        new = new_publication_since(data_repo, head, seen)
        assert new_publication_since(data_repo, head, head) is None
        if new is not None:
            found.append(new.sha)
        seen = head
    assert len(found) == len(set(found)) > 5
    # Merges repeat what their parents did, and the dumps are our own.
    assert all(len(subjects[sha].parents) == 1 for sha in found)
    assert {subjects[sha].subject.split()[0] for sha in found} <= {"Data", "Auto-commit"}
    newest = newest_publication(data_repo, heads[-1])
    assert newest is not None
    assert newest.sha == found[-1]
