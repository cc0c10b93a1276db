from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path

import pytest

from ppr_assets.errors import SettingsError
from ppr_assets.settings import (
    AlertSettings,
    DatabaseSettings,
    DataRepoSettings,
    DumpSettings,
    KeepSettings,
    ScheduleSettings,
    Secret,
    Settings,
    child_environment,
    export,
)

DEFAULTS = Settings(
    database=DatabaseSettings(
        host="db",
        port=5432,
        user="pantry_pirate_radio",
        dbname="pantry_pirate_radio",
        sslmode=None,
        password=None,
    ),
    data_repo=DataRepoSettings(
        path=Path("/data-repo"),
        url=None,
        branch="main",
        token=None,
        dump_dir="sql_dumps",
        push_enabled=False,
        author_name="Pantry Pirate Radio Publisher",
        author_email="pantry-pirate-radio@example.com",
        timeout_seconds=600.0,
        warn_gigabytes=5.0,
        max_gigabytes=10.0,
    ),
    dump=DumpSettings(
        min_records=100,
        percentage=Decimal("0.9"),
        ratchet_tables=("organization", "location", "service"),
        allow_empty=False,
        stall_seconds=300.0,
        proof="server",
        keep=KeepSettings(last=7, daily=7, weekly=4, monthly=12, yearly=0),
        max_file_bytes=95_000_000,
    ),
    schedule=ScheduleSettings(cron="0 2 * * *", timezone="UTC"),
    alerts=AlertSettings(
        urls=None,
        heartbeat_url=None,
        dagster_url=None,
        max_age_hours=26.0,
        undelivered_hours=6.0,
        disk_free_percent=10.0,
    ),
    skip_db_init=False,
    db_init_days_to_sync=90,
    testing=False,
    postgres_host_set=False,
    dagster_home=None,
    dagster_postgres_url=None,
)


def _read(**environ: str) -> Settings:
    return Settings.from_environment(environ, dotenv=None)


