"""All settings together, and all variables."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ppr_assets.errors import SettingsError
from ppr_assets.settings import kinds, postgres_kinds
from ppr_assets.settings.alerts import AlertSettings
from ppr_assets.settings.copies import CopyKeepSettings, CopySettings
from ppr_assets.settings.data_repo import DataRepoSettings
from ppr_assets.settings.database import (
    DatabaseSettings,
    DirectSettings,
    ProofServerSettings,
)
from ppr_assets.settings.dump import DumpSettings, KeepSettings
from ppr_assets.settings.environment import (
    forget_libpq,
    is_libpqs,
    process_environment,
    read_dotenv,
)
from ppr_assets.settings.misspelt import misspelt
from ppr_assets.settings.schedule import ScheduleSettings
from ppr_assets.settings.secret import Secret
from ppr_assets.settings.variable import (
    Password,
    Variable,
    optional,
    read_fields,
    secret,
    variable,
    variable_of,
    variables_of,
)


@dataclass(frozen=True)
class Settings:
    """Everything the environment says. ``postgres_host_set`` tells a real server from the demo;
    ``misspelt`` says of variables that they look like ours and are not."""

    database: DatabaseSettings
    data_repo: DataRepoSettings
    dump: DumpSettings
    schedule: ScheduleSettings
    alerts: AlertSettings
    postgres_host_set: bool
    misspelt: tuple[str, ...] = ()
    skip_db_init: bool = variable(
        "SKIP_DB_INIT", "false", kinds.boolean, "leave the database as it is at the start"
    )
    db_init_days_to_sync: int = variable(
        "DB_INIT_DAYS_TO_SYNC", "90", kinds.days, "days that a replay reads"
    )
    testing: bool = variable(
        "TESTING",
        "false",
        kinds.boolean,
        "restores go to an isolated test database, never to POSTGRES_DB",
    )
    dagster_home: Path | None = optional(
        "DAGSTER_HOME",
        kinds.absolute_folder,
        "Dagster's own folder: dagster.yaml, and its storage unless that is PostgreSQL",
    )
    dagster_postgres_url: Secret | None = secret(
        "DAGSTER_POSTGRES_URL",
        postgres_kinds.postgres_url,
        "the database of Dagster's own storage",
    )

    @classmethod
    def from_environment(
        cls, given: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
    ) -> Settings:
        """Read ``given`` (the process's own by default) over ``dotenv`` (None: no file).

        Raises SettingsError, which names the variable, its value and what it may be.
        """
        values = _values_from(given, dotenv)
        database = DatabaseSettings.read(values)
        dump = DumpSettings.read(values)
        database = replace(
            database, patience_seconds=dump.stall_seconds, search_path=dump.search_path
        )
        _require_proof_server(dump, database)
        return read_fields(
            cls,
            values,
            database=database,
            data_repo=DataRepoSettings.read(values),
            dump=dump,
            schedule=read_fields(ScheduleSettings, values),
            alerts=read_fields(AlertSettings, values),
            postgres_host_set=variable_of(DatabaseSettings, "host").text(values) is not None,
            misspelt=misspelt(values, [one.name for one in VARIABLES]),
        )

    @classmethod
    def for_alerts(cls, dotenv: Path) -> Settings:
        """Who is to be told, and where that is remembered; all else as by default, since some of it
        cannot be read. Raises SettingsError where these cannot be read either."""
        values = _values_from(None, dotenv)
        return read_fields(
            cls,
            {},
            database=DatabaseSettings(),
            data_repo=DataRepoSettings.read(values),
            dump=DumpSettings(),
            schedule=ScheduleSettings(),
            alerts=read_fields(AlertSettings, values),
            postgres_host_set=False,
        )

    @property
    def operator(self) -> str:
        """Who decides, see :attr:`DumpSettings.operator`."""
        return self.dump.operator

    def signed_by(self, name: str | None) -> Settings:
        """The same where somebody has said who decides."""
        return replace(self, dump=replace(self.dump, named_operator=name)) if name else self

    def restore_target(self, into: str | None = None) -> DatabaseSettings:
        """The database that a restore may replace: ``into``, or POSTGRES_DB.

        While TESTING is true it is ``<POSTGRES_DB>_test``, whatever else was asked for. Raises
        :class:`SettingsError` for an empty name, which is what an unset variable of a script
        gives: POSTGRES_DB is not what was meant.
        """
        if into == "":
            raise SettingsError(
                "the name of the database to restore into is empty",
                hint="give it a name, or leave it out to restore into POSTGRES_DB.",
            )
        name = f"{self.database.dbname}_test" if self.testing else into or self.database.dbname
        return replace(self.database, dbname=name)


def _require_proof_server(dump: DumpSettings, database: DatabaseSettings) -> None:
    server = dump.require_proof_server() if dump.proof == "elsewhere" else dump.proof_server
    if server is None:
        return
    asked, dumped = ((one.host, one.port, one.dbname) for one in (server, database))
    if asked == dumped:
        raise SettingsError(
            f"PPR_PROOF_HOST, _PORT and _DB name the database that is dumped, {server.dbname}",
            hint="PPR_PROOF_DB is one that PPR_PROOF_USER may enter, usually `postgres`.",
        )


_ENV_FILE = Variable(
    "PPR_ASSETS_ENV_FILE",
    ".env",
    kinds.folder.named("a file of NAME=value lines"),
    "the file that these variables are read from besides the environment; --env-file goes first",
)

VARIABLES: tuple[Variable[Any], ...] = (
    *variables_of(DatabaseSettings),
    *variables_of(DirectSettings),
    *variables_of(DataRepoSettings),
    *variables_of(DumpSettings),
    *variables_of(ProofServerSettings),
    *variables_of(KeepSettings),
    *variables_of(CopySettings),
    *variables_of(CopyKeepSettings),
    *variables_of(ScheduleSettings),
    *variables_of(AlertSettings),
    *variables_of(Settings),
    _ENV_FILE,
)
"""Every variable the project reads, in the order in which the README shows them."""

_SECRETS = frozenset(one.name for one in VARIABLES if one.secret)
_MAY_BE_EMPTY = frozenset(one.name for one in VARIABLES if isinstance(one, Password))


def env_file() -> Path:
    """The file that variables are read from besides the environment: PPR_ASSETS_ENV_FILE."""
    return _ENV_FILE.read(process_environment())


def child_environment(
    extra: Mapping[str, str], *, secrets: bool = False, dotenv: Path | None = None
) -> dict[str, str]:
    """The environment for a child process: this one with ``extra``, without the secrets.

    ``secrets`` leaves them in, for a child of our own that reads the settings again. What
    ``dotenv`` holds is in its environment then, and it reads no file besides.
    """
    hidden: Collection[str] = () if secrets else _SECRETS
    forget_libpq()
    values = process_environment()
    if dotenv is not None:
        values |= _values_from(None, dotenv)
        values = {name: text for name, text in values.items() if not is_libpqs(name)}
    if secrets:
        values[_ENV_FILE.name] = os.devnull
    return {name: value for name, value in values.items() if name not in hidden} | dict(extra)


def _values_from(given: Mapping[str, str] | None, dotenv: Path | None) -> dict[str, str]:
    """What is set in ``given`` (None: the process's environment), over what ``dotenv`` says."""
    if given is None:
        forget_libpq()
        given = process_environment()
    values = read_dotenv(dotenv) if dotenv else {}
    return values | {
        name: text for name, text in given.items() if text.strip() or name in _MAY_BE_EMPTY
    }
