"""The schema ``public``, which every database is born with, and which belongs to whom it pleases
the server. A dump may make it, or say what it is for; where it is there it is left, and its comment
is for its owner to give.
"""

from __future__ import annotations

import re
from typing import LiteralString

from msgspec import Struct

from ppr_assets.plain_sql.parsing.layout import Entry
from ppr_assets.plain_sql.parsing.sections import Step
from ppr_assets.postgres.sessions.session import Connection

_QUERY: LiteralString = """
SELECT pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text,
  pg_catalog.pg_has_role(nspowner, 'USAGE')
FROM pg_catalog.pg_namespace WHERE nspname = 'public'
"""

_DROP = re.compile(rb"DROP SCHEMA (?:IF EXISTS )?public(?: CASCADE)?;\s*\Z")
_SCHEMA = ("SCHEMA", "public")
_COMMENT = ("COMMENT", "SCHEMA public")


class PublicSchema(Struct, frozen=True):
    """As a session finds it: ``owner`` is None where there is none, ``ours`` says whether the role
    has the owner's rights."""

    owner: str | None
    ours: bool

    @property
    def exists(self) -> bool:
        return self.owner is not None

    def leaves_out(self, entry: Entry | Step) -> bool:
        """Whether this part of a dump need not, or may not, be run, nor be looked for later."""
        if not self.exists:
            return False
        what = (entry.kind, entry.name)
        return what == _SCHEMA or (what == _COMMENT and not self.ours)

    def leaves_standing(self, drop: bytes) -> bool:
        """Whether this statement of a dump's prologue is the one that drops it."""
        return self.exists and bool(_DROP.match(drop))

    def remark(self, entry: Entry | Step) -> str | None:
        """What a human should know of a part that was left out."""
        if (entry.kind, entry.name) == _COMMENT:
            return f"schema public belongs to {self.owner} here, so its comment was not set"
        return None


def public_schema(connection: Connection) -> PublicSchema:
    row = connection.execute(_QUERY).fetchone()
    return PublicSchema(*row) if row else PublicSchema(None, False)
