"""Who does not answer is told of in time for a monitor."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ppr_assets.operations.status import status
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets_tests.fix_git import git
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
