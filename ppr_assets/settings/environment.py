"""What variables come from: the process's environment, and a ``.env`` file.

The one module that touches ``os.environ``.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from dotenv.parser import parse_stream

from ppr_assets.errors import SettingsError
from ppr_assets.settings.variable import why_unreadable


def process_environment() -> dict[str, str]:
    """What this process was given; a copy."""
    return dict(os.environ)


def state_home() -> Path:
    """Where programs keep what is this user's and no setting: XDG_STATE_HOME."""
    given = os.environ.get("XDG_STATE_HOME", "")
    return Path(given) if given.startswith("/") else Path("~/.local/state").expanduser()


def runs_in_ci() -> bool:
    """Whether a program and no person looks on, as CI services say by CI, also on a terminal."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def export(name: str, value: str) -> None:
    """Set a variable that Dagster reads by itself, in ``dagster.yaml``."""
    os.environ[name] = value


def forget_libpq() -> None:
    """Take out of this process's environment what libpq, pg_dump and psql read there by themselves.

    PGHOSTADDR, PGSERVICE, PGOPTIONS and their like lead elsewhere than POSTGRES_HOST, some of them
    whatever a program asks for.
    """
    for name in filter(is_libpqs, list(os.environ)):
        del os.environ[name]


def is_libpqs(name: str) -> bool:
    """All of them begin with PG."""
    return name.startswith("PG")


def read_dotenv(path: Path) -> dict[str, str]:
    """The variables of ``path``, none where there is no such file; ``${…}`` is left as it stands.

    A line that cannot be read is an error, unlike in ``dotenv_values``, which goes on without it:
    a guard whose line was lost would stand at its default. Raises SettingsError.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"`{path}` cannot be read: {why_unreadable(error)}") from error
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise SettingsError(
                f"`{path}` line {binding.original.line} cannot be read, must be `NAME=value`",
                hint="A value with quotes has to close them.",
            )
        if binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values
