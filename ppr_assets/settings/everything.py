"""All settings together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ppr_assets.errors import SettingsError
from ppr_assets.settings import table
from ppr_assets.settings.data_repo import DataRepoSettings
from ppr_assets.settings.database import DatabaseSettings
from ppr_assets.settings.dump import DumpSettings
from ppr_assets.settings.environment import values_from
from ppr_assets.settings.secret import Secret


@dataclass(frozen=True)
class ScheduleSettings:
    cron: str
    timezone: str

    @classmethod
    def read(cls, values: Mapping[str, str]) -> ScheduleSettings:
        return cls(
            cron=table.SQL_DUMP_CRON.read(values), timezone=table.SQL_DUMP_TIMEZONE.read(values)
        )


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
        cls, given: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
    ) -> Settings:
        """Read ``given`` (the process's own by default) over ``dotenv`` (None: no file).

        Raises SettingsError, which names the variable, its value and what it may be.
        """
        values = values_from(given, dotenv)
        database = DatabaseSettings.read(values)
        dump = DumpSettings.read(values)
        _require_proof_server(dump, database)
        return cls(
            database=database,
            data_repo=DataRepoSettings.read(values),
            dump=dump,
            schedule=ScheduleSettings.read(values),
            skip_db_init=table.SKIP_DB_INIT.read(values),
            db_init_days_to_sync=table.DB_INIT_DAYS_TO_SYNC.read(values),
            testing=table.TESTING.read(values),
            postgres_host_set=table.POSTGRES_HOST.text(values) is not None,
            dagster_home=table.DAGSTER_HOME.read_if_set(values),
            dagster_postgres_url=Secret.of(table.DAGSTER_POSTGRES_URL.read_if_set(values)),
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


def _require_proof_server(dump: DumpSettings, database: DatabaseSettings) -> None:
    server = dump.require_proof_server() if dump.proof == "elsewhere" else dump.proof_server
    if server is None:
        return
    asked, dumped = ((one.host, one.port, one.dbname) for one in (server, database))
    if asked == dumped:
        raise SettingsError(
            f"PPR_PROOF_HOST, _PORT and _DB name the database that is dumped, {server.dbname}",
            hint="PPR_PROOF_DB is one that PPR_PROOF_USER may enter, mostly `postgres`.",
        )
