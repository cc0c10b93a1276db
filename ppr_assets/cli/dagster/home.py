"""Where Dagster keeps what it knows when the command line runs a job.

With DAGSTER_HOME set it is the operator's. Otherwise it is a folder of the project, with the
project's own ``dagster.yaml`` and, unless DAGSTER_POSTGRES_URL names another, the embedded server
as storage: a dump made on a laptop has its lineage all the same.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ppr_assets.cli.dagster.files import require_files, storage_folder
from ppr_assets.cli.dagster.storage import (
    kept_sessions,
    require_home,
    require_storage,
    storage_failures,
)
from ppr_assets.cli.shared.local_server import LOCAL, SERVER, server_in_use
from ppr_assets.errors import SettingsError
from ppr_assets.operations.restoring.serving.ordinary import require_apart
from ppr_assets.settings import Secret, Settings, export

if TYPE_CHECKING:
    from dagster import DagsterInstance

STORAGE_DATABASE = "dagster"
HOME = LOCAL / "dagster"
"""Where DAGSTER_HOME names no other."""
_CONFIG = Path("dagster.yaml")
_QUIET = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
_NOWHERE = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}
"""As a ``dagster.yaml`` names what captures no output of runs."""


@contextmanager
def dagster_home(settings: Settings) -> Iterator[Path]:
    """Provide a DAGSTER_HOME, and stop what was started for it.

    Raises :class:`SettingsError` for a home that is not a folder, and for a storage in the database
    that is dumped, :class:`DatabaseUnreachable` for a storage that does not answer, and
    :class:`StorageFailed` for files of it that cannot be used.
    """
    if settings.dagster_postgres_url is not None:  # perhaps from .env, which Dagster may not see
        require_apart(settings.database, settings.dagster_postgres_url)
        require_storage(settings.dagster_postgres_url)
        export("DAGSTER_POSTGRES_URL", settings.dagster_postgres_url.reveal())
    if settings.dagster_home is not None:
        require_home(settings.dagster_home)
        _make_quiet(settings.dagster_home)
        require_config(settings.dagster_home)
        require_files(settings.dagster_home)
        yield settings.dagster_home
        return
    home = HOME.resolve()
    home.mkdir(parents=True, exist_ok=True)
    if not _CONFIG.exists():  # installed, not cloned: Dagster's own storage, files in this folder
        _make_quiet(home)
        require_files(home)
        yield home
        return
    shutil.copyfile(_CONFIG, home / _CONFIG.name)
    if settings.dagster_postgres_url is not None:
        yield home
        return
    from ppr_assets.postgres import embedded

    with server_in_use():
        server = embedded.start(LOCAL / SERVER)
        server.create_database(STORAGE_DATABASE)
        export("DAGSTER_POSTGRES_URL", server.url(STORAGE_DATABASE))
        yield home


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """The instance whose storage keeps runs, events and lineage.

    Raises what :func:`dagster_home` raises, and :class:`SettingsError` for a ``dagster.yaml`` that
    Dagster does not take.
    """
    from dagster import DagsterInstance, DagsterInvalidConfigError

    with dagster_home(settings) as home, storage_failures(home):
        export("DAGSTER_HOME", str(home))
        try:
            # whatever its name says: the instance of any folder that is given, with what is changed
            instance = DagsterInstance.local_temp(str(home), overrides=_uncaptured(home))
        except DagsterInvalidConfigError as error:
            raise SettingsError(
                f"Dagster does not take `{home / _CONFIG.name}`: {_first_reason(str(error))}",
                hint="compare it with the dagster.yaml of this project.",
            ) from error
        with instance, kept_sessions(instance):
            yield instance


def _uncaptured(home: Path) -> dict[str, Any]:
    """What a run prints goes to the terminal alone, unless its ``dagster.yaml`` says where to: four
    processes would copy it into files for the UI, and there is nothing but Dagster's own log."""
    yaml = import_module("yaml")
    try:
        config = yaml.safe_load((home / _CONFIG.name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):  # Dagster will say what it makes of it
        config = None
    named = isinstance(config, dict) and "compute_logs" in config
    return {} if named else {"compute_logs": _NOWHERE}


def _make_quiet(home: Path) -> None:
    """Without a ``dagster.yaml`` Dagster would send its statistics, and print an invitation."""
    config = home / _CONFIG.name
    if not config.exists():
        config.write_text(_QUIET, encoding="utf-8")


def storage_of(home: Path | None, url: Secret | None) -> str:
    """Where Dagster's storage lies, by DAGSTER_HOME and DAGSTER_POSTGRES_URL, in words; nothing is
    started or asked for it."""
    config = home / _CONFIG.name if home else _CONFIG
    if home is not None or not config.exists():
        home = home or HOME.resolve()
        files = storage_folder(home)
        if files is not None:
            return f"storage: files in {files}"
        if url is None:
            return f"storage: the server that {config} names"
    if url is not None:
        return f"storage: {_named(url)}"
    server = (LOCAL / SERVER).resolve()
    return f"storage: database {STORAGE_DATABASE} of the embedded server in {server}"


def _named(url: Secret) -> str:
    """Database and host of DAGSTER_POSTGRES_URL, and no other part of it."""
    parts = urlsplit(url.reveal())
    host = parts.hostname or next(iter(parse_qs(parts.query).get("host", [])), "libpq's own host")
    return f"database {parts.path.strip('/')} on {host} (DAGSTER_POSTGRES_URL), which answers"


def require_config(home: Path) -> None:
    """Raise :class:`SettingsError` for a ``dagster.yaml`` in it that is no YAML; Dagster says what
    it makes of the rest."""
    yaml = import_module("yaml")  # Dagster's own reader, without the rest of it
    path = home / _CONFIG.name
    try:
        yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(
            f"`{path}` cannot be read: {' '.join(str(error).split())}",
            hint="compare it with the dagster.yaml of this project.",
        ) from error


def _first_reason(text: str) -> str:
    """Of a long text of Dagster's the first numbered reason, else its first line."""
    numbered = re.search(r"Error \d+: (.+?)(?= Expected: |\n|$)", text)
    return numbered[1] if numbered else text.strip().splitlines()[0]
