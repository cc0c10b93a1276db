"""What decides how a database computes: settings and locale, the same wherever it is restored.

Time zone, text search configuration, styles and search path may be set for a database, or for its
whole server. No dump holds them, and what is computed under others is other: stored generated
columns, materialized views, rows found through an index on an expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

SETTINGS = (
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "array_nulls",
    "bytea_output",
    "default_text_search_config",
    "extra_float_digits",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "quote_all_identifiers",
    "search_path",
    "timezone_abbreviations",
    "transform_null_equals",
    "xmlbinary",
    "xmloption",
)
"""All that is ever recorded; none of them holds a secret."""

READING = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
}
"""How pg_dump reads, so that the same data are the same bytes wherever they lie."""

AS_READ = b"".join(f"SET {name} TO '{value}';".encode() for name, value in READING.items())
AS_SET = b"".join(f"RESET {name};".encode() for name in READING)
"""For a session that loads: it computes as any other session of the database does. None of these
changes what the rows of a dump mean."""

# As set for the database, else for the server; of a role's own setting nobody else knows.
_SETTINGS: LiteralString = """
WITH entries AS (
  SELECT setdatabase, setrole, pg_catalog.split_part(entry, '=', 1) AS name,
    pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS c(entry)
), database AS (
  SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
)
SELECT s.name, coalesce(own.value, s.reset_val)
FROM pg_catalog.pg_settings s
LEFT JOIN entries own ON own.name = s.name AND own.setrole = 0
  AND own.setdatabase = (SELECT oid FROM database)
WHERE s.name = ANY(%s) AND coalesce(own.value, s.reset_val) IS NOT NULL
  AND (own.value IS NOT NULL OR s.source <> 'client' AND NOT EXISTS (
    SELECT FROM entries one JOIN pg_catalog.pg_roles r ON r.oid = one.setrole
    WHERE one.name = s.name AND r.rolname = session_user
      AND one.setdatabase IN (0, (SELECT oid FROM database))))
ORDER BY 1
"""

_OWN: LiteralString = """
SELECT pg_catalog.split_part(entry, '=', 1)
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
  pg_catalog.unnest(s.setconfig) AS c(entry)
WHERE s.setrole = 0 AND d.datname = pg_catalog.current_database()
"""

_LOCALE: LiteralString = """
SELECT pg_catalog.to_jsonb(d) FROM pg_catalog.pg_database d
WHERE datname = coalesce(%s, pg_catalog.current_database())
"""

PROVIDERS = {"b": "builtin", "c": "libc", "i": "icu"}


def read_settings(connection: Connection) -> Mapping[str, str]:
    """Those of :data:`SETTINGS` that any session of the database begins with."""
    return dict(connection.execute(_SETTINGS, [list(SETTINGS)]).fetchall())


def own_settings(connection: Connection) -> frozenset[str]:
    """The names of those that somebody has set for the database itself."""
    return frozenset(name for (name,) in connection.execute(_OWN))


def read_locale(connection: Connection, database: str | None = None) -> Mapping[str, str]:
    """What texts are sorted and classified by: ``provider``, ``collate``, ``ctype``, and where it
    has them ``locale`` and ``rules``. Empty where there is no such database."""
    row = connection.execute(_LOCALE, [database]).fetchone()
    found: Mapping[str, Any] = row[0] if row else {}
    locale = {
        "provider": PROVIDERS.get(found.get("datlocprovider", "c")),  # PostgreSQL 15
        "collate": found.get("datcollate"),
        "ctype": found.get("datctype"),
        "locale": found.get("datlocale", found.get("daticulocale")),  # 17; 15 and 16
        "rules": found.get("daticurules"),
    }
    return {name: str(value) for name, value in locale.items() if value} if found else {}


def in_words(locale: Mapping[str, str]) -> str:
    """``en_US.UTF-8``, ``de-AT (icu)``."""
    name = locale.get("locale", locale.get("collate", ""))
    parts = [f"ctype {locale['ctype']}"] if locale.get("ctype") != locale.get("collate") else []
    parts += [f"rules {locale['rules']}"] if "rules" in locale else []
    parts += [locale["provider"]] if locale.get("provider", "libc") != "libc" else []
    return f"{name} ({', '.join(parts)})" if parts else name
