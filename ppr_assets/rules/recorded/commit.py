"""A commit of the dump folder as it is recorded beside copies: what it said, and its small files.

With the dumps these are all that a data repository of ours has: who passed the gate and why, each
mark and why it was lowered, each decision on what is published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.json_fields import FieldError, JsonFields
from ppr_assets.rules.naming import PUBLICATION, RATCHET, commit_record_name

SCHEMA_VERSION = 1
SMALL_FILES = (RATCHET, PUBLICATION)
"""Of the dump folder, those that are recorded beside what a commit says."""


class CommitRecord(Struct, frozen=True):
    """``files`` by name, as they stood in the dump folder after the commit; ``dump`` is the one
    that it published, None for a decision. ``author`` is ``Name <address>``. ``number`` counts what
    was recorded of the history before it: several may be of one second."""

    commit: str
    date: datetime
    author: str
    message: str
    number: int
    files: Mapping[str, bytes]
    dump: str | None = None

    @property
    def name(self) -> str:
        return commit_record_name(self.date, self.message)

    def to_json(self) -> str:
        content = {
            **asdict(self),
            "date": self.date.astimezone(UTC).isoformat(),
            "files": {
                name: data.decode("utf-8", "surrogateescape") for name, data in self.files.items()
            },
            "schema_version": SCHEMA_VERSION,
        }
        return json.dumps(content, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CommitRecord:
        """Raises :class:`DumpDamaged`, which names the field that is wrong."""
        try:
            fields = JsonFields(json.loads(text))
            if (found := fields.number("schema_version")) != SCHEMA_VERSION:
                raise FieldError(f"schema_version is {found}, must be {SCHEMA_VERSION}")
            files = fields.nested("files").each(JsonFields.text)
            if strange := sorted(files.keys() - {*SMALL_FILES}):
                raise FieldError(f"files has `{strange[0]}`, must have mark and policy alone")
            return cls(
                commit=fields.text("commit"),
                date=fields.moment("date"),
                author=fields.text("author"),
                message=fields.text("message"),
                number=fields.number("number"),
                files={name: one.encode("utf-8", "surrogateescape") for name, one in files.items()},
                dump=fields.optional_text("dump"),
            )
        except FieldError as error:
            raise DumpDamaged(f"the record of a commit cannot be read: {error}") from None
        except (ValueError, RecursionError) as error:
            raise DumpDamaged(f"the record of a commit is not JSON: {error}") from error
