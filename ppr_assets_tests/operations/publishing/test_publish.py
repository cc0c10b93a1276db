"""One commit holds a dump, its manifest, latest and the mark, and says so."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.history.message import parse_records
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline, listing, wait_for_a_later_name
from ppr_assets_tests.opened import dump, publish


def _changed_files(folder: Path, commit: str) -> dict[str, str]:
    """Mode by path of what a commit added or changed."""
    lines = git(folder, "diff-tree", "-r", "--no-commit-id", commit).splitlines()
    return {line.split("\t")[1]: line.split()[1] for line in lines}


def _trailers(folder: Path, commit: str) -> dict[str, str]:
    """What git itself takes for trailers."""
    text = git(folder, "log", "-1", "--format=%(trailers:only,unfold)", commit)
    return dict(line.split(": ", 1) for line in text.splitlines())


def test_a_commit_holds_dump_manifest_latest_mark_and_page_and_nothing_else(
    pipeline: Pipeline,
) -> None:
    parent = pipeline.head()
    _, published = pipeline.first_night()
    assert published.status == "published" and published.commit is not None
    dump = published.manifest.dump
    assert _changed_files(pipeline.clone, published.commit) == {
        f"sql_dumps/{dump}": "100644",
        f"sql_dumps/{dump.removesuffix('.sql')}.json": "100644",
        "sql_dumps/latest.sql": "120000",
        "sql_dumps/.delta_base/dump.sql": "100644",
        "sql_dumps/.gitattributes": "100644",
        "sql_dumps/.delta_base/README.md": "100644",
        "sql_dumps/README.md": "100644",
        "sql_dumps/dumps.svg": "100644",
        RATCHET: "100644",
    }
    assert git(pipeline.clone, "rev-parse", f"{published.commit}^@") == parent
    assert pipeline.head() == pipeline.remote_head() == published.commit
    assert pipeline.latest() == dump
    assert git(pipeline.clone, "status", "--porcelain") == ""
    assert listing(pipeline.staged) == []


def test_what_lies_in_the_work_tree_is_what_the_manifest_says(pipeline: Pipeline) -> None:
    _, published = pipeline.first_night()
    latest = (pipeline.dumps / "latest.sql").resolve(strict=True)
    assert latest.name == published.manifest.dump
    assert hashlib.sha256(latest.read_bytes()).hexdigest() == published.manifest.sha256
    assert (
        json.loads(latest.with_suffix(".json").read_text())["sha256"] == published.manifest.sha256
    )


def test_subject_trailers_and_author_tell_a_person_and_a_program(pipeline: Pipeline) -> None:
    pipeline.repo(author_name="Night Shift", author_email="night@example.com")
    _, published = pipeline.night()
    manifest = published.manifest
    people = git(pipeline.clone, "log", "-1", "--format=%an <%ae>|%cn <%ce>", "main")
    assert people == "Night Shift <night@example.com>|Night Shift <night@example.com>"
    subject = git(pipeline.clone, "log", "-1", "--format=%s", "main")
    assert subject == f"Dump {manifest.dump.removesuffix('.sql')}: 200 organizations"
    trailers = _trailers(pipeline.clone, "main")
    assert parse_records(trailers.pop("Records")) == manifest.rows
    assert trailers == {
        "Dump": manifest.dump,
        "Sha256": manifest.sha256,
        "Mark": "200",
        "Run": "test-run",
        "Proof": "off",
    }


def test_a_mark_that_does_not_rise_is_not_written_again(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.change()
    _, published = pipeline.night()
    assert published.commit is not None
    assert RATCHET not in _changed_files(pipeline.clone, published.commit)
    assert len(_changed_files(pipeline.clone, published.commit)) == 6


def test_unchanged_data_make_no_commit_and_name_the_one_that_stands(pipeline: Pipeline) -> None:
    _, first = pipeline.first_night()
    git(pipeline.clone, "commit", "-q", "--allow-empty", "-m", "Data update for 2025-08-10")
    git(pipeline.clone, "push", "-q", "origin", "main")
    before = pipeline.picture()
    _, second = pipeline.night()
    assert (second.status, second.commit) == ("unchanged", first.commit)
    assert second.manifest == first.manifest
    assert pipeline.picture() == before


def test_with_pushing_disabled_the_commit_stays_here_until_it_is_enabled(
    pipeline: Pipeline,
) -> None:
    theirs = pipeline.remote_head()
    pipeline.repo(push_enabled=False)
    _, published = pipeline.night()
    assert published.error() is None and not published.delivery.pushed
    assert pipeline.head() == published.commit
    assert pipeline.remote_head() == theirs
    pipeline.repo(push_enabled=True)
    _, later = pipeline.night()
    assert later.status == "unchanged" and later.delivery.pushed
    assert pipeline.remote_head() == published.commit


def test_a_staged_dump_that_somebody_changed_is_not_published(pipeline: Pipeline) -> None:
    staged = dump(pipeline.settings).path
    assert staged is not None
    with staged.open("ab") as file:
        file.write(b"-- one more line\n")
    before = pipeline.picture()
    described = json.loads(staged.with_suffix(".json").read_text())["sha256"]
    found = hashlib.sha256(staged.read_bytes()).hexdigest()
    with pytest.raises(DumpDamaged) as damaged:
        publish(pipeline.settings)
    assert damaged.value.exit_code == 4
    assert damaged.value.render() == (
        f"staged dump {staged.name} has SHA-256 {found[:12]}…, "
        f"its manifest says {described[:12]}…\n"
        f"HINT: somebody changed `{staged}`; remove it and dump again."
    )
    assert pipeline.picture() == before


def test_a_staged_dump_without_its_manifest_is_swept_away(pipeline: Pipeline) -> None:
    _, published = pipeline.first_night()
    pipeline.change()
    staged = dump(pipeline.settings).path
    assert staged is not None
    staged.with_suffix(".json").unlink()
    assert publish(pipeline.settings).commit == published.commit
    assert listing(pipeline.staged) == []


def test_an_older_dump_never_takes_the_place_of_a_newer_one(pipeline: Pipeline) -> None:
    """Two machines dump one database; the one that dumped first publishes last."""
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    first = dump(pipeline.settings).path
    assert first is not None
    wait_for_a_later_name(first.name)
    pipeline.change()
    _, newer = other.night()
    before = pipeline.picture()["head"]
    with pytest.raises(DataRepoError) as older:
        publish(pipeline.settings)
    assert re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "THEN", older.value.render()) == (
        f"{other.latest()} was published and is newer than this dump: its snapshot is of THEN, "
        "this one's of THEN\nHINT: run again, which dumps anew. If nobody else publishes this "
        "database, look at the clock of its server."
    )
    assert (pipeline.head(), pipeline.remote_head()) == (before, newer.commit)
    assert dump(pipeline.settings).status == "staged"
    assert publish(pipeline.settings).commit == newer.commit


def test_without_any_dump_there_is_nothing_to_publish(pipeline: Pipeline) -> None:
    before = pipeline.picture()
    with pytest.raises(DataRepoError) as told:
        publish(pipeline.settings)
    assert told.value.render() == (
        "there is no dump to publish: none is staged, and none was published before\n"
        "HINT: materialize `sql_dump` first, or run `ppr-assets dump`."
    )
    assert pipeline.picture() == before


def test_a_missing_clone_is_made(pipeline: Pipeline, tmp_path: Path) -> None:
    elsewhere = pipeline.elsewhere(tmp_path / "volume" / "fresh")
    _, published = elsewhere.night()
    assert pipeline.remote_head() == published.commit
    assert git(elsewhere.clone, "status", "--porcelain") == ""
    assert (elsewhere.dumps / "latest.sql").resolve(strict=True).name == published.manifest.dump


def test_the_first_commit_of_an_empty_repository_is_a_dump(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    remote, clone = tmp_path / "empty.git", tmp_path / "unborn"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "init", "-q", "-b", "main", str(clone))
    git(clone, "remote", "add", "origin", str(remote))
    unborn = replace(pipeline.elsewhere(clone), remote=remote)
    unborn.repo(url=str(remote))
    dumped, published = unborn.night()
    assert dumped.manifest is not None and dumped.manifest.publication is None
    assert git(clone, "rev-list", "--count", "main") == "1"
    assert unborn.remote_head() == published.commit
    assert git(clone, "status", "--porcelain") == ""


def test_a_bare_clone_is_published_in(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", pipeline.remote, path], check=True)
    bare = pipeline.elsewhere(path)
    _, published = bare.night()
    assert bare.head() == bare.remote_head() == published.commit
    assert bare.night()[1].status == "unchanged"


def test_a_folder_that_is_no_repository_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "somebody's.txt").write_text("mine")
    with pytest.raises(DataRepoError, match="is not a git repository") as refused:
        pipeline.elsewhere(tmp_path / "folder").night()
    assert refused.value.exit_code == 6
    assert listing(tmp_path / "folder") == ["somebody's.txt"]


def test_after_a_night_gits_plumbing_finds_nothing_modified(pipeline: Pipeline) -> None:
    """Scripts ask `diff-index`, which does not look into files whose times have changed."""
    for _ in range(2):
        pipeline.night()
        git(pipeline.clone, "diff-index", "--quiet", "HEAD")
        git(pipeline.clone, "diff-files", "--quiet")
        pipeline.change()
