"""Who does not answer is told of in time for a monitor."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.operations.status import status
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a server that takes calls and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/data.git"


def test_a_remote_that_never_answers_and_a_locked_table_are_errors_after_a_while(
    pipeline: Pipeline, mute: str
) -> None:
    pipeline.first_night()
    git(pipeline.clone, "remote", "set-url", "origin", mute)
    data_repo = replace(pipeline.settings.data_repo, url=mute)
    with connect(pipeline.settings.database) as locking, locking.transaction():
        locking.execute("LOCK TABLE public.organization")
        found = status(replace(pipeline.settings, data_repo=data_repo), patience_seconds=4)
    remote, locked = (error.message for error in found.errors)
    assert "origin" in remote
    assert "organization" in locked
    assert found.repository is not None
    assert found.repository.latest == pipeline.latest()
    assert found.counts is None
    assert (
        found.errors[0].hint
        == "does the remote, a credential helper or ssh hang? `ppr-assets doctor` waits longer."
    )


def test_what_a_remote_that_answers_has_is_fetched_in_the_time_that_it_takes(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.first_night()
    other = pipeline.clone_again("somebody")
    newer = commit_files(other, "More words", {"README.md": "more words"})
    git(other, "push", "--quiet", "origin", "HEAD:main")
    slow, config = tmp_path / "slow", tmp_path / "config"
    slow.write_text('#!/bin/sh\nsleep 4.5\nexec "$@"\n')
    slow.chmod(0o755)
    git(tmp_path, "config", "--file", str(config), "uploadpack.packObjectsHook", str(slow))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    found = status(pipeline.settings, patience_seconds=4)
    assert found.errors == ()
    assert found.repository is not None
    assert found.repository.view.remote == newer


def test_a_first_clone_has_its_own_limit_also_in_an_empty_folder(
    pipeline: Pipeline, mute: str, tmp_path: Path
) -> None:
    """Such as a volume that was mounted just now."""
    (tmp_path / "mounted").mkdir()
    data_repo = replace(
        pipeline.settings.data_repo, path=tmp_path / "mounted", url=mute, timeout_seconds=2.0
    )
    found = status(replace(pipeline.settings, data_repo=data_repo), patience_seconds=1)
    assert "did not end within 2 seconds" in found.errors[0].message
