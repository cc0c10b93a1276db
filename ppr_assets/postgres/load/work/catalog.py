"""What the new database's catalog says about the order that its data must be loaded in.

Asked when all tables are there and no row is. A CHECK, a generated column or an index that calls
a function of the database's own may read any table, whatever the function claims, so what calls
one keeps its place in the dump's order. Functions in C and the server's own read no tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import LiteralString

from msgspec import Struct

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.naming import table_key

_TABLES: LiteralString = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind, EXISTS (
  SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.objid = c.oid AND d.deptype = 'e')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_PARENTS: LiteralString = "SELECT inhrelid::bigint, inhparent::bigint FROM pg_catalog.pg_inherits"

_OWN: LiteralString = """
SELECT p.oid, p.proname
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.oid >= 16384 AND l.lanname NOT IN ('internal', 'c')
"""

# Tables whose CHECKs, generated columns or partition keys call a function of the database's own.
_CALLING: LiteralString = f"""
WITH own AS ({_OWN}), operators AS (
  SELECT o.oid FROM pg_catalog.pg_operator o JOIN own ON o.oprcode = own.oid
), dependent AS (
  SELECT classid, objid FROM pg_catalog.pg_depend
  WHERE refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND refobjid IN (SELECT oid FROM own)
  UNION SELECT classid, objid FROM pg_catalog.pg_depend
  WHERE refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
    AND refobjid IN (SELECT oid FROM operators)
)
SELECT c.conrelid::bigint FROM dependent JOIN pg_catalog.pg_constraint c ON c.oid = objid
WHERE classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.conrelid <> 0
UNION SELECT d.adrelid::bigint FROM dependent JOIN pg_catalog.pg_attrdef d ON d.oid = objid
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.attgenerated <> ''
UNION SELECT c.oid::bigint FROM dependent JOIN pg_catalog.pg_class c ON c.oid = objid
WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relkind = 'p'
"""  # noqa: S608 - put together from constants

# Whether such a function can be called without its name being in the text: by an operator, an
# operator class, a cast, or the CHECK of a domain.
_HIDDEN: LiteralString = f"""
WITH own AS ({_OWN})
SELECT EXISTS (SELECT FROM pg_catalog.pg_operator JOIN own ON oprcode = own.oid)
  OR EXISTS (SELECT FROM pg_catalog.pg_amproc JOIN own ON amproc = own.oid)
  OR EXISTS (SELECT FROM pg_catalog.pg_cast JOIN own ON castfunc = own.oid)
  OR EXISTS (SELECT FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
    JOIN own ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = own.oid
    WHERE c.contypid <> 0)
"""  # noqa: S608 - put together from constants


class Catalog(Struct, frozen=True, dict=True):
    """Tables by their keys."""

    kinds: Mapping[str, str]
    """``r`` table, ``p`` partitioned table, ``m`` materialized view, ``f`` foreign table."""
    ancestors: Mapping[str, frozenset[str]]
    of_extensions: frozenset[str]
    """Tables that an extension has made, which may have rows of its own."""
    calling: frozenset[str]
    """Tables whose rows are checked by functions of the database's own."""
    hidden_calls: bool
    functions: re.Pattern[bytes] | None

    def calls(self, text: bytes) -> bool:
        """Whether this statement may call a function of the database's own."""
        return self.hidden_calls or bool(self.functions and self.functions.search(text))

    def reaches_elsewhere(self, key: str) -> bool:
        """Whether rows of this table are on a foreign server."""
        return any(self.kinds[name] == "f" for name in self.descendants(key))

    def descendants(self, key: str) -> frozenset[str]:
        return self._descendants.get(key, frozenset())

    @cached_property
    def _descendants(self) -> Mapping[str, frozenset[str]]:
        below: dict[str, set[str]] = {}
        for name, above in self.ancestors.items():
            for key in above:
                below.setdefault(key, set()).add(name)
        return {key: frozenset(names) for key, names in below.items()}


def read_catalog(connection: Connection) -> Catalog:
    found = connection.execute(_TABLES).fetchall()
    tables = {oid: (table_key(schema, name), kind) for oid, schema, name, kind, _ in found}
    parents: dict[int, set[int]] = {}
    for child, parent in connection.execute(_PARENTS):
        if child in tables and parent in tables:
            parents.setdefault(child, set()).add(parent)
    names = sorted({name for _, name in connection.execute(_OWN)})
    hidden = connection.execute(_HIDDEN).fetchone()
    assert hidden is not None
    return Catalog(
        kinds=dict(tables.values()),
        ancestors={
            key: frozenset(tables[oid][0] for oid in _above(child, parents))
            for child, (key, _) in tables.items()
        },
        of_extensions=frozenset(tables[oid][0] for oid, *_, extension in found if extension),
        calling=frozenset(tables[oid][0] for (oid,) in connection.execute(_CALLING)),
        hidden_calls=bool(hidden[0]),
        functions=_calls_of(names),
    )


def _above(child: int, parents: Mapping[int, set[int]]) -> set[int]:
    found: set[int] = set()
    new = parents.get(child, set())
    while new:
        found |= new
        new = {p for oid in new for p in parents.get(oid, set())} - found
    return found


def _calls_of(names: list[str]) -> re.Pattern[bytes] | None:
    """A dump names functions with their schema, and quotes what PostgreSQL says must be."""
    if not names:
        return None
    quoted = (name.replace('"', '""').encode("utf-8", "surrogateescape") for name in names)
    spelled = map(re.escape, quoted)
    return re.compile(rb'\."?(?:' + b"|".join(spelled) + rb')"?\(')
