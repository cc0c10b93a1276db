from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ppr_assets.errors import SettingsError
from ppr_assets.settings import VARIABLES, DatabaseSettings, Secret
from ppr_assets.settings.variable import (
    NONE,
    REQUIRED,
    Variable,
    read_fields,
    read_password,
    variable_of,
)

IDS = [variable.name for variable in VARIABLES]
PORT = variable_of(DatabaseSettings, "port")


def test_names_and_defaults_are_the_documented_ones() -> None:
    assert {variable.name: variable.default for variable in VARIABLES} == {
        "POSTGRES_HOST": "db",
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": "pantry_pirate_radio",
        "POSTGRES_DB": "pantry_pirate_radio",
        "POSTGRES_SSLMODE": "none",
        "POSTGRES_SSLROOTCERT": "none",
        "POSTGRES_SSLCERT": "none",
        "POSTGRES_SSLKEY": "none",
        "POSTGRES_PASSWORD": "required",
        "POSTGRES_PASSWORD_FILE": "none",
        "PPR_DIRECT_HOST": "none",
        "PPR_DIRECT_PORT": "none",
        "DATA_REPO_PATH": "/data-repo",
        "DATA_REPO_URL": "none",
        "DATA_REPO_PUBLIC_URL": "none",
        "DATA_REPO_BRANCH": "main",
        "DATA_REPO_TOKEN": "none",
        "DATA_REPO_TIMEOUT_SECONDS": "600",
        "DATA_REPO_WARN_GB": "5",
        "DATA_REPO_MAX_GB": "10",
        "SQL_DUMP_DIR": "./sql_dumps",
        "SQL_DUMP_PAGE": "true",
        "SQL_DUMP_MIN_RECORDS": "100",
        "SQL_DUMP_RATCHET_PERCENTAGE": "0.9",
        "SQL_DUMP_RATCHET_TABLES": "organization,location,service",
        "SQL_DUMP_STALL_SECONDS": "300",
        "SQL_DUMP_PROOF": "server",
        "SQL_DUMP_PROOF_WITHOUT": "none",
        "SQL_DUMP_POLICY_FILE": "none",
        "SQL_DUMP_MIN_CORE_SHARE": "0.1",
        "SQL_DUMP_MAX_POINT_SHARE": "0.25",
        "SQL_DUMP_SEARCH_PATH": "none",
        "PPR_PROOF_HOST": "none",
        "PPR_PROOF_PORT": "5432",
        "PPR_PROOF_USER": "postgres",
        "PPR_PROOF_DB": "postgres",
        "PPR_PROOF_SSLMODE": "none",
        "PPR_PROOF_PASSWORD": "none",
        "PPR_PROOF_PASSWORD_FILE": "none",
        "SQL_DUMP_MAX_FILE_MB": "95",
        "SQL_DUMP_KEEP_LAST": "7",
        "SQL_DUMP_KEEP_DAILY": "7",
        "SQL_DUMP_KEEP_WEEKLY": "4",
        "SQL_DUMP_KEEP_MONTHLY": "12",
        "SQL_DUMP_KEEP_YEARLY": "0",
        "PPR_COPY_URLS": "none",
        "PPR_COPY_SQLITE": "false",
        "PPR_COPY_KEEP_LAST": "7",
        "PPR_COPY_KEEP_DAILY": "30",
        "PPR_COPY_KEEP_WEEKLY": "8",
        "PPR_COPY_KEEP_MONTHLY": "24",
        "PPR_COPY_KEEP_YEARLY": "all",
        "ALLOW_EMPTY_SQL_DUMP": "false",
        "PPR_OPERATOR": "none",
        "SQL_DUMP_CRON": "0 2 * * *",
        "SQL_DUMP_TIMEZONE": "UTC",
        "PUBLISHER_PUSH_ENABLED": "false",
        "GIT_USER_NAME": "Pantry Pirate Radio Publisher",
        "GIT_USER_EMAIL": "pantry-pirate-radio@example.com",
        "PPR_ALERT_URLS": "none",
        "PPR_HEARTBEAT_URL": "none",
        "PPR_DAGSTER_URL": "none",
        "PPR_ALERT_MAX_AGE_HOURS": "26",
        "PPR_ALERT_UNDELIVERED_HOURS": "6",
        "PPR_ALERT_DISK_FREE_PERCENT": "10",
        "SKIP_DB_INIT": "false",
        "DB_INIT_DAYS_TO_SYNC": "90",
        "TESTING": "false",
        "DAGSTER_HOME": "none",
        "DAGSTER_POSTGRES_URL": "none",
        "PPR_ASSETS_ENV_FILE": ".env",
    }


def test_every_variable_is_documented_once() -> None:
    assert len(set(IDS)) == len(IDS)


