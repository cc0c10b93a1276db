"""A documented variable changes something: what is read, and what somebody does with that."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from ppr_assets.settings import (
    VARIABLES,
    AlertSettings,
    CopySettings,
    DatabaseSettings,
    DataRepoSettings,
    DumpSettings,
    KeepSettings,
    ScheduleSettings,
    Settings,
    env_file,
)
from ppr_assets_tests.places import ROOT

OTHER = {
    "POSTGRES_HOST": "/run/postgresql",
    "POSTGRES_PORT": "5433",
    "POSTGRES_USER": "reader",
    "POSTGRES_DB": "hsds",
    "POSTGRES_SSLMODE": "verify-full",
    "POSTGRES_SSLROOTCERT": "system",
    "POSTGRES_SSLCERT": "/etc/ssl/reader.crt",
    "POSTGRES_SSLKEY": "/etc/ssl/reader.key",
    "POSTGRES_PASSWORD": "pw",
    "POSTGRES_PASSWORD_FILE": "{file}",
    "PPR_DIRECT_HOST": "db1.example.org",
    "PPR_DIRECT_PORT": "6432",
    "DATA_REPO_PATH": "/srv/clone",
    "DATA_REPO_URL": "https://example.org/data.git",
    "DATA_REPO_PUBLIC_URL": "https://mirror.example.org/data.git",
    "DATA_REPO_BRANCH": "data/backups",
    "DATA_REPO_TOKEN": "token",
    "DATA_REPO_TIMEOUT_SECONDS": "12.5",
    "DATA_REPO_WARN_GB": "0.5",
    "DATA_REPO_MAX_GB": "1",
    "SQL_DUMP_DIR": "dumps",
    "SQL_DUMP_PAGE": "false",
    "SQL_DUMP_MIN_RECORDS": "5",
    "SQL_DUMP_RATCHET_PERCENTAGE": "0.925",
    "SQL_DUMP_RATCHET_TABLES": "all",
    "SQL_DUMP_STALL_SECONDS": "30",
    "SQL_DUMP_PROOF": "off",
    "SQL_DUMP_PROOF_WITHOUT": "event trigger",
    "SQL_DUMP_SEARCH_PATH": "hsds",
    "SQL_DUMP_MIN_CORE_SHARE": "0",
    "SQL_DUMP_MAX_POINT_SHARE": "0.5",
    "SQL_DUMP_POLICY_FILE": "/etc/publication.toml",
    "PPR_PROOF_HOST": "proof.example.org",
    "PPR_PROOF_PORT": "5434",
    "PPR_PROOF_USER": "prover",
    "PPR_PROOF_DB": "template1",
    "PPR_PROOF_SSLMODE": "require",
    "PPR_PROOF_PASSWORD": "pw",
    "PPR_PROOF_PASSWORD_FILE": "{file}",
    "SQL_DUMP_MAX_FILE_MB": "0",
    "SQL_DUMP_KEEP_LAST": "all",
    "SQL_DUMP_KEEP_DAILY": "1",
    "SQL_DUMP_KEEP_WEEKLY": "2",
    "SQL_DUMP_KEEP_MONTHLY": "0",
    "SQL_DUMP_KEEP_YEARLY": "3",
    "PPR_COPY_URLS": "/srv/copies s3://bucket/copies",
    "PPR_COPY_SQLITE": "true",
    "PPR_COPY_KEEP_LAST": "all",
    "PPR_COPY_KEEP_DAILY": "1",
    "PPR_COPY_KEEP_WEEKLY": "2",
    "PPR_COPY_KEEP_MONTHLY": "0",
    "PPR_COPY_KEEP_YEARLY": "3",
    "ALLOW_EMPTY_SQL_DUMP": "yes",
    "PPR_OPERATOR": "Ann Lee",
    "SQL_DUMP_CRON": "30 3 * * 0",
    "SQL_DUMP_TIMEZONE": "America/New_York",
    "PUBLISHER_PUSH_ENABLED": "1",
    "GIT_USER_NAME": "Zoë",
    "GIT_USER_EMAIL": "zoe@example.org",
    "PPR_ALERT_URLS": "https://hooks.example.org/T0/token",
    "PPR_HEARTBEAT_URL": "https://hc.example.org/uuid",
    "PPR_DAGSTER_URL": "https://dagster.example.org",
    "PPR_ALERT_MAX_AGE_HOURS": "50",
    "PPR_ALERT_UNDELIVERED_HOURS": "1.5",
    "PPR_ALERT_DISK_FREE_PERCENT": "5",
    "SKIP_DB_INIT": "on",
    "DB_INIT_DAYS_TO_SYNC": "7",
    "TESTING": "TRUE",
    "DAGSTER_HOME": "/srv/dagster",
    "DAGSTER_POSTGRES_URL": "postgresql://dagster:pw@db/dagster",
    "PPR_ASSETS_ENV_FILE": "{file}",
}
"""A value other than the default for each variable; ``{file}`` is one with a line in it."""


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
def test_another_value_makes_other_settings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "file"
    file.write_text("POSTGRES_DB=from_file\n")
    others = {"PPR_PROOF_HOST": "proof"} if name.startswith("PPR_PROOF_") else {}
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
    for given, value in others.items():
        monkeypatch.setenv(given, value)
    before = Settings.from_environment(dotenv=env_file())
    monkeypatch.setenv(name, OTHER[name].format(file=file))
    assert Settings.from_environment(dotenv=env_file()) != before


@pytest.mark.slow
def test_each_setting_is_asked_for() -> None:
    groups = (
        DatabaseSettings,
        DataRepoSettings,
        DumpSettings,
        KeepSettings,
        CopySettings,
        ScheduleSettings,
        AlertSettings,
        Settings,
    )
    names = {one.name for group in groups for one in fields(group)}
    assert names <= set(_asked_for())


def _asked_for() -> Iterator[str]:
    """Names of attributes in the code; in the settings those that methods take from ``self``."""
    for path in sorted((ROOT / "ppr_assets").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and (
                path.parent.name != "settings" or ast.unparse(node.value) == "self"
            ):
                yield node.attr
