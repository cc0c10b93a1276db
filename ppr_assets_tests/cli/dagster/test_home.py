"""Where Dagster's storage lies, as ``doctor`` tells it: whoever looks for a run has to find it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ppr_assets.cli.dagster.home import dagster_home, dagster_instance, storage_of
from ppr_assets.settings import Secret, Settings
from ppr_assets_tests.places import ROOT

URL = Secret("postgresql+psycopg2://somebody:recognisable-4711@db.example.org:5433/dagster")
NAMED = "storage: database dagster on db.example.org (DAGSTER_POSTGRES_URL), which answers"


def test_in_a_clone_it_is_the_folders_own_server_or_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    server = tmp_path / ".local/postgres"
    told = f"storage: database dagster of the embedded server in {server}"
    assert storage_of(None, None) == told
    assert storage_of(None, URL) == NAMED


def test_where_it_is_installed_it_is_files_beside_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert storage_of(None, None) == f"storage: files in {tmp_path}/.local/dagster"


def test_a_home_of_ones_own_says_it_in_its_dagster_yaml(tmp_path: Path) -> None:
    assert storage_of(tmp_path, None) == f"storage: files in {tmp_path}"
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    assert storage_of(tmp_path, URL) == NAMED
    assert storage_of(tmp_path, None) == f"storage: the server that {tmp_path}/dagster.yaml names"


def test_a_home_without_configuration_sends_no_statistics_and_one_of_ones_own_stays(
    tmp_path: Path,
) -> None:
    settings = Settings.from_environment(
        {"POSTGRES_PASSWORD": "", "DAGSTER_HOME": str(tmp_path)}, dotenv=None
    )
    with dagster_instance(settings) as instance:
        assert (instance.telemetry_enabled, instance.nux_enabled) == (False, False)
    own = "run_monitoring: {enabled: true}\n"
    (tmp_path / "dagster.yaml").write_text(own)
    with dagster_home(settings):
        assert (tmp_path / "dagster.yaml").read_text() == own


@pytest.mark.parametrize(
    ("config", "capturing"),
    [
        (None, "NoOpComputeLogManager"),
        ("telemetry: {enabled: false}\n", "NoOpComputeLogManager"),
        (
            "compute_logs: {module: dagster._core.storage.local_compute_log_manager, "
            "class: LocalComputeLogManager, config: {base_dir: /tmp}}\n",
            "LocalComputeLogManager",
        ),
        (
            '{"compute_logs": {"module": "dagster._core.storage.local_compute_log_manager", '
            '"class": "LocalComputeLogManager", "config": {"base_dir": "/tmp"}}}',
            "LocalComputeLogManager",
        ),
    ],
)
def test_what_a_run_prints_is_captured_only_where_dagster_yaml_says_where_to(
    tmp_path: Path, config: str | None, capturing: str
) -> None:
    """Four processes of Dagster's would copy it for the UI; there is nothing but its own log."""
    if config is not None:
        (tmp_path / "dagster.yaml").write_text(config)
    settings = Settings.from_environment(
        {"POSTGRES_PASSWORD": "", "DAGSTER_HOME": str(tmp_path)}, dotenv=None
    )
    with dagster_instance(settings) as instance:
        assert type(instance.compute_log_manager).__name__ == capturing


def test_a_socket_is_named_by_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    url = Secret("postgresql://user@/dagster?host=/run/sockets")
    assert "database dagster on /run/sockets (" in storage_of(None, url)
