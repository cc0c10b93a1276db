"""dagster.yaml, read as Dagster reads it, on a real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets_tests.application import connect
from ppr_assets_tests.places import ROOT

DATABASE = "dagster_yaml"
PASSWORD = "recognisable-4711"  # the embedded server trusts its owner, whatever the password


@dg.asset
def counted() -> int:
    return 1


@dg.op
def refuse() -> None:
    raise dg.Failure("refused", allow_retries=False)


@dg.job
def refused() -> None:
    refuse()


@pytest.fixture(params=["postgresql", "postgresql+psycopg2"])
def instance(
    request: pytest.FixtureRequest,
    embedded_server: EmbeddedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[dg.DagsterInstance]:
    """An instance on the project's dagster.yaml, with both ways of writing its URL."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    embedded_server.create_database(DATABASE)
    url = embedded_server.url(DATABASE).replace("@", f":{PASSWORD}@", 1)
    url = url.replace("postgresql:", f"{request.param}:", 1)
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance
    with connect(embedded_server.database_settings("postgres"), autocommit=True) as session:
        session.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def test_runs_and_their_events_are_kept_in_postgresql(
    instance: dg.DagsterInstance, embedded_server: EmbeddedServer
) -> None:
    run = dg.materialize([counted], instance=instance)
    with connect(embedded_server.database_settings(DATABASE)) as session:
        stored = _count(session, "SELECT count(*) FROM event_logs WHERE run_id = %s", run.run_id)
    assert run.success
    assert stored == len(instance.all_logs(run.run_id)) > 0


def test_a_step_that_failed_is_not_tried_again(instance: dg.DagsterInstance) -> None:
    run = refused.execute_in_process(instance=instance, raise_on_error=False)
    kept = instance.get_run_by_id(run.run_id)
    assert kept is not None
    assert kept.tags["dagster/will_retry"] == "false"
    assert instance.run_retries_enabled
    assert not instance.run_retries_retry_on_asset_or_op_failure


def test_a_pool_takes_one_run_at_a_time(instance: dg.DagsterInstance) -> None:
    pools = instance.get_concurrency_config().pool_config
    assert pools.default_pool_limit == 1
    assert pools.pool_granularity is not None
    assert pools.pool_granularity.value == "run"


def test_a_run_that_hangs_is_ended_and_nothing_is_told_to_anybody(
    instance: dg.DagsterInstance,
) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_runtime_seconds > 0
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


def test_the_url_and_its_password_are_handed_on_by_name_only(instance: dg.DagsterInstance) -> None:
    """What the UI shows, and the reference that runs of their own process get in their argv."""
    reference = str(instance.get_ref().to_dict())
    assert "DAGSTER_POSTGRES_URL" in reference
    assert PASSWORD not in reference
    assert PASSWORD not in instance.info_str()


def test_without_its_variable_dagster_stops_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.delenv("DAGSTER_POSTGRES_URL", raising=False)
    with pytest.raises(Exception, match="DAGSTER_POSTGRES_URL"):
        dg.DagsterInstance.from_config(str(tmp_path))


def _count(session: psycopg.Connection, query: str, *parameters: object) -> int:
    row = session.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return int(row[0])
