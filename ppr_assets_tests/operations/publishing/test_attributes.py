"""Every checkout of the dump folder has the bytes that were committed, whatever is configured."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout.plain_files import require_same_bytes
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import DataRepoError
from ppr_assets.rules.attributes import ATTRIBUTES, LINE
from ppr_assets.rules.naming import is_dump_name
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline

OURS = f"sql_dumps/{ATTRIBUTES}"

CONFIGURED = {
    "a Windows clone": ("core.autocrlf=true",),
    "a clone with its own line end": ("core.eol=crlf", "core.autocrlf=input"),
    "attributes of the user's own": ("core.attributesFile={folder}/attributes",),
}
ABOVE = {
    "nothing": "",
    "line ends": "* text=auto eol=crlf\n",
    "a filter": "*.sql filter=upper\n*.json filter=upper\n* filter=upper\n",
    "keywords": "* ident\n",
    "an encoding": "*.sql text working-tree-encoding=UTF-16LE\n",
}


def _files(folder: Path) -> dict[str, bytes]:
    dumps = folder / "sql_dumps"
    found = (path for path in dumps.rglob("*") if path.is_file())
    return {str(path.relative_to(dumps)): path.read_bytes() for path in found}


def _committed(pipeline: Pipeline) -> dict[str, str]:
    listing = git(pipeline.remote, "ls-tree", "-r", "main:sql_dumps").splitlines()
    facts = (line.split("\t") for line in listing)
    return {name: entry.split()[2] for entry, name in facts}


def _object(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE)
def test_no_clone_changes_a_byte(pipeline: Pipeline, tmp_path: Path, above: str) -> None:
    """Dumps, manifests, ratchet file, delta base and the symlink, in each kind of clone."""
    commit_files(pipeline.clone, "Attributes for everything", {ATTRIBUTES: above + "# end\n"})
    pipeline.execute("UPDATE language SET note = E'a\\r\\nb $Id$'")
    _, published = pipeline.night()
    (tmp_path / "attributes").write_text("*.sql text eol=crlf\n*.json filter=upper\n")
    committed = _committed(pipeline)
    for number, settings in enumerate(CONFIGURED.values()):
        clone = tmp_path / f"clone-{number}"
        options = [word.format(folder=tmp_path) for word in (*settings, "filter.upper.smudge=rev")]
        given = [word for option in options for word in ("-c", option)]
        git(tmp_path, *given, "clone", "-q", str(pipeline.remote), str(clone))
        files = _files(clone)
        linked = files.pop("latest.sql")
        assert {name: _object(content) for name, content in files.items()} == {
            name: sha for name, sha in committed.items() if name != "latest.sql"
        }
        assert hashlib.sha256(linked).hexdigest() == published.manifest.sha256
        assert git(clone, *given, "status", "--porcelain", "sql_dumps") == ""


@pytest.mark.parametrize("theirs", [None, "*.md text\n"], ids=["no file yet", "somebody's file"])
def test_the_clone_that_is_published_in_may_be_a_windows_one(
    pipeline: Pipeline, theirs: str | None
) -> None:
    """Also on the first night, before our line is there."""
    if theirs:
        commit_files(pipeline.clone, "Theirs", {OURS: theirs})
    git(pipeline.clone, "config", "core.autocrlf", "true")
    _, published = pipeline.night()
    assert published.error() is None
    committed = _committed(pipeline)
    for name, content in _files(pipeline.clone).items():
        if name not in ("latest.sql", ATTRIBUTES):  # which was there before the line in it
            assert _object(content) == committed[name], name
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""


def test_an_unchanged_night_commits_nothing_for_it_and_the_next_dump_brings_it(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    before = commit_files(pipeline.clone, "As before the update", {OURS: None})
    git(pipeline.clone, "push", "-q", "origin", "main")
    _, unchanged = pipeline.night()
    assert (unchanged.status, pipeline.head()) == ("unchanged", before)
    pipeline.change()
    pipeline.night()
    assert git(pipeline.clone, "show", f"main:{OURS}").splitlines()[-1] == LINE


def test_what_others_wrote_in_it_stays_and_ours_is_added_once(pipeline: Pipeline) -> None:
    commit_files(pipeline.clone, "Ours", {OURS: "*.sql linguist-generated\n"})
    lines: list[str] = []
    for _ in range(2):
        pipeline.night()
        lines = git(pipeline.clone, "show", f"main:{OURS}").splitlines()
        assert lines[0] == "*.sql linguist-generated"
        assert lines.count(LINE) == 1
        pipeline.change()
    assert (pipeline.dumps / ATTRIBUTES).read_text().splitlines() == lines


def test_a_merge_keeps_both_sides_of_it(pipeline: Pipeline) -> None:
    """Somebody wrote their own on the remote, while the dump that brings ours waited here."""
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    pipeline.night()
    away.rename(pipeline.remote)
    other = pipeline.clone_again("somebody")
    commit_files(other, "Theirs", {OURS: "*.md text\n"})
    git(other, "push", "-q", "origin", "main")
    pipeline.change()
    _, published = pipeline.night()
    assert published.error() is None
    lines = git(pipeline.remote, "show", f"main:{OURS}").splitlines()
    assert (lines[0], lines[-1]) == ("*.md text", LINE)


@pytest.mark.parametrize("rule", ["*.sql text", "*.sql text=auto", "* ident"])
def test_a_line_below_ours_that_changes_bytes_is_told(pipeline: Pipeline, rule: str) -> None:
    repo = open_data_repo(pipeline.settings.data_repo)
    require_same_bytes(repo)
    (pipeline.dumps).mkdir(exist_ok=True)
    (pipeline.dumps / ATTRIBUTES).write_text(f"{LINE}\n{rule}\n")
    name = rule.split()[1].partition("=")[0]
    with pytest.raises(DataRepoError, match=f"`{name}=.*other bytes than were committed"):
        require_same_bytes(repo)
    _, published = pipeline.night()
    assert published.status == "published"


@pytest.mark.parametrize("kind", ["a link", "a folder"])
def test_rules_that_git_does_not_read_are_told_where_others_count(
    pipeline: Pipeline, kind: str
) -> None:
    pipeline.dumps.mkdir()
    if kind == "a link":
        (pipeline.dumps / ATTRIBUTES).symlink_to("../README.md")
    else:
        (pipeline.dumps / ATTRIBUTES).mkdir()
    repo = open_data_repo(pipeline.settings.data_repo)
    require_same_bytes(repo)
    commit_files(pipeline.clone, "Line ends", {ATTRIBUTES: "* text eol=crlf\n"})
    with pytest.raises(DataRepoError, match=r"`text=set`.*other bytes than were committed") as told:
        require_same_bytes(repo)
    assert "git follows no link there" in told.value.hint


def test_keep_rules_retire_dumps_and_not_the_file(pipeline: Pipeline) -> None:
    pipeline.gate(keep=pipeline.settings.dump.keep.__class__(1, 0, 0, 0, 0))
    for _ in range(3):
        pipeline.night()
        pipeline.change()
    names = git(pipeline.remote, "ls-tree", "--name-only", "main:sql_dumps").splitlines()
    assert ATTRIBUTES in names
    assert len([name for name in names if is_dump_name(name)]) < 3
    assert names[0] == ".delta_base"
