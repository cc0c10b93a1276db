"""Each forge has its own addresses for the same pages."""

from __future__ import annotations

import pytest

from ppr_assets.data_repo.remote.pages import Pages

OLD, NEW = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("repository", "commit", "difference", "file"),
    [
        ("https://github.com/a/b", "commit/{n}", "compare/{o}...{n}", "blob/{n}/x%20y/z.json"),
        (
            "https://gitlab.example.org/a/c/b",
            "-/commit/{n}",
            "-/compare/{o}...{n}",
            "-/blob/{n}/x%20y/z.json",
        ),
        (
            "https://codeberg.org/a/b",
            "commit/{n}",
            "compare/{o}...{n}",
            "src/commit/{n}/x%20y/z.json",
        ),
        (
            "https://gitea.example.org:3000/github/b",
            "commit/{n}",
            "compare/{o}...{n}",
            "src/commit/{n}/x%20y/z.json",
        ),
        (
            "https://bitbucket.org/a/b",
            "commits/{n}",
            "branches/compare/{n}%0D{o}",
            "src/{n}/x%20y/z.json",
        ),
    ],
)
def test_forges_have_pages_of_their_own(
    repository: str, commit: str, difference: str, file: str
) -> None:
    pages = Pages(repository)
    names = {"o": OLD, "n": NEW}
    assert pages.commit(NEW) == f"{repository}/{commit.format(**names)}"
    assert pages.difference(OLD, NEW) == f"{repository}/{difference.format(**names)}"
    assert pages.file(NEW, "x y/z.json") == f"{repository}/{file.format(**names)}"
