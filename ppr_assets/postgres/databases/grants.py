"""Who may do what with the objects of a database, and to have the same in another one.

No dump of ours holds privileges. Here they are read from the catalog of a database that has them,
held to what another one has, and given there one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import LiteralString, NamedTuple

import psycopg
from msgspec import Struct
from psycopg import sql

from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.rules.wording import few

# By kind: the word after GRANT … ON, the object, its owner and its access list. What an extension
# has made comes with the extension, and superusers need nothing.
_OBJECTS: LiteralString = """
WITH mine AS (
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word,
    'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid, c.relowner AS owner,
    coalesce(c.relacl, pg_catalog.acldefault(
      (CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::pg_catalog."char", c.relowner)) AS acl
  FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND c.relpersistence <> 't' AND c.relnamespace = ANY(%(schemas)s)
  UNION ALL
  SELECT 'ROUTINE', 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.proowner,
    coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))
  FROM pg_catalog.pg_proc p WHERE p.pronamespace = ANY(%(schemas)s)
  UNION ALL
  SELECT 'TYPE', 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, t.typowner,
    coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))
  FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
  WHERE t.typnamespace = ANY(%(schemas)s) AND t.typtype <> 'm'
    AND coalesce(c.relkind = 'c', true) AND t.typelem = 0
  UNION ALL
  SELECT 'SCHEMA', 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid, n.nspowner,
    coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))
  FROM pg_catalog.pg_namespace n WHERE n.oid = ANY(%(schemas)s)
  UNION ALL
  SELECT 'LANGUAGE', 'pg_catalog.pg_language'::pg_catalog.regclass, l.oid, l.lanowner,
    coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner))
  FROM pg_catalog.pg_language l WHERE l.lanpltrusted
  UNION ALL
  SELECT 'FOREIGN DATA WRAPPER', 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, w.oid,
    w.fdwowner, coalesce(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner))
  FROM pg_catalog.pg_foreign_data_wrapper w
  UNION ALL
  SELECT 'FOREIGN SERVER', 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, s.oid, s.srvowner,
    coalesce(s.srvacl, pg_catalog.acldefault('S', s.srvowner))
  FROM pg_catalog.pg_foreign_server s
  UNION ALL
  SELECT 'LARGE OBJECT', 'pg_catalog.pg_largeobject'::pg_catalog.regclass, o.oid, o.lomowner,
    coalesce(o.lomacl, pg_catalog.acldefault('L', o.lomowner))
  FROM pg_catalog.pg_largeobject_metadata o
)
SELECT m.word, CASE m.word WHEN 'LARGE OBJECT' THEN m.oid::pg_catalog.text
    ELSE (pg_catalog.pg_identify_object(m.class, m.oid, 0)).identity END, '',
  CASE m.owner WHEN a.grantee THEN true ELSE false END,
  CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
  a.privilege_type, a.is_grantable
FROM mine m LEFT JOIN LATERAL pg_catalog.aclexplode(m.acl) a
  ON a.grantee NOT IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = m.class AND d.objid = m.oid AND d.deptype = 'e')
