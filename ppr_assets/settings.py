"""The environment, read once and typed; no other module reads it.

The environment wins over the ``.env`` file of the working folder. An empty variable counts as not
set (compose files pass unset ones on as empty): ``.env`` or the default applies. The exception is
POSTGRES_PASSWORD, where an explicit empty text is the password of a trusting local server.

What is unusable is a SettingsError at once. A missing password is not: only the work that needs
the database asks for it, so that the Dagster code location loads anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

from ppr_assets.errors import SettingsError
from ppr_assets.variables import git_kinds, table
from ppr_assets.variables.files import read_dotenv, read_password
from ppr_assets.variables.kinds import UnusableValueError
from ppr_assets.variables.secret import Secret
from ppr_assets.variables.table import VARIABLES

__all__ = [
    "VARIABLES",
    "DataRepoSettings",
    "DatabaseSettings",
    "DumpSettings",
    "KeepSettings",
    "ScheduleSettings",
    "Secret",
    "Settings",
    "child_environment",
    "env_file",
    "export",
]


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the database is and who asks; ``host`` may be the folder of a socket."""

    host: str
    port: int
    user: str
    dbname: str
    sslmode: str | None
    password: Secret | None

    def require_password(self) -> Secret:
        """The password. Raises SettingsError when none is set, or an empty one for another host."""
        if self.password is None:
            raise SettingsError(
                "POSTGRES_PASSWORD is not set, must be the password of role "
                f"`{self.user}` on `{self.host}`",
                hint="Set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, in the environment or .env.",
            )
        if not self.password and not self.is_local:
            raise SettingsError(
                f"POSTGRES_PASSWORD is empty, must be a password for host `{self.host}`",
                hint="Only a server on this machine may be asked without a password.",
            )
        return self.password

    @property
    def is_local(self) -> bool:
        """True for a socket folder, ``localhost`` and loopback addresses; asks no name server."""
        if self.host.startswith("/") or self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def describe(self) -> str:
        """``user@host:port/dbname``, for messages; without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}/{self.dbname}"


@dataclass(frozen=True)
class DataRepoSettings:
    """The clone of the data repository, its remote, and how commits are made in it.

    ``dump_dir`` is a posix path relative to the repository's root. ``timeout_seconds`` is the
    limit of one git call, ``warn_gigabytes`` and ``max_gigabytes`` (of 1e9 bytes) are those of the
    clone's size.
    """

    path: Path
    url: str | None
    branch: str
    token: Secret | None
    dump_dir: str
    push_enabled: bool
    author_name: str
    author_email: str
    timeout_seconds: float
    warn_gigabytes: float
    max_gigabytes: float


@dataclass(frozen=True)
class KeepSettings:
    """How many dumps each keep rule leaves in the folder; None: all that it finds."""

    last: int | None
    daily: int | None
    weekly: int | None
    monthly: int | None
    yearly: int | None


@dataclass(frozen=True)
class DumpSettings:
    """What the gate asks of a dump; ``ratchet_tables`` None stands for every table. ``proof`` is
    where it has to restore before it is published: ``server``, ``embedded`` or ``off``. ``keep``
    says which dumps stay beside it. ``max_file_bytes``: the largest file of it, None without a
    limit."""

    min_records: int
    percentage: Decimal
    ratchet_tables: tuple[str, ...] | None
    allow_empty: bool
    stall_seconds: float
    proof: str
    keep: KeepSettings
    max_file_bytes: int | None


@dataclass(frozen=True)
class ScheduleSettings:
    cron: str
    timezone: str


@dataclass(frozen=True)
class Settings:
    """Everything the environment says. ``postgres_host_set`` tells a real server from the demo."""

    database: DatabaseSettings
    data_repo: DataRepoSettings
    dump: DumpSettings
    schedule: ScheduleSettings
    skip_db_init: bool
    db_init_days_to_sync: int
    testing: bool
    postgres_host_set: bool
    dagster_home: Path | None
    dagster_postgres_url: Secret | None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
    ) -> Settings:
        """Read ``environ`` (the process's own by default) over ``dotenv`` (None: no file).

        Raises SettingsError, which names the variable, its value and what it may be.
        """
        given = os.environ if environ is None else environ
        values = read_dotenv(dotenv) if dotenv else {}
        values |= _set_in(given)
        return cls(
            database=_database(values),
            data_repo=_data_repo(values),
            dump=DumpSettings(
                min_records=table.SQL_DUMP_MIN_RECORDS.read(values),
                percentage=table.SQL_DUMP_RATCHET_PERCENTAGE.read(values),
                ratchet_tables=table.SQL_DUMP_RATCHET_TABLES.read(values),
                allow_empty=table.ALLOW_EMPTY_SQL_DUMP.read(values),
                stall_seconds=table.SQL_DUMP_STALL_SECONDS.read(values),
                proof=table.SQL_DUMP_PROOF.read(values),
                keep=_keep(values),
                max_file_bytes=_bytes(table.SQL_DUMP_MAX_FILE_MB.read(values)),
            ),
            schedule=ScheduleSettings(
                cron=table.SQL_DUMP_CRON.read(values),
                timezone=table.SQL_DUMP_TIMEZONE.read(values),
            ),
            skip_db_init=table.SKIP_DB_INIT.read(values),
            db_init_days_to_sync=table.DB_INIT_DAYS_TO_SYNC.read(values),
            testing=table.TESTING.read(values),
            postgres_host_set=table.POSTGRES_HOST.text(values) is not None,
            dagster_home=table.DAGSTER_HOME.read_if_set(values),
            dagster_postgres_url=_secret(table.DAGSTER_POSTGRES_URL.read_if_set(values)),
        )

    def restore_target(self, into: str | None = None) -> DatabaseSettings:
        """The database that a restore may replace: ``into``, or POSTGRES_DB.

        While TESTING is true it is ``<POSTGRES_DB>_test``, whatever else was asked for. Raises
        :class:`SettingsError` for an empty name, which is what an unset variable of a script
        gives: POSTGRES_DB is not what was meant.
        """
        if into == "":
            raise SettingsError(
                "the name of the database to restore into is empty",
                hint="give it a name, or leave it away to restore into POSTGRES_DB.",
            )
        name = f"{self.database.dbname}_test" if self.testing else into or self.database.dbname
        return replace(self.database, dbname=name)


def env_file() -> Path:
    """The file that variables are read from besides the environment: PPR_ASSETS_ENV_FILE."""
    return table.PPR_ASSETS_ENV_FILE.read(os.environ)


def child_environment(
    extra: Mapping[str, str], *, secrets: bool = False, dotenv: Path | None = None
) -> dict[str, str]:
    """The environment for a child process: this one with ``extra``, without the secrets.

    ``secrets`` leaves them in, for a child of our own that reads the settings again. What
    ``dotenv`` holds is in its environment then, and it reads no file besides.
    """
    hidden = () if secrets else tuple(v.name for v in VARIABLES if v.secret)
    values = dict(os.environ)
    if dotenv is not None:
        values |= read_dotenv(dotenv) | _set_in(os.environ)
    if secrets:
        values[table.PPR_ASSETS_ENV_FILE.name] = os.devnull
    return {name: value for name, value in values.items() if name not in hidden} | dict(extra)


def export(name: str, value: str) -> None:
    """Set a variable that Dagster reads by itself, in ``dagster.yaml``."""
    os.environ[name] = value


def _set_in(environ: Mapping[str, str]) -> dict[str, str]:
    """What counts as set: an empty variable does not, except for the password."""
    return {
        name: text
        for name, text in environ.items()
        if text.strip() or name == table.POSTGRES_PASSWORD.name
    }


def _database(values: Mapping[str, str]) -> DatabaseSettings:
    return DatabaseSettings(
        host=table.POSTGRES_HOST.read(values),
        port=table.POSTGRES_PORT.read(values),
        user=table.POSTGRES_USER.read(values),
        dbname=table.POSTGRES_DB.read(values),
        sslmode=table.POSTGRES_SSLMODE.read_if_set(values),
        password=_password(values),
    )


def _password(values: Mapping[str, str]) -> Secret | None:
    """None when not set. An empty POSTGRES_PASSWORD beside a file gives way to the file."""
    text = table.POSTGRES_PASSWORD.read_if_set(values)
    file = table.POSTGRES_PASSWORD_FILE.read_if_set(values)
    if text and file:
        raise SettingsError(
            "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set, must be one of them"
        )
    if file:
        return Secret(read_password(file))
    return Secret(text or "") if table.POSTGRES_PASSWORD.name in values else None


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else round(megabytes * 1_000_000)


def _keep(values: Mapping[str, str]) -> KeepSettings:
    keep = KeepSettings(
        last=table.SQL_DUMP_KEEP_LAST.read(values),
        daily=table.SQL_DUMP_KEEP_DAILY.read(values),
        weekly=table.SQL_DUMP_KEEP_WEEKLY.read(values),
        monthly=table.SQL_DUMP_KEEP_MONTHLY.read(values),
        yearly=table.SQL_DUMP_KEEP_YEARLY.read(values),
    )
    if not any(count is None or count for count in vars(keep).values()):
        raise SettingsError(
            "SQL_DUMP_KEEP_LAST, _DAILY, _WEEKLY, _MONTHLY and _YEARLY are all 0, at least one "
            "must keep something",
            hint="To keep every dump in the folder, set SQL_DUMP_KEEP_LAST=all.",
        )
    return keep


def _data_repo(values: Mapping[str, str]) -> DataRepoSettings:
    path = table.DATA_REPO_PATH.read(values)
    dump_dir = table.SQL_DUMP_DIR.read(values)
    try:
        dump_dir = git_kinds.dump_folder(dump_dir, path)
    except UnusableValueError as error:
        raise table.SQL_DUMP_DIR.unusable(dump_dir, error) from None
    return DataRepoSettings(
        path=path,
        url=table.DATA_REPO_URL.read_if_set(values),
        branch=table.DATA_REPO_BRANCH.read(values),
        token=_secret(table.DATA_REPO_TOKEN.read_if_set(values)),
        dump_dir=dump_dir,
        push_enabled=table.PUBLISHER_PUSH_ENABLED.read(values),
        author_name=table.GIT_USER_NAME.read(values),
        author_email=table.GIT_USER_EMAIL.read(values),
        timeout_seconds=table.DATA_REPO_TIMEOUT_SECONDS.read(values),
        warn_gigabytes=table.DATA_REPO_WARN_GB.read(values),
        max_gigabytes=table.DATA_REPO_MAX_GB.read(values),
    )


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)
