"""Functions that the server calls as our role although no statement of ours names them.

To plan a query it works out in advance what it can of a table's indexes and statistics, and calls
their functions for that: whoever owns the table, or a function in them, would have it run with our
rights. COPY of a table plans nothing.
"""

from __future__ import annotations

from typing import LiteralString

from ppr_assets.postgres.sessions.computing import Connection

_CALLING_OTHERS: LiteralString = """
SELECT DISTINCT o.relid::bigint FROM (
  SELECT indrelid AS relid, 'pg_catalog.pg_class'::pg_catalog.regclass AS class, indexrelid AS oid
  FROM pg_catalog.pg_index WHERE indexprs IS NOT NULL OR indpred IS NOT NULL
  UNION ALL
  SELECT stxrelid, 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid
  FROM pg_catalog.pg_statistic_ext
) o
JOIN pg_catalog.pg_depend d ON d.classid = o.class AND d.objid = o.oid
LEFT JOIN pg_catalog.pg_operator op ON d.objsubid = 0 AND op.oid = d.refobjid
  AND d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
JOIN pg_catalog.pg_proc p ON p.oid = op.oprcode::pg_catalog.oid OR p.oid = d.refobjid
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
WHERE NOT r.rolsuper AND r.rolname <> current_user
"""


def calling_others(connection: Connection) -> frozenset[int]:
    """Tables and materialized views (by oid) in whose plans functions of a role would be called
    that is neither a superuser nor ours. What superusers have made may be called."""
    return frozenset(oid for (oid,) in connection.execute(_CALLING_OTHERS))
