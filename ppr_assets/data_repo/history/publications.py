"""Publishing commits: those of the scrapers' publisher, told apart from our own by what they touch.

A publishing commit changes something outside the dump folder. Our dumps do not, which is what
keeps a dump from being taken for the reason of the next one. Merges repeat what their parents
did and do not count.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ppr_assets.data_repo.git.listings import log_format, log_rows
from ppr_assets.data_repo.git.pathspec import outside
from ppr_assets.data_repo.git.repository import DataRepo, is_ancestor
from ppr_assets.data_repo.remote.address import Pages


class Publication(Struct, frozen=True):
    """A commit that published data; ``date`` is the committer's, with its timezone, ``page`` what
    a forge shows of it."""

    sha: str
    subject: str
    author: str
    date: datetime
    page: str | None = None


def newest_publication(repo: DataRepo, *tips: str) -> Publication | None:
    """The newest publishing commit that one of ``tips`` contains."""
    tips = tuple(dict.fromkeys(tips))
    if len(tips) > 1:  # by their order and not by their clocks, where one contains another
        tips = tuple(repo.word("merge-base", "--independent", *tips).split())
    return _newest(repo, *tips) if tips else None


def new_publication_since(repo: DataRepo, tip: str, seen: str | None) -> Publication | None:
    """The newest publishing commit in ``tip`` that was not in ``seen``.

    ``seen`` is the tip that was looked at before. Where that is None, unknown here, or no longer
    part of the branch (somebody forced a push), it is the newest publishing commit of all.
    """
    known = seen is not None and repo.word("cat-file", "-t", seen, ok=(0, 128)) == "commit"
    if seen is None or not known or not is_ancestor(repo, seen, tip):
        return newest_publication(repo, tip)
    return _newest(repo, tip, f"^{seen}")


def _newest(repo: DataRepo, *revisions: str) -> Publication | None:
    answer = repo.git_once(
        "log",
        "-1",
        "--no-merges",
        *log_format("%H", "%s", "%an", "%cI"),
        *revisions,
        "--",
        *outside(repo.dump_dir),
    )
    for sha, subject, author, date, _ in log_rows(answer, 4):
        page = Pages(repo.web_url).commit(sha) if repo.web_url else None
        return Publication(sha, subject, author, datetime.fromisoformat(date), page)
    return None


def publications_between(repo: DataRepo, tip: str, start: datetime, end: datetime) -> int:
    """How many commits published something other than dumps, by the committers' clocks."""
    answer = repo.word(
        "rev-list",
        "--count",
        "--no-merges",
        f"--since=@{int(start.timestamp())}",
        f"--until=@{int(end.timestamp())}",
        tip,
        "--",
        *outside(repo.dump_dir),
    )
    return int(answer)
