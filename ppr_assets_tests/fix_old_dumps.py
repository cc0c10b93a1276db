"""Dumps that servers of PostgreSQL 12 to 17 really wrote, and what those said was in them.

``postgres/old_dumps/README.md`` tells how they were made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect

_FOLDER = Path(__file__).parent / "postgres" / "old_dumps"

MAJORS = tuple(sorted(int(path.stem.split("_")[1]) for path in _FOLDER.glob("postgresql_*.sql")))
"""The majors of the servers."""


@dataclass(frozen=True)
class OldDump:
    """The dump of a server of ``major``. ``name`` is what it is called in a data repository."""

    major: int

    @property
    def name(self) -> str:
        return f"pantry_pirate_radio_2025-08-{self.major}_06-56-00.sql"

    @property
    def sql(self) -> bytes:
        return (_FOLDER / f"postgresql_{self.major}.sql").read_bytes()

    @property
    def contents(self) -> dict[str, str]:
        """What its own server said was in the database, by object."""
        recorded: dict[str, str] = json.loads(
            (_FOLDER / f"postgresql_{self.major}.json").read_bytes()
        )
        return recorded


def contents(database: DatabaseSettings) -> dict[str, str]:
    """What the server says is in a database, asked in the same words as the old servers."""
    with connect(replace(database, user="postgres"), autocommit=True) as session:
        cursor = session.execute((_FOLDER / "contents.sql").read_bytes())
        while cursor.nextset():  # the settings and functions before the one query
            pass
        row = cursor.fetchone()
        assert row is not None
        said: dict[str, str] = json.loads(str(row[0]))
        return said
