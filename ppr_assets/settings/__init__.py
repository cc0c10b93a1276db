"""The environment, read once and typed; no other package reads it.

A field of a settings class is declared with its variable: name, default, rule and meaning. A new
one goes beside its kin; what the texts of several groups may be stands in ``kinds``. The README's
table and ``.env.example`` are written from these (``make variables``).

The environment wins over the ``.env`` file of the working folder. An empty variable counts as not
set (compose files pass unset ones on as empty): ``.env`` or the default applies. The exception are
passwords of databases, where an explicit empty text is that of a trusting local server.

What is unusable is a SettingsError at once. A missing password is not: only the work that needs
the database asks for it, so that the Dagster code location loads anywhere.
"""

from ppr_assets.settings.alerts import AlertSettings
from ppr_assets.settings.copies import CopySettings, CopyUrl
from ppr_assets.settings.data_repo import DataRepoSettings
from ppr_assets.settings.database import DatabaseSettings
from ppr_assets.settings.dump import DumpSettings, KeepSettings
from ppr_assets.settings.environment import export, forget_libpq, runs_in_ci, state_home
from ppr_assets.settings.everything import (
    VARIABLES,
    Settings,
    child_environment,
    env_file,
)
from ppr_assets.settings.schedule import ScheduleSettings
from ppr_assets.settings.secret import Secret, without_secrets

__all__ = [
    "VARIABLES",
    "AlertSettings",
    "CopySettings",
    "CopyUrl",
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
    "forget_libpq",
    "runs_in_ci",
    "state_home",
    "without_secrets",
]
