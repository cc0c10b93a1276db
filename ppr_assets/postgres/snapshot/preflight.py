"""Looks before the dump: what would make pg_dump fail, or worse, succeed with less.

A privilege that is missing on a sequence has given wrong values, and row-level security silently
drops rows, so each object is looked at first and named when it is the obstacle.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.snapshot.snapshot import Snapshot
from ppr_assets.rules.naming import quote_identifier, table_key
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.wording import few

_UNREADABLE: LiteralString = """
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.objid = c.oid AND d.deptype = 'e')
  AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND CASE c.relkind
    WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
    ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END)
  AND c.relkind IN ('r', 'p', 'S')
ORDER BY 1, 2, 3
"""

_HIDDEN: LiteralString = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
ORDER BY 1, 2
"""

# The condition by which pg_dump decides to load partitions through their root.
_HASHED_BY_ENUM: LiteralString = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_partitioned_table p
JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_opclass o ON o.oid = ANY(p.partclass)
WHERE o.opcname = 'enum_ops' AND o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace
  AND p.partstrat = 'h'
ORDER BY 1, 2
"""

# By columns that only Dagster's tables have, as tables of these names may be anybody's.
_DAGSTERS: LiteralString = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND (c.relname, a.attname) IN (
  ('event_logs', 'dagster_event_type'), ('runs', 'run_body'), ('job_ticks', 'tick_body'),
  ('instigators', 'instigator_body'), ('daemon_heartbeats', 'daemon_type'),
  ('asset_keys', 'last_materialization'), ('snapshots', 'snapshot_body'))
ORDER BY 1, 2
"""

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

_SIZE: LiteralString = """
SELECT coalesce(pg_catalog.sum(pg_catalog.pg_table_size(oid)), 0)::bigint
FROM pg_catalog.pg_class WHERE oid = ANY(%s)
"""

SPARE_BYTES = 64 * 1024 * 1024


def require_dumpable(snapshot: Snapshot) -> None:
    """Raise :class:`PreconditionFailed` naming every object that stands in the way."""
    if unlogged := [key for key in CORE_TABLES if key in snapshot.without_rows]:
        raise PreconditionFailed(
            f"{few(unlogged, 5)} cannot be read on a standby: unlogged, with rows only on the "
            "primary",
            hint="set POSTGRES_HOST to the primary, or ALTER TABLE … SET LOGGED there.",
        )
    _require_core_tables(table.key for table in snapshot.tables)
    with snapshot.letting_go():
        _require_no_runs(snapshot.connection)
        _require_readable(snapshot.connection)
        _require_all_rows_visible(snapshot.connection)
        _require_no_passwords(snapshot.connection)
        _require_lasting_partitions(snapshot.connection)


def require_room(snapshot: Snapshot, folder: Path, *, previous_bytes: int | None) -> int:
    """The bytes that a dump may have: about those of the previous one, or of the tables.

    Raises :class:`PreconditionFailed` if ``folder`` lacks room for it.

    Needed are three times the expected size (what pg_dump writes, the file made of it, and the sort
    of its largest table) and some to spare. Expected is the previous dump's size, or the size of
    the tables, whichever is larger.
    """
    oids = [table.oid for table in snapshot.tables]
    with snapshot.letting_go():
        row = snapshot.connection.execute(_SIZE, [oids]).fetchone()
    assert row is not None
    need = 3 * max(int(row[0]), previous_bytes or 0) + SPARE_BYTES
    have = shutil.disk_usage(folder).free
    if have < need:
        raise PreconditionFailed(
            f"no room for a dump in `{folder}`: {_mebibytes(have)} free, {_mebibytes(need)} needed",
            hint="free some space there; nothing was written.",
        )
    return previous_bytes or int(row[0])


def _require_core_tables(keys: Iterable[str]) -> None:
    missing = sorted(set(CORE_TABLES) - set(keys))
    if missing:
        raise PreconditionFailed(
            f"this is not a database to dump: required tables missing: {', '.join(missing)}",
            hint="does POSTGRES_DB name the right database, and did its migrations run?",
        )


def _require_no_runs(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Dagster's own storage changes with every run, and its logs are for nobody else."""
    found = [table_key(schema, name) for schema, name in connection.execute(_DAGSTERS)]
    if found:
        raise PreconditionFailed(
            f"Dagster keeps its runs in this database, in {few(found, 5)}: they would be "
            "published, and no night would find the data unchanged",
            hint="give Dagster a database of its own (`CREATE DATABASE dagster`), name that in "
            "DAGSTER_POSTGRES_URL, and drop Dagster's tables here when their runs are not needed.",
        )


def _require_readable(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    found = connection.execute(_UNREADABLE).fetchall()
    if found:
        row = connection.execute("SELECT current_user").fetchone()  # who may be set to be another
        assert row is not None
        role = quote_identifier(row[0])
        unreadable = [f"{kind} {table_key(schema, name)}" for kind, schema, name in found]
        schemas = dict.fromkeys(schema for _, schema, _ in found)
        raise PreconditionFailed(
            f"role {role} may not read {few(unreadable, 5)}",
            hint=f"grant it as the owner: {' '.join(_grants(one, role) for one in schemas)} "
            "Tables whose rows are withheld as well: pg_dump locks what it defines, and the gate "
            "counts it.",
        )


def _grants(schema: str, role: str) -> str:
    name = quote_identifier(schema)
    return (
        f"GRANT USAGE ON SCHEMA {name} TO {role}; "
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role}; "
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {name} TO {role};"
    )


def _require_all_rows_visible(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    hidden = [table_key(schema, name) for schema, name in connection.execute(_HIDDEN)]
    if hidden:
        raise PreconditionFailed(
            f"row-level security may hide rows of {few(hidden, 5)}",
            hint="dump as a role with BYPASSRLS, or as the tables' owner where it is not FORCEd on "
            "that one too; a dump of the visible part would look whole.",
        )


def _require_no_passwords(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    if secrets := [*_foreign_secrets(connection)]:
        raise PreconditionFailed(
            f"the dump would publish a password: {few(secrets, 5)}",
            hint="drop the option (ALTER … OPTIONS (DROP …)), and keep what it says outside of the "
            "database, in the password file of the server's account for one.",
        )


def _foreign_secrets(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[str]:
    """Options of foreign servers, their tables and user mappings that look secret, in words that
    hold no value of any.

    pg_dump writes options as they are, and dumps are public. What an option means is known to its
    foreign-data wrapper alone, so names and values are judged by what they look like. Options of a
    user mapping that the role may not see do not matter: pg_dump leaves them out as well.
    """
    for kind, schema, name, whose, option in connection.execute(_OPTIONS):
        label, _, value = option.partition("=")
        if value and (_SECRET_NAME.search(label) or _SECRET_VALUE.search(value)):
            what = table_key(schema, name) if schema else quote_identifier(name)
            if whose:
                what = f"of {quote_identifier(whose)} for server {what}"
            yield f"{kind} {what} (option {quote_identifier(label)})"


def _require_lasting_partitions(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """The hash of an enum's value is another in every database, so such rows change partitions at
    a restore, and pg_dump writes no partition's rows as its own: nothing could be compared."""
    hashed = [table_key(schema, name) for schema, name in connection.execute(_HASHED_BY_ENUM)]
    if hashed:
        raise PreconditionFailed(
            f"partitioned by the hash of an enum: {few(hashed, 5)}",
            hint="partition by list, or by the hash of another column: in another database these "
            "rows belong to other partitions, so no restore could be compared with its dump.",
        )


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"
