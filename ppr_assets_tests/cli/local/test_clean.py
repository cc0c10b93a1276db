"""What ``make clean`` may not remove with the demo's folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ppr_assets.cli.local.clean import foreign, stop_and_look
from ppr_assets.cli.shared.local_server import server_in_use
from ppr_assets.demo import playground
from ppr_assets.errors import Busy, PprError
from ppr_assets.postgres import embedded


@pytest.fixture
def local(
    server_folder: Path, git_environment: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """``.local`` as demo and dev leave it, in a working folder, its server stopped."""
    monkeypatch.chdir(server_folder)
    folder = Path(".local")
    with server_in_use():
        world = playground.open_playground(folder)
        world.server.create_database(playground.DATABASE)
        playground.fresh_data_repository(world)
        for name in ("dagster/logs", "dagster/.logs_queue", "dagster/storage"):
            (folder / name).mkdir(parents=True)
        (folder / "dagster/dagster.yaml").touch()
    yield folder
    embedded.stop(folder / "postgres")


def test_the_demos_own_is_nothing_foreign_and_a_real_history_is(local: Path) -> None:
    stop_and_look()
    assert embedded.find(local / "postgres") is None

    embedded.start(local / "postgres").create_database("dagster")
    (local / "keys").touch()
    (local / "dagster/history").mkdir()
    subprocess.run(
        ["git", "-C", local / "data-repo", "remote", "set-url", "origin", "https://example.org/a"],
        check=True,
    )
    with pytest.raises(PprError) as told:
        stop_and_look()
    assert told.value.message == (
        "`.local` holds more than the demo's, so nothing was removed: `.local/keys`, "
        "`.local/dagster/history`, Dagster's own files, "
        "`.local/data-repo`, a clone of https://example.org/a, database dagster of "
        "`.local/postgres`"
    )
    assert "mv .local SOMEWHERE" in told.value.hint
    assert embedded.find(local / "postgres") is None


def test_a_folder_in_use_is_left_to_who_uses_it(local: Path) -> None:
    with server_in_use():
        server = embedded.start(local / "postgres")
        with pytest.raises(Busy, match=r"a demo, `make dev` or a dump works in"):
            stop_and_look()
        assert embedded.find(local / "postgres") is not None
        assert server.port


def test_a_folder_without_a_server_gets_none_to_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    assert list(foreign(tmp_path)) == []
    assert list((tmp_path / "postgres").iterdir()) == []
