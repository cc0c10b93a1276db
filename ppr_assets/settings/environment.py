"""The process's environment and its ``.env`` file; the one module that touches ``os.environ``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ppr_assets.settings import table
from ppr_assets.settings.files import read_dotenv
from ppr_assets.settings.table import VARIABLES

_MAY_BE_EMPTY = frozenset({table.POSTGRES_PASSWORD.name, table.PPR_PROOF_PASSWORD.name})


def values_from(environ: Mapping[str, str] | None, dotenv: Path | None) -> dict[str, str]:
    """What is set in ``environ`` (None: the process's own), over what ``dotenv`` says."""
    if environ is None:
        forget_libpq()
    values = read_dotenv(dotenv) if dotenv else {}
    return values | _set_in(os.environ if environ is None else environ)


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
    forget_libpq()
    values = dict(os.environ)
    if dotenv is not None:
        values |= values_from(None, dotenv)
        values = {name: text for name, text in values.items() if not _is_libpqs(name)}
    if secrets:
        values[table.PPR_ASSETS_ENV_FILE.name] = os.devnull
    return {name: value for name, value in values.items() if name not in hidden} | dict(extra)


def export(name: str, value: str) -> None:
    """Set a variable that Dagster reads by itself, in ``dagster.yaml``."""
    os.environ[name] = value


def forget_libpq() -> None:
    """Take out of this process's environment what libpq, pg_dump and psql read there by themselves.

    PGHOSTADDR, PGSERVICE, PGOPTIONS and their like lead elsewhere than POSTGRES_HOST, some of them
    whatever a program asks for. All begin with PG.
    """
    for name in filter(_is_libpqs, list(os.environ)):
        del os.environ[name]


def _is_libpqs(name: str) -> bool:
    return name.startswith("PG")


def _set_in(environ: Mapping[str, str]) -> dict[str, str]:
    """What counts as set: an empty variable does not, except for a password."""
    return {name: text for name, text in environ.items() if text.strip() or name in _MAY_BE_EMPTY}
