"""Everything that is done in a clone works in the partial one that is made here."""

from __future__ import annotations

import os

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.operations.audit import Scope, audit
from ppr_assets.operations.published.listing import list_history, list_published
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.operations.verify_all import verify_dumps
from ppr_assets.plain_sql.dump_file import stored_bytes
from ppr_assets.settings import KeepSettings
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.opened import keep_small

TWO = KeepSettings(last=2, daily=0, weekly=0, monthly=0, yearly=0)


@pytest.fixture(params=[None, 250_000], ids=["one file", "in parts"])
def ours(request: pytest.FixtureRequest, pipeline: Pipeline) -> Pipeline:
    """A clone made here, of a remote with three dumps, one of them retired, and a publication of
    a megabyte that nobody needs for dumps."""
    git(pipeline.remote, "config", "uploadpack.allowFilter", "true")
    pipeline.gate(keep=TWO, max_file_bytes=request.param)
    for _ in range(3):
        pipeline.change()
        pipeline.night()
    noise: dict[str, str | None] = {
        f"daily/a/{number}.json": os.urandom(50_000).hex() for number in range(10)
    }
    commit_files(pipeline.clone, "Data update", noise)
    git(pipeline.clone, "push", "-q", "origin", "main")
    other = pipeline.elsewhere(pipeline.clone.parent / "ours")
    assert open_data_repo(other.settings.data_repo).partial
    return other


def _missing(pipeline: Pipeline) -> list[str]:
    listing = git(pipeline.clone, "rev-list", "--objects", "--missing=print", "main")
    return [line[1:] for line in listing.splitlines() if line.startswith("?")]


def test_nights_publish_kilobytes_from_it_and_keep_it_small(
    ours: Pipeline, pipeline: Pipeline
) -> None:
    away = _missing(ours)
    ours.change()
    _, first = ours.night()
    whole = first.manifest.bytes
    assert first.delivery.pushed
    assert first.delivery.bytes < whole / 20
    git(pipeline.clone, "pull", "-q")
    commit_files(pipeline.clone, "Data update", {"daily/a/0.json": os.urandom(50_000).hex()})
    git(pipeline.clone, "push", "-q", "origin", "main")
    ours.change()
    _, second = ours.night()
    assert second.delivery.pushed
    assert second.delivery.bytes < whole / 20
    assert ours.remote_head() == ours.head()
    assert len(set(_missing(ours)) - set(away)) == 1
    assert git(ours.clone, "status", "--porcelain") == ""
    assert sorted(path.name for path in ours.clone.iterdir()) == [".git", "README.md", "sql_dumps"]
    assert keep_small(ours.settings.data_repo).size.total < 5_000_000


def test_what_looks_back_fetches_what_it_reads(ours: Pipeline) -> None:
    history = list_history(ours.settings.data_repo)
    assert (len(history.dumps), history.complete) == (3, True)
    assert len(list_published(ours.settings.data_repo)) == 2
    checked = verify_dumps(ours.settings.data_repo, Wanted(), every=True)
    assert all(one.verified for one in checked)
    assert [one.status for one in audit(ours.settings.data_repo, Scope())] == ["holds"]
    old = history.dumps[-1]
    blob = git(ours.remote, "rev-parse", f"{old.published.commit}:sql_dumps/{old.name}")
    assert blob in _missing(ours)
    with found_dump(ours.settings.data_repo, Wanted(at=old.published.commit)) as found:
        assert found.name == old.name
        assert stored_bytes(found.path) > 500_000
    audited = list(audit(ours.settings.data_repo, Scope(every=True)))
    assert [one.status for one in audited] == ["holds"] * 3
    # Of the publication, what explains the delta base, and the pages of the nights before.
    assert len(_missing(ours)) == 16


def test_away_from_the_remote_a_night_is_kept_and_an_old_dump_is_a_clear_error(
    ours: Pipeline,
) -> None:
    ours.remote.rename(ours.remote.with_name("away.git"))
    ours.change()
    _, published = ours.night()
    assert published.status == "published"
    assert isinstance(published.delivery.failure, RemoteUnreachable)
    old = list_history(ours.settings.data_repo).dumps[-1]
    wanted = Wanted(at=old.published.commit)
    with (
        pytest.raises(RemoteUnreachable, match="no use of remote `origin`"),
        found_dump(ours.settings.data_repo, wanted),
    ):
        pass
    with pytest.raises(RemoteUnreachable):
        list(audit(ours.settings.data_repo, Scope(every=True)))
    ours.remote.with_name("away.git").rename(ours.remote)
    ours.change()
    assert ours.night()[1].delivery.pushed