def test_a_field_without_a_variable_is_what_was_given() -> None:
    database = read_fields(DatabaseSettings, {"POSTGRES_PORT": "5433"}, search_path=("hsds",))
    assert (database.port, database.search_path) == (5433, ("hsds",))


def test_a_field_holds_the_default_where_it_is_made_without_a_value() -> None:
    assert DatabaseSettings(host="elsewhere") == read_fields(
        DatabaseSettings, {"POSTGRES_HOST": "elsewhere"}
    )


@pytest.mark.parametrize("variable", VARIABLES, ids=IDS)
def test_every_default_is_usable(variable: Variable[Any]) -> None:
    if variable.default in (NONE, REQUIRED):
        assert not variable.read({})
    else:
        assert variable.read({}) == variable.read({variable.name: variable.default})


@pytest.mark.parametrize("variable", VARIABLES, ids=IDS)
def test_an_empty_text_is_the_default(variable: Variable[Any]) -> None:
    assert variable.text({variable.name: ""}) is None
    assert (variable.read({variable.name: ""}) or None) == (variable.read({}) or None)


@pytest.mark.parametrize("variable", VARIABLES, ids=IDS)
def test_the_descriptions_fit_a_table(variable: Variable[Any]) -> None:
    for text in (variable.description, variable.kind.must_be, variable.default):
        assert re.fullmatch(r"\S([^\n|]*[^\s.|])?", text)


@pytest.mark.parametrize("variable", VARIABLES, ids=IDS)
def test_a_line_break_in_a_value_is_refused_by_name(variable: Variable[Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        variable.read({variable.name: "a\nb"})
    assert caught.value.message.startswith(f"{variable.name} is ")
    assert caught.value.message.endswith(f", must be {variable.kind.must_be}")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("variable", [v for v in VARIABLES if v.secret], ids=lambda v: str(v.name))
def test_an_unusable_secret_is_not_shown(variable: Variable[Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        variable.read({variable.name: "hunter2\n"})
    assert "hunter2" not in caught.value.render()
    assert caught.value.__cause__ is None


def test_the_secrets_are_these() -> None:
    assert {variable.name for variable in VARIABLES if variable.secret} == {
        "POSTGRES_PASSWORD",
        "PPR_PROOF_PASSWORD",
        "DATA_REPO_TOKEN",
        "DAGSTER_POSTGRES_URL",
        "PPR_ALERT_URLS",
        "PPR_HEARTBEAT_URL",
        "PPR_COPY_URLS",
    }


def test_a_long_value_is_shown_by_its_beginning() -> None:
    with pytest.raises(SettingsError) as caught:
        PORT.read({"POSTGRES_PORT": "7" * 5000})
    assert caught.value.message == (
        f"POSTGRES_PORT is `{'7' * 80}…`, must be a port from 1 to 65535"
    )


def test_blanks_around_a_value_do_not_matter_but_in_a_secret() -> None:
    assert PORT.read({"POSTGRES_PORT": " 5433 "}) == 5433
    password = variable_of(DatabaseSettings, "password")
    assert password.read({"POSTGRES_PASSWORD": " a "}) == Secret(" a ")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a-file"


@pytest.mark.parametrize("content", ["pass w0rd", "pass w0rd\n", "pass w0rd\r\n"])
def test_one_line_ending_is_not_part_of_the_password(file: Path, content: str) -> None:
    file.write_bytes(content.encode())
    assert read_password(file, "POSTGRES_PASSWORD_FILE") == "pass w0rd"


@pytest.mark.parametrize("content", [" a ", "Zoë", "# a"])
def test_everything_else_on_the_line_is_part_of_the_password(file: Path, content: str) -> None:
    file.write_text(content + "\n")
    assert read_password(file, "POSTGRES_PASSWORD_FILE") == content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"hunter2\nhunter3\n", "has more than one printable line"),
        (b"hunter2\n\n", "has more than one printable line"),
        (b"hunter2\0", "has more than one printable line"),
        (b"hunter2\xff", "is not UTF-8"),
    ],
)
def test_a_file_that_holds_no_password_is_named_unseen(
    file: Path, content: bytes, why: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_password(file, "POSTGRES_PASSWORD_FILE")
    assert f"POSTGRES_PASSWORD_FILE `{file}` {why}" in caught.value.message
    assert "hunter" not in caught.value.render()
    assert caught.value.__cause__ is None  # a decoding error carries the bytes


def test_a_missing_password_file_is_named(file: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_password(file, "POSTGRES_PASSWORD_FILE")
    assert caught.value.message == (
        f"POSTGRES_PASSWORD_FILE `{file}` cannot be read: no such file or directory"
    )


def test_a_password_file_that_is_a_folder_is_named(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read: is a directory"):
        read_password(file, "POSTGRES_PASSWORD_FILE")
