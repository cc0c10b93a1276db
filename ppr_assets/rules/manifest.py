"""The manifest beside a dump: what it holds, where it came from, and who let it pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.ratchet import Override

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TableRecord:
    """Rows of a table, and the SHA-256 of its rows in the dump, sorted, each with its newline."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class DatabaseIdentity:
    """Which database it was; ``system_identifier`` is the cluster's own, made by initdb."""

    system_identifier: str
    name: str
    server_version: str


@dataclass(frozen=True)
class Manifest:
    """``bytes`` and ``sha256`` of the whole file; ``tables`` by table key; ``snapshot_at`` in UTC.

    ``verdict`` is the gate's, against the mark that the commit stands on. ``publication`` is the
    publishing commit in the data repository that the dump followed.
    """

    dump: str
    bytes: int
    sha256: str
    tables: Mapping[str, TableRecord]
    snapshot_at: datetime
    database: DatabaseIdentity
    tools: Mapping[str, str]
    verdict: Mapping[str, Any]
    override: Override | None = None
    run_id: str | None = None
    previous: str | None = None
    publication: str | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def rows(self) -> Mapping[str, int]:
        return {table: record.rows for table, record in self.tables.items()}

    def to_json(self) -> str:
        """The file's text: sorted keys, so that two manifests can be compared by eye."""
        content = {
            **vars(self),
            "tables": {table: vars(record) for table, record in self.tables.items()},
            "database": vars(self.database),
            "override": vars(self.override) if self.override else None,
            "snapshot_at": self.snapshot_at.astimezone(UTC).isoformat(),
            "tools": dict(self.tools),
            "verdict": dict(self.verdict),
        }
        return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest. Raises :class:`DumpDamaged` naming what is wrong with it."""
        try:
            content = json.loads(text)
            _require_known_version(content)
            return cls(
                dump=_text(content, "dump"),
                bytes=_number(content, "bytes"),
                sha256=_text(content, "sha256"),
                tables={
                    name: TableRecord(_number(record, "rows"), _text(record, "sha256"))
                    for name, record in content["tables"].items()
                },
                snapshot_at=datetime.fromisoformat(_text(content, "snapshot_at")),
                database=DatabaseIdentity(**content["database"]),
                tools=dict(content["tools"]),
                verdict=dict(content["verdict"]),
                override=Override(**content["override"]) if content["override"] else None,
                run_id=content["run_id"],
                previous=content["previous"],
                publication=content["publication"],
            )
        except KeyError as error:
            raise DumpDamaged(f"the manifest has no {error.args[0]}") from error
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            raise DumpDamaged(f"the manifest cannot be read: {error}") from error


def _require_known_version(content: Mapping[str, Any]) -> None:
    found = content["schema_version"]
    if found != SCHEMA_VERSION:
        raise DumpDamaged(
            f"the manifest has schema version {found!r}, at most {SCHEMA_VERSION} is known here",
            hint="a newer ppr-assets wrote it; update this one.",
        )


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r:.60}, not a text")
    return value


def _number(content: Mapping[str, Any], name: str) -> int:
    value = content[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{name} is {value!r:.60}, not a whole number from 0")
    return value
