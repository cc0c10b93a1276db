"""Dagster's hundred migrations, read once by a process and not for each storage that it makes.

Whoever opens storages imports this."""

from functools import cache

from alembic.script import ScriptDirectory

ScriptDirectory.from_config = cache(ScriptDirectory.from_config)  # type: ignore[method-assign]