def _refusal(**environ: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        _read(**environ)
    return caught.value


def test_an_empty_environment_gives_the_defaults() -> None:
    assert _read() == DEFAULTS


def test_groups_that_are_made_without_values_hold_the_defaults() -> None:
    groups = (
        DatabaseSettings(),
        DataRepoSettings(),
        DumpSettings(),
        ScheduleSettings(),
        AlertSettings(),
    )
    assert groups == (
        DEFAULTS.database,
        DEFAULTS.data_repo,
        DEFAULTS.dump,
        DEFAULTS.schedule,
        DEFAULTS.alerts,
    )


def test_every_variable_arrives_where_it_is_used() -> None:
    assert _read(
        POSTGRES_HOST="/run/postgresql",
        POSTGRES_PORT="5433",
        POSTGRES_USER="reader",
        POSTGRES_DB="hsds",
        POSTGRES_SSLMODE="verify-full",
        POSTGRES_PASSWORD="pw",
        DATA_REPO_PATH="/srv/clone",
        DATA_REPO_URL="https://example.org/data.git",
        DATA_REPO_BRANCH="data/backups",
        DATA_REPO_TOKEN="token",
        DATA_REPO_TIMEOUT_SECONDS="12.5",
        DATA_REPO_WARN_GB="0.5",
        DATA_REPO_MAX_GB="1",
        SQL_DUMP_DIR="/srv/clone/dumps",
        SQL_DUMP_MIN_RECORDS="5",
        SQL_DUMP_RATCHET_PERCENTAGE="0.925",
        SQL_DUMP_RATCHET_TABLES="all",
        SQL_DUMP_STALL_SECONDS="30",
        SQL_DUMP_PROOF="off",
        SQL_DUMP_MAX_FILE_MB="0",
        SQL_DUMP_KEEP_LAST="All",
        SQL_DUMP_KEEP_DAILY="1",
        SQL_DUMP_KEEP_WEEKLY="2",
        SQL_DUMP_KEEP_MONTHLY="0",
        SQL_DUMP_KEEP_YEARLY="3",
        ALLOW_EMPTY_SQL_DUMP="yes",
        SQL_DUMP_CRON="30 3 * * 0",
        SQL_DUMP_TIMEZONE="America/New_York",
        PUBLISHER_PUSH_ENABLED="1",
        GIT_USER_NAME="Zoë",
        GIT_USER_EMAIL="zoe@example.org",
        SKIP_DB_INIT="on",
        DB_INIT_DAYS_TO_SYNC="7",
        TESTING="TRUE",
        PPR_ALERT_URLS="https://hooks.example.org/T0 smtps://u:p@mail.example.org?to=a@example.org",
        PPR_HEARTBEAT_URL="https://hc.example.org/uuid",
        PPR_DAGSTER_URL="https://dagster.example.org",
        PPR_ALERT_MAX_AGE_HOURS="50",
        PPR_ALERT_UNDELIVERED_HOURS="1.5",
        PPR_ALERT_DISK_FREE_PERCENT="0",
        DAGSTER_HOME="/srv/dagster",
        DAGSTER_POSTGRES_URL="postgresql://dagster:pw@db/dagster",
    ) == Settings(
        database=DatabaseSettings(
            "/run/postgresql", 5433, "reader", "hsds", "verify-full", Secret("pw"), 30.0
        ),
        data_repo=DataRepoSettings(
            path=Path("/srv/clone"),
            url="https://example.org/data.git",
            branch="data/backups",
            token=Secret("token"),
            dump_dir="dumps",
            push_enabled=True,
            author_name="Zoë",
            author_email="zoe@example.org",
            timeout_seconds=12.5,
            warn_gigabytes=0.5,
            max_gigabytes=1.0,
        ),
        dump=DumpSettings(
            5,
            Decimal("0.925"),
            None,
            allow_empty=True,
            stall_seconds=30.0,
            proof="off",
            keep=KeepSettings(last=None, daily=1, weekly=2, monthly=0, yearly=3),
            max_file_bytes=None,
        ),
        schedule=ScheduleSettings("30 3 * * 0", "America/New_York"),
        alerts=AlertSettings(
            Secret("https://hooks.example.org/T0 smtps://u:p@mail.example.org?to=a@example.org"),
            Secret("https://hc.example.org/uuid"),
            "https://dagster.example.org",
            50.0,
            1.5,
            0.0,
        ),
        skip_db_init=True,
        db_init_days_to_sync=7,
        testing=True,
        postgres_host_set=True,
        dagster_home=Path("/srv/dagster"),
        dagster_postgres_url=Secret("postgresql://dagster:pw@db/dagster"),
    )


@pytest.mark.parametrize(
    ("environ", "message", "hint"),
    [
        (
            {"SQL_DUMP_RATCHET_PERCENTAGE": "90"},
            "SQL_DUMP_RATCHET_PERCENTAGE is `90`, must be a number above 0 and at most 1",
            "For 90 % write 0.9.",
        ),
        *[
            (
                {"SQL_DUMP_RATCHET_PERCENTAGE": value},
                f"SQL_DUMP_RATCHET_PERCENTAGE is `{value}`, must be a number above 0 and at most 1",
                "",
            )
            for value in ("-1", "nan", "abc", "0")
        ],
        *[
            (
                {"POSTGRES_PORT": value},
                f"POSTGRES_PORT is `{value}`, must be a port from 1 to 65535",
                "",
            )
            for value in ("0", "70000")
        ],
        (
            {f"SQL_DUMP_KEEP_{rule}": "0" for rule in ("LAST", "DAILY", "WEEKLY", "MONTHLY")},
            "SQL_DUMP_KEEP_LAST, _DAILY, _WEEKLY, _MONTHLY and _YEARLY are all 0, at least one "
            "must keep something",
            "To keep every dump in the folder, set SQL_DUMP_KEEP_LAST=all.",
        ),
        (
            {"SQL_DUMP_KEEP_WEEKLY": "-1"},
            "SQL_DUMP_KEEP_WEEKLY is `-1`, must be `all`, or a whole number from 0",
            "",
        ),
        (
            {"PUBLISHER_PUSH_ENABLED": "yes please"},
            "PUBLISHER_PUSH_ENABLED is `yes please`, "
            "must be one of true, false, 1, 0, yes, no, on, off",
            "",
        ),
        (
            {"SQL_DUMP_TIMEZONE": "Mars/Olympus"},
            "SQL_DUMP_TIMEZONE is `Mars/Olympus`, "
            "must be a time zone such as `UTC` or `America/New_York`",
            "",
        ),
        (
            {"SQL_DUMP_DIR": "/elsewhere"},
            "SQL_DUMP_DIR is `/elsewhere`, must be a folder inside DATA_REPO_PATH, "
            "other than its root and `.git`, without `..`",
            "An absolute folder has to lie inside DATA_REPO_PATH.",
        ),
        (
            {"DATA_REPO_URL": "https://hunter2@example.org/data.git"},
            "DATA_REPO_URL is set to a value not shown here, "
            "must be a URL or path git can clone, without credentials",
            "Give the token in DATA_REPO_TOKEN, and the URL without user and password.",
        ),
        (
            {"DATA_REPO_URL": "ext::sh"},
            "DATA_REPO_URL is `ext::sh`, must be a URL or path git can clone, without credentials",
            "",
        ),
    ],
)
def test_an_unusable_value_is_refused_by_name_with_what_it_may_be(
    environ: Mapping[str, str], message: str, hint: str
) -> None:
    refusal = _refusal(**environ)
    assert (refusal.message, refusal.hint) == (message, hint)


def test_an_empty_variable_counts_as_not_set() -> None:
    names = (
        "POSTGRES_HOST",
        "POSTGRES_PORT",
        "DATA_REPO_URL",
        "TESTING",
        "SQL_DUMP_RATCHET_TABLES",
    )
    assert _read(**dict.fromkeys(names, "")) == DEFAULTS


def _dotenv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / ".env"
    path.write_text(text)
    return path


def test_the_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    dotenv = _dotenv(tmp_path, "POSTGRES_USER=from_file\nPOSTGRES_DB=from_file\n")
    database = Settings.from_environment({"POSTGRES_DB": "given"}, dotenv=dotenv).database
    assert (database.user, database.dbname) == ("from_file", "given")


def test_an_empty_variable_lets_the_dotenv_file_speak(tmp_path: Path) -> None:
    dotenv = _dotenv(tmp_path, "POSTGRES_DB=from_file\nPOSTGRES_PASSWORD=from_file\n")
    given = {"POSTGRES_DB": "", "POSTGRES_PASSWORD": ""}
    database = Settings.from_environment(given, dotenv=dotenv).database
    assert database.dbname == "from_file"
    assert database.password == Secret("")


def test_the_dotenv_file_of_the_working_folder_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dotenv(tmp_path, "POSTGRES_HOST=from_file\n")
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({})
    assert settings.database.host == "from_file"
    assert settings.postgres_host_set


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_DB", "from_process")
    assert Settings.from_environment(dotenv=None).database.dbname == "from_process"


def test_a_missing_password_stops_only_who_needs_it() -> None:
    database = _read().database
    with pytest.raises(SettingsError) as caught:
        database.require_password()
    assert caught.value.message.startswith("POSTGRES_PASSWORD is not set, must be the password of")
    assert "POSTGRES_PASSWORD_FILE" in caught.value.hint


@pytest.mark.parametrize("host", ["/run/postgresql", "localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_an_empty_password_set_explicitly_suits_a_local_server(host: str) -> None:
    database = _read(POSTGRES_HOST=host, POSTGRES_PASSWORD="").database
    assert database.require_password() == Secret("")


@pytest.mark.parametrize(
    "host", ["db", "10.0.0.1", "127.evil.example", "localhost.evil.example", "localhost,db", "::2"]
)
def test_an_empty_password_does_not_suit_another_server(host: str) -> None:
    database = _read(POSTGRES_HOST=host, POSTGRES_PASSWORD="").database
    with pytest.raises(SettingsError, match=f"is empty, must be a password for host `{host}`"):
        database.require_password()


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from file\n")
    for password in ({}, {"POSTGRES_PASSWORD": ""}):
        settings = _read(POSTGRES_PASSWORD_FILE=str(file), **password)
        assert settings.database.require_password() == Secret("from file")


def test_a_password_in_two_places_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2")
    refusal = _refusal(POSTGRES_PASSWORD="hunter3", POSTGRES_PASSWORD_FILE=str(file))
    assert refusal.message == (
        "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set, must be one of them"
    )


@pytest.mark.parametrize(
    ("host", "described"),
    [
        ("db", "pantry_pirate_radio@db:5432/pantry_pirate_radio"),
        ("::1", "pantry_pirate_radio@[::1]:5432/pantry_pirate_radio"),
        ("/run/pg", "pantry_pirate_radio@/run/pg:5432/pantry_pirate_radio"),
    ],
)
def test_a_database_is_described_without_its_password(host: str, described: str) -> None:
    settings = replace(DEFAULTS.database, host=host, password=Secret("hunter2"))
    assert settings.describe() == described


SECRETS = {
    "POSTGRES_PASSWORD": "hunter2-password",
    "DATA_REPO_TOKEN": "hunter2-token",
    "DAGSTER_POSTGRES_URL": "postgresql://dagster:hunter2-url@db/dagster",
}


def test_the_settings_show_no_secret() -> None:
    settings = _read(**SECRETS)
    shown = [
        repr(settings),
        str(settings),
        repr(vars(settings)),
        repr(vars(settings.database)),
        repr(asdict(settings)),
        json.dumps(asdict(settings), default=str),
    ]
    assert not [text for text in shown if "hunter2" in text]
    assert all("********" in text for text in shown)


def test_a_child_gets_the_environment_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH_OF_OURS", "kept")
    environment = child_environment({"PGPASSWORD": "for this child"})
    assert environment["PATH_OF_OURS"] == "kept"
    assert environment["PGPASSWORD"] == "for this child"
    assert "hunter2" not in repr(environment)


def test_variables_of_libpq_are_gone_once_the_environment_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.7")
    monkeypatch.setenv("POSTGRES_HOST", "db.example.org")
    assert Settings.from_environment(dotenv=None).database.host == "db.example.org"
    assert "PGHOSTADDR" not in os.environ


def test_a_child_of_our_own_may_read_the_secrets_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    environment = child_environment({}, secrets=True)
    assert SECRETS.items() <= environment.items()


def test_what_is_exported_stands_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPR_ASSETS_TEST", "before")
    export("PPR_ASSETS_TEST", "after")
    assert os.environ["PPR_ASSETS_TEST"] == "after"


def test_a_child_of_our_own_gets_what_the_dotenv_file_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = _dotenv(
        tmp_path, "POSTGRES_DB=from_file\nPOSTGRES_USER=from_file\nPGHOSTADDR=192.0.2.7\n"
    )
    monkeypatch.setenv("POSTGRES_DB", "given")
    monkeypatch.setenv("POSTGRES_USER", "")
    environment = child_environment({"PGTZ": "UTC"}, secrets=True, dotenv=dotenv)
    assert ("PGHOSTADDR" in environment, environment["PGTZ"]) == (False, "UTC")
    assert (environment["POSTGRES_DB"], environment["POSTGRES_USER"]) == ("given", "from_file")


def test_secrets_of_the_dotenv_file_are_withheld_as_well(tmp_path: Path) -> None:
    dotenv = _dotenv(tmp_path, "".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    assert "hunter2" not in repr(child_environment({}, dotenv=dotenv))
