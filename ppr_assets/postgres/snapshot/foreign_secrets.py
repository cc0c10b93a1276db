"""Secrets in the options of foreign servers, their tables and user mappings.

pg_dump writes options as they are, and dumps are public. What an option means is known to its
foreign-data wrapper alone, so names and values are judged by what they look like. Options of a
user mapping that the role may not see do not matter: pg_dump leaves them out as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg

from ppr_assets.rules.naming import quote_identifier, table_key

_OPTIONS: LiteralString = """
SELECT found.kind, found.schema, found.name, found.whose, o.option FROM (
  SELECT 'foreign-data wrapper', NULL::pg_catalog.name, fdwname, NULL::pg_catalog.name, fdwoptions
  FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL
  SELECT 'server', NULL, srvname, NULL, srvoptions FROM pg_catalog.pg_foreign_server
  UNION ALL
  SELECT 'user mapping', NULL, srvname, coalesce(usename, 'public'), umoptions
  FROM pg_catalog.pg_user_mappings
  UNION ALL
  SELECT 'foreign table', n.nspname, c.relname, NULL, t.ftoptions || a.attfdwoptions
  FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
) found (kind, schema, name, whose, options), pg_catalog.unnest(found.options) AS o (option)
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""

_SECRET_NAME = re.compile(
    r"(?:pass|password|passwd|passphrase|pwd|secret|token|credentials?"
    r"|(?:access|account|api|private|sa|secret)_?key)\Z",
    re.IGNORECASE,
)
"""What an option's name ends in: ``sslpassword``, and neither ``passfile`` nor
``password_required``."""

_SECRET_VALUE = re.compile(
    r"\b(?:ssl)?(?:pass|password|passwd|pwd)\s*=\s*[^\s;]|://[^/?#@\s]*:[^/?#@\s]+@", re.IGNORECASE
)
"""A connection string, or a URL, with a password in it."""


def foreign_secrets(connection: psycopg.Connection[tuple[Any, ...]]) -> Sequence[str]:
    """The options that look secret, in words that hold no value of any."""
    found = []
    for kind, schema, name, whose, option in connection.execute(_OPTIONS):
        label, _, value = option.partition("=")
        if value and (_SECRET_NAME.search(label) or _SECRET_VALUE.search(value)):
            what = table_key(schema, name) if schema else quote_identifier(name)
            if whose:
                what = f"of {quote_identifier(whose)} for server {what}"
            found.append(f"{kind} {what} (option {quote_identifier(label)})")
    return found
