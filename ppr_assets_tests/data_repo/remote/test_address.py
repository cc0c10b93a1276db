"""Remotes' addresses: the same place, the origin of a token, the page for a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.data_repo.remote.address import Pages, RemoteAddress, parse_address

HTTPS = "https://github.com/For-The-Greater-Good/HAARRRvest.git"


def _parsed(url: str) -> RemoteAddress:
    return parse_address(url, relative_to=Path("/srv"))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/For-The-Greater-Good/HAARRRvest",
        "https://github.com:443/For-The-Greater-Good/HAARRRvest.git/",
        "https://user:secret@GitHub.com/For-The-Greater-Good/HAARRRvest.git",
        "git@github.com:For-The-Greater-Good/HAARRRvest.git",
        "ssh://git@github.com/For-The-Greater-Good/HAARRRvest.git",
        "ssh://git@github.com:22/For-The-Greater-Good/HAARRRvest.git",
    ],
)
def test_ways_to_write_one_place_are_the_same(url: str) -> None:
    assert _parsed(url).same_place(_parsed(HTTPS))
    assert "secret" not in repr(_parsed(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/For-The-Greater-Good/HAARRRvest2.git",
        "https://gitlab.com/For-The-Greater-Good/HAARRRvest.git",
        "https://github.com:8443/For-The-Greater-Good/HAARRRvest.git",
        "/For-The-Greater-Good/HAARRRvest.git",
    ],
)
def test_other_places_are_not_the_same(url: str) -> None:
    assert not _parsed(url).same_place(_parsed(HTTPS))


def test_folders_are_compared_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "remote.git").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "remote.git")
    one = parse_address("remote.git", relative_to=tmp_path)
    assert one.same_place(parse_address(f"file://{tmp_path}/link", relative_to=Path("/")))
    assert one.origin is None
    assert one.web_url is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (HTTPS, "https://github.com"),
        ("http://127.0.0.1:3000/a/b.git", "http://127.0.0.1:3000"),
        ("git@github.com:a/b.git", None),
        ("ssh://git@github.com/a/b.git", None),
    ],
)
def test_a_token_belongs_to_an_origin_of_http(url: str, origin: str | None) -> None:
    assert _parsed(url).origin == origin


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (HTTPS, "https://github.com/For-The-Greater-Good/HAARRRvest"),
        ("git@codeberg.org:a/b.git", "https://codeberg.org/a/b"),
        (
            "ssh://git@gitlab.example.org:2222/group/sub/b.git",
            "https://gitlab.example.org/group/sub/b",
        ),
        ("ssh://git@ssh.github.com:443/a/b.git", "https://github.com/a/b"),
        ("https://gitea.example.org:3000/a/b", "https://gitea.example.org:3000/a/b"),
        ("https://example.org/a/b.git", None),
        ("git@server:b.git", None),
    ],
)
def test_forges_have_a_page(url: str, page: str | None) -> None:
    assert _parsed(url).web_url == page


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
