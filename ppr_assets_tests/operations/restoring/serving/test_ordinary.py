"""Which databases are no targets, however their server is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ppr_assets.errors import SettingsError
from ppr_assets.operations.restoring.serving.ordinary import require_not_storage
from ppr_assets.settings import DatabaseSettings, Secret


@pytest.mark.parametrize(
    ("storage", "host"),
    [
        ("postgresql://dagster:pw@localhost:5432/runs", "127.0.0.1"),
        ("postgresql://dagster:pw@127.0.0.1/runs", "localhost"),
        ("postgresql+psycopg2://dagster:pw@localhost/runs", "/var/run/postgresql"),
        ("postgresql:///runs?host=/run/postgresql", "/var/run/postgresql"),
        ("postgresql:///runs", "127.0.1.1"),
        ("postgresql://dagster:pw@[::1]/runs", "127.0.0.1"),
        ("postgresql://dagster:pw@db.invalid/runs", "db.invalid"),
    ],
)
def test_the_database_of_dagsters_runs_is_none_by_any_name_of_its_server(
    storage: str, host: str, database: DatabaseSettings
) -> None:
    target = replace(database, host=host, port=5432, dbname="runs")
    with pytest.raises(SettingsError, match="database runs is the one that Dagster keeps its runs"):
        require_not_storage(target, Secret(storage))


def test_it_is_none_by_the_name_of_a_pooler_either(database: DatabaseSettings) -> None:
    target = replace(database, host="db.invalid", dbname="runs", named=("127.0.0.1", 6432))
    with pytest.raises(SettingsError, match="database runs is the one that Dagster keeps its runs"):
        require_not_storage(target, Secret("postgresql://dagster:pw@localhost:6432/runs"))


@pytest.mark.parametrize(
    "storage",
    [
        "postgresql://dagster:pw@localhost:5433/runs",
        "postgresql://dagster:pw@localhost:5432/records",
        "postgresql://dagster:pw@192.0.2.7:5432/runs",
        "postgresql://dagster:pw@db.invalid/runs",
    ],
)
def test_another_database_server_or_port_is_no_reason_to_refuse(
    storage: str, database: DatabaseSettings
) -> None:
    require_not_storage(
        replace(database, host="127.0.0.1", port=5432, dbname="runs"), Secret(storage)
    )
    require_not_storage(replace(database, host="127.0.0.1", port=5432, dbname="runs"), None)
