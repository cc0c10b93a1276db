"""What mends a database of which no dump can be restored, and the statement that shows it.

pg_dump runs with an empty search path, and so do restores: a function that calls another one
without its schema finds it nowhere. And a restore checks anew what the database looked at once:
rows that a constraint does not allow any more, or that came by while its trigger was off.
"""

from __future__ import annotations

import re
from typing import LiteralString

import psycopg
from psycopg import errors

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.postgres.snapshot.mending_rows import Definition, mending_rows

UNDEFINED = (
    errors.UndefinedFunction,
    errors.UndefinedTable,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)
"""What a function says that looks for something where it is not."""

_NO_DUMP = "no dump of this database restores until that is fixed"

_IN_FUNCTION = re.compile(
    r'^(?:SQL|PL/\w+) function (?:"(?P<name>.+)"(?= statement | during |$)'
    r"|(?P<signature>.+?\))(?= line | during |$))",
    re.MULTILINE,
)
"""Some languages tell the bare name, others what ``regprocedure`` reads."""

_FUNCTION: LiteralString = """
SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text, e.extname::pg_catalog.text
FROM pg_catalog.pg_proc p
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
  AND (p.oid = pg_catalog.to_regprocedure(%s) OR p.proname = %s)
ORDER BY coalesce(p.oid = pg_catalog.to_regprocedure(%s), false) DESC, 1 LIMIT 1
"""
_SCHEMAS: LiteralString = """
SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY n.nspname <> 'public', 1
"""


def mending(error: psycopg.Error, connection: Connection, definition: Definition) -> str | None:
    """What to do about a statement or a row of a dump that was refused, None where the reason is
    none of those that lie in the database itself. ``connection`` is to where it was refused."""
    found = _function(error, connection) or mending_rows(error, connection, definition)
    return f"{_NO_DUMP}: {found}" if found else None


def _function(error: psycopg.Error, connection: Connection) -> str | None:
    named = _IN_FUNCTION.search(error.diag.context or "")
    if named is None or isinstance(error, errors.InsufficientPrivilege):
        return None
    signature = named["signature"]
    name = named["name"] or signature.partition("(")[0].rpartition(".")[2].strip('"')
    row = connection.execute(_FUNCTION, [signature, name, signature]).fetchone()
    if row is None:
        return None
    function, extension = row
    if not isinstance(error, UNDEFINED):
        return (
            f"{function} refuses what it was called with, and is called again whenever the rows "
            "are loaded, or what is made of them. Fix the function, or the rows."
        )
    schemas = ", ".join(schema for (schema,) in connection.execute(_SCHEMAS))
    if extension is None:
        return (
            f"{function} calls something without its schema, and is called with an empty search "
            f"path. Run `ALTER FUNCTION {function} SET search_path = {schemas};`."
        )
    return (
        f"{function} of the extension {extension} calls something without its schema, and is "
        "called with an empty search path. Call it through a function of your own that has a SET "
        f"search_path, or set SQL_DUMP_SEARCH_PATH={schemas.replace(' ', '')}, which writes that "
        "path into dumps (servers from PostgreSQL 17 on do not look at it for indexes and "
        "materialized views)."
    )
