"""What is said, and fetched, when a dump is looked for somewhere else than in the clone."""

from __future__ import annotations

import gzip
import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.errors import DataRepoError, DumpMissing, PushFailed
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_http_remote import HttpRemote, serve
from ppr_assets_tests.fix_pipeline import Pipeline, settled

pytestmark = pytest.mark.slow


def test_offline_the_newest_dump_of_the_clone_is_taken_and_that_is_said(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    with found_dump(pipeline.settings.data_repo, Wanted()) as found:
        assert found.remarks == ()
    pipeline.remote.rename(pipeline.remote.with_name("moved.git"))
    with found_dump(pipeline.settings.data_repo, Wanted()) as found:
        assert found.name == pipeline.latest()
        assert len(found.remarks) == 1
        assert found.remarks[0].startswith(
            "newer dumps may be published, as the remote was not asked: no use of remote "
        )


def test_of_another_repository_only_the_dump_that_is_meant_is_fetched(pipeline: Pipeline) -> None:
    pipeline.first_night()
    git(pipeline.remote, "config", "uploadpack.allowFilter", "true")
    older = pipeline.latest()
    pipeline.change()
    pipeline.night()
    source = pipeline.remote.as_uri()
    for wanted, name in (
        (Wanted(source=source), pipeline.latest()),
        (Wanted(source=source, dump=older), older),
        (Wanted(source=source, at="HEAD~1"), older),
    ):
        with found_dump(pipeline.settings.data_repo, wanted) as found:
            assert found.name == name
            clone = found.spill_folder / "data.git"
            objects = git(clone, "cat-file", "--batch-check", "--batch-all-objects").splitlines()
            blobs = [int(line.split()[2]) for line in objects if line.split()[1] == "blob"]
            assert found.manifest is not None
            assert [size for size in blobs if size > 100_000] == [found.manifest.bytes]
        assert settled(clone.exists) is False


@pytest.mark.parametrize("nights", [3, 60])
def test_the_newest_dump_takes_about_its_compressed_bytes_for_any_length_of_history(
    nights: int, repo_settings: DataRepoSettings, tmp_path: Path
) -> None:
    bare = tmp_path / "served" / "data.git"
    newest = grown(bare, nights)
    with (
        serve(HttpRemote(bare.parent, "", public=True)) as remote,
        found_dump(repo_settings, Wanted(source=f"{remote.url}/data.git")) as found,
    ):
        assert found.path.read_bytes() == newest
        assert remote.sent < 1.3 * len(gzip.compress(newest))


def grown(bare: Path, nights: int) -> bytes:
    """Make a repository of as many nights, whose dumps all stand in the folder;
    returns the newest dump."""
    chance, stream = random.Random(1), []
    rows = [f"{number}\t{chance.getrandbits(256):064x}\n" for number in range(10_000)]
    for night in range(nights):
        rows[night] = f"{night}\tchanged\n"
        text = "".join(rows)
        name = (
            f"sql_dumps/pantry_pirate_radio_2026-{night // 28 + 1:02}-{night % 28 + 1:02}_02-00-00"
        )
        stream.append(
            f"commit refs/heads/main\ncommitter N <n@example.com> {night} +0000\ndata 0\n"
            f"M 100644 inline {name}.sql\ndata {len(text)}\n{text}\n"
            f"M 120000 inline sql_dumps/latest.sql\ndata {len(name) - 6}\n{name[10:]}.sql\n"
        )
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "-b", "main")
    git(bare, "config", "uploadpack.allowFilter", "true")
    importing = ["git", "-C", str(bare), "fast-import", "--quiet"]
    subprocess.run(importing, input="".join(stream).encode(), check=True)
    return "".join(rows).encode()


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("no/such/folder", DumpMissing, "there is no folder `no/such/folder` to take a dump from"),
        ("http://a:hunter2@127.0.0.1:9/x.git", PushFailed, "no use of remote "),
    ],
)
def test_a_place_that_is_not_there_is_named_without_its_secrets(
    pipeline: Pipeline, source: str, error: type[DataRepoError], message: str
) -> None:
    with (
        pytest.raises(error) as raised,
        found_dump(pipeline.settings.data_repo, Wanted(source=source)),
    ):
        pass
    assert raised.value.message.startswith(message)
    assert "hunter2" not in raised.value.render()


def test_a_repository_without_dumps_is_named_without_the_secrets_of_its_url(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    secret = "https://someone:hunter2@example.org/data.git"
    config.write_text(f'[url "{pipeline.remote.as_uri()}"]\n\tinsteadOf = {secret}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with (
        pytest.raises(DumpMissing, match=r"of `https://example\.org/data\.git`$") as raised,
        found_dump(pipeline.settings.data_repo, Wanted(source=secret)),
    ):
        pass
    assert "hunter2" not in raised.value.render()


def test_a_branch_without_a_commit_has_no_dump_and_says_what_makes_one(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "fresh")
    settings = replace(pipeline.settings.data_repo, path=tmp_path / "fresh", url=None)
    with (
        pytest.raises(DumpMissing, match="has no commit yet") as raised,
        found_dump(settings, Wanted()),
    ):
        pass
    assert "`ppr-assets dump`" in raised.value.hint
