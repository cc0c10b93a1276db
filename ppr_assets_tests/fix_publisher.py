"""A publisher with a clone of its own, who works as HAARRRvest's does: commit, merge, push."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.places import SHARED

REAL_LOG = SHARED / "data" / "haarrrvest-publishing-log.txt"
"""The last commits of the real data repository, where somebody has put them."""

GENERATED_LOG = """\
commit dddddddddddddddddddddddddddddddddddddddd
parents bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccccccccccccccc
author Publisher
date 2025-08-09T06:56:16+00:00
subject Merge data-update-2025-08-09
commit cccccccccccccccccccccccccccccccccccccccc
parents bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
author Publisher
date 2025-08-09T06:56:16+00:00
subject Data update for 2025-08-09 06:56 UTC

STATS.md
sqlite/pantry_pirate_radio.sqlite
commit bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
parents aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
author Publisher
date 2025-08-09T06:56:14+00:00
subject Auto-commit content store updates - 2025-08-09 06:56:14

content_store/index.db-shm
commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
parents 9999999999999999999999999999999999999999
author Publisher
date 2025-08-08T06:50:50+00:00
subject Data update for 2025-08-08 06:50 UTC

README.md
daily/2025-08-08/scrapers/freshtrak/1754721989.json
"""


@dataclass(frozen=True)
class LoggedCommit:
    """One commit of a log; ``parents`` may reach back to before its beginning."""

    name: str
    parents: Sequence[str]
    author: str
    date: str
    subject: str
    paths: Sequence[str]


def read_log(text: str) -> list[LoggedCommit]:
    """The commits of a log, oldest first."""
    found = []
    for block in re.split(r"^commit (?=[0-9a-f]{40}$)", text, flags=re.MULTILINE)[1:]:
        head, _, paths = block.partition("\n\n")
        name, *lines = head.splitlines()
        facts = dict(line.split(" ", 1) for line in lines)
        found.append(
            LoggedCommit(
                name,
                facts["parents"].split(),
                facts["author"],
                facts["date"],
                facts["subject"],
                paths.splitlines(),
            )
        )
    return found[::-1]


@dataclass
class Publisher:
    """Somebody who pushes what they publish and knows nothing of dumps."""

    clone: Path

    def publish(self, subject: str) -> str:
        git(self.clone, "pull", "-q", "--ff-only", "origin", "main")
        commit = commit_files(self.clone, subject, {"STATS.md": subject})
        git(self.clone, "push", "-q", "origin", "HEAD:main")
        return commit

    def rewrite(self, subject: str) -> str:
        """Replace the newest commit by another one, and force it on everybody."""
        (self.clone / "STATS.md").write_text(subject)
        git(self.clone, "commit", "-q", "--amend", "-a", "-m", subject)
        git(self.clone, "push", "-q", "--force", "origin", "HEAD:main")
        return git(self.clone, "rev-parse", "HEAD")

    def replay(self, commits: Sequence[LoggedCommit]) -> str:
        """Make commits of the same shape on the remote's branch; the newest that is no merge."""
        git(self.clone, "fetch", "-q", "origin")
        git(self.clone, "checkout", "-q", "-B", "main", "origin/main")
        marks = {commit.name: number for number, commit in enumerate(commits, 1)}
        by_name = {commit.name: commit for commit in commits}
        stream = "".join(_imported(commit, marks, by_name) for commit in commits)
        marks_file = self.clone / ".git" / "replayed"
        subprocess.run(
            ["git", "fast-import", "--quiet", f"--export-marks={marks_file}"],
            cwd=self.clone,
            input=stream.encode(),
            check=True,
        )
        git(self.clone, "reset", "-q", "--hard")
        git(self.clone, "push", "-q", "origin", "main")
        made = dict(line.split() for line in marks_file.read_text().splitlines())
        newest = [commit.name for commit in commits if len(commit.parents) == 1][-1]
        return made[f":{marks[newest]}"]


def _imported(commit: LoggedCommit, marks: dict[str, int], by_name: dict[str, LoggedCommit]) -> str:
    """One commit for ``git fast-import``. What lies before the log is the branch's tip."""
    first, *others = [marks.get(name) for name in commit.parents]
    seconds = _seconds(commit.date)
    lines = [
        "commit refs/heads/main",
        f"mark :{marks[commit.name]}",
        f"committer {commit.author} <haarrrvest@example.com> {seconds} +0000",
        _data(commit.subject),
        f"from :{first}" if first else "from refs/heads/main^0",
        *(f"merge :{other}" for other in others if other),
    ]
    for name in (commit.name, *commit.parents[1:]):  # a merge takes over what the branch changed
        for path in by_name[name].paths if name in by_name else []:
            lines += [f"M 100644 inline {path}", _data(name)]
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def _seconds(date: str) -> int:
    return int(datetime.fromisoformat(date).timestamp())


@pytest.fixture
def haarrrvest(pipeline: Pipeline) -> Publisher:
    return Publisher(pipeline.clone_again("haarrrvest"))