UNION ALL
SELECT 'TABLE', (pg_catalog.pg_identify_object(
    'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0)).identity,
  pg_catalog.quote_ident(t.attname), a.grantee = c.relowner,
  CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
  a.privilege_type, a.is_grantable
FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid,
  pg_catalog.aclexplode(t.attacl) a
WHERE c.relnamespace = ANY(%(schemas)s) AND NOT t.attisdropped AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
    AND d.deptype = 'e')
"""

_SCHEMAS: LiteralString = """
SELECT coalesce(pg_catalog.array_agg(oid), '{}') FROM pg_catalog.pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
"""

_DEFAULTS: LiteralString = """
SELECT pg_catalog.pg_get_userbyid(d.defaclrole), pg_catalog.quote_ident(n.nspname),
  CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
    WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
  CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
  a.privilege_type, a.is_grantable, a.taken
FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace,
  LATERAL (
    SELECT grantee, privilege_type, is_grantable, false AS taken
    FROM pg_catalog.aclexplode(d.defaclacl)
    UNION ALL (
      SELECT grantee, privilege_type, is_grantable, true FROM pg_catalog.aclexplode(
        pg_catalog.acldefault(d.defaclobjtype, d.defaclrole))
      WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')
      EXCEPT
      SELECT grantee, privilege_type, is_grantable, true FROM pg_catalog.aclexplode(d.defaclacl)
    )
  ) a
WHERE a.grantee <> d.defaclrole
"""


class Right(NamedTuple):
    """What ``role`` (None: everybody) may do; ``column`` is quoted, and empty for all of it."""

    column: str
    role: str | None
    privilege: str
    grantable: bool


class Default(NamedTuple):
    """What a role gets of objects that ``maker`` will make, in one schema (quoted) or in any;
    ``taken``: what everybody gets by itself, and shall not."""

    maker: str
    schema: str | None
    objects: str
    role: str | None
    privilege: str
    grantable: bool
    taken: bool


Object = tuple[str, str]
"""The word for its kind in GRANT, and its name as SQL has it."""


class Grants(Struct, frozen=True):
    """By object the rights of all but its owner; ``owned``: those of the owners, who may be others
    than those of the same objects elsewhere."""

    rights: Mapping[Object, frozenset[Right]]
    owned: Mapping[Object, frozenset[Right]]
    defaults: frozenset[Default]


class GrantStep(NamedTuple):
    """A statement, and in words what it gives or takes of what."""

    role: str | None
    privileges: str
    whose: str
    statement: sql.Composed


def read_grants(connection: Connection) -> Grants:
    """Raises psycopg's errors."""
    row = connection.execute(_SCHEMAS).fetchone()
    assert row is not None
    rights: dict[Object, set[Right]] = {}
    owned: dict[Object, set[Right]] = {}
    for word, name, column, own, role, privilege, grantable in connection.execute(
        _OBJECTS, {"schemas": row[0]}
    ):
        rights.setdefault((word, name), set())
        if privilege is not None:
            kept = owned if own else rights
            kept.setdefault((word, name), set()).add(Right(column, role, privilege, grantable))
    return Grants(
        {key: frozenset(found) for key, found in rights.items()},
        {key: frozenset(found) for key, found in owned.items()},
        frozenset(Default(*found) for found in connection.execute(_DEFAULTS)),
    )


def missing_grants(former: Grants, new: Grants) -> Sequence[GrantStep]:
    """What has to be done in the one for everybody to have what they have in the other. Of objects
    that are not there nothing can be given, and nobody needs it."""
    return [*_of_objects(former, new), *_of_defaults(former, new)]


def give(connection: Connection, steps: Sequence[GrantStep]) -> Sequence[str]:
    """Run the steps; returns in words those that the server refused, each as if never begun."""
    refused = []
    for step in steps:
        try:
            with connection.transaction():
                connection.execute(step.statement)
        except psycopg.OperationalError:  # the server, not the statement
            raise
        except psycopg.Error as error:
            refused.append(
                f"{step.privileges} on {step.whose} for {step.role or 'PUBLIC'}: "
                f"{error.diag.message_primary}"
            )
    return refused


def in_words(steps: Sequence[GrantStep], most: int = 6) -> str:
    """By role, of how many objects which privileges: ``web (SELECT of 25, USAGE of 1), …``."""
    roles: dict[str, dict[str, int]] = {}
    for step in steps:
        counts = roles.setdefault(step.role or "PUBLIC", {})
        counts[step.privileges] = counts.get(step.privileges, 0) + 1
    said = [
        f"{role} ({', '.join(f'{word} of {number}' for word, number in counts.items())})"
        for role, counts in sorted(roles.items())
    ]
    return few(said, most)


def _of_objects(former: Grants, new: Grants) -> Iterator[GrantStep]:
    for key in sorted(former.rights.keys() & new.rights.keys()):
        owners = {right.role for right in new.owned.get(key, ())}
        wanted = {
            right
            for right in former.rights[key] | former.owned.get(key, frozenset())
            if right.role not in owners
        }
        have = new.rights[key]
        for right, privileges in _grouped(have - wanted):
            yield _step("REVOKE", key, right, privileges)
        for right, privileges in _grouped(wanted - have):
            yield _step("GRANT", key, right, privileges)


def _grouped(rights: frozenset[Right] | set[Right]) -> Iterator[tuple[Right, list[str]]]:
    """One of those that differ in nothing but the privilege, and all their privileges."""
    groups: dict[tuple[str, str | None, bool], list[Right]] = {}
    for right in sorted(rights, key=str):
        groups.setdefault((right.column, right.role, right.grantable), []).append(right)
    for group in groups.values():
        yield group[0], [right.privilege for right in group]


def _step(verb: LiteralString, key: Object, right: Right, privileges: list[str]) -> GrantStep:
    word, name = key
    column = f" ({right.column})" if right.column else ""
    what = ", ".join(f"{privilege}{column}" for privilege in privileges)
    return GrantStep(
        right.role,
        what if verb == "GRANT" else f"no {what}",
        f"{word.lower()} {name}",
        sql.SQL("{} {} ON {} {} {}").format(
            sql.SQL(verb),
            sql.SQL(what),  # as the server's catalog has these, quoted there
            sql.SQL(word),
            sql.SQL(name),
            _whom(verb, right.role, grantable=right.grantable),
        ),
    )


def _of_defaults(former: Grants, new: Grants) -> Iterator[GrantStep]:
    for one in sorted(former.defaults - new.defaults, key=str):
        where: sql.Composable = sql.SQL("")
        if one.schema is not None:
            if ("SCHEMA", one.schema) not in new.rights:
                continue
            where = sql.SQL(f"IN SCHEMA {one.schema}")
        verb: LiteralString = "REVOKE" if one.taken else "GRANT"
        statement = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} {} {} {} ON {} {}").format(
            sql.Identifier(one.maker),
            where,
            sql.SQL(verb),
            sql.SQL(one.privilege),
            sql.SQL(one.objects),
            _whom(verb, one.role, grantable=one.grantable),
        )
        whose = f"later {one.objects.lower()} of {one.maker}"
        what = f"no {one.privilege}" if one.taken else one.privilege
        yield GrantStep(one.role, what, whose, statement)


def _whom(verb: LiteralString, role: str | None, *, grantable: bool) -> sql.Composed:
    return sql.SQL("{} {} {}").format(
        sql.SQL("TO" if verb == "GRANT" else "FROM"),
        sql.SQL("PUBLIC") if role is None else sql.Identifier(role),
        sql.SQL("WITH GRANT OPTION" if grantable and verb == "GRANT" else ""),
    )
