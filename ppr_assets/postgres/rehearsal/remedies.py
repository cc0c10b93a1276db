"""What lets a role make what it may not: the statement, and who runs it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ppr_assets.postgres.rehearsal.rehearsal import RefusedObject
from ppr_assets.rules.naming import quote_identifier

_GRANTABLE = (
    (re.compile(r"tablespace (\S+)$"), "GRANT CREATE ON TABLESPACE {} TO {};"),
    (re.compile(r"to set parameter \"(\S+)\"$"), "GRANT SET ON PARAMETER {} TO {};"),
    (re.compile(r"permission denied for database (\S+)$"), "GRANT CREATE ON DATABASE {} TO {};"),
    (re.compile(r"permission denied for schema (\S+)$"), "GRANT CREATE ON SCHEMA {} TO {};"),
)
"""What is granted once for a server or a database. All else is asked of superusers, or has to be
granted in the database that new ones are copies of."""

_WRAPPER = re.compile(r'foreign-data wrapper "?([^"]+?)"?( does not exist)?$')
_USE_WRAPPER = "GRANT USAGE ON FOREIGN DATA WRAPPER {} TO {};"


def remedies(refused: Sequence[RefusedObject], role: str, *, database: str = "") -> Sequence[str]:
    """For whoever administers the server: a sentence with a statement for each way out. What is to
    be made goes into ``database``, or into the template of new ones."""
    place = f"database {database}" if database else "template1"
    quoted = quote_identifier(role)
    may_not = [one for one in refused if one.reason == "role"]
    found: dict[str, None] = {}
    extensions = [one.name for one in may_not if one.kind == "EXTENSION"]
    wrappers = _wrappers(refused, quoted)
    if extensions:
        made = [f"CREATE EXTENSION {quote_identifier(name)};" for name in extensions]
        found[
            f"A superuser makes the extension in {place} (`{' '.join([*made, *wrappers])}`)"
            + ("" if database else ": new databases are copies of that one then")
        ] = None
    for one in may_not:
        if one.kind == "EXTENSION":
            continue
        if one.kind == "TABLE DATA":
            table = f"{quote_identifier(one.schema)}.{quote_identifier(one.name)}"
            grant = f"GRANT SELECT, INSERT, TRUNCATE ON {table} TO {quoted};"
            found[f"A superuser runs `{grant}` in {place}, where the extension is"] = None
            continue
        if one.kind == "SERVER" and wrappers:
            found[f"A superuser runs `{' '.join(wrappers)}` in {place}"] = None
            continue
        for pattern, statement in _GRANTABLE:
            if match := pattern.search(one.words):
                found[f"A superuser runs `{statement.format(match[1], quoted)}`"] = None
                break
        else:
            found[
                f"PostgreSQL lets only a superuser make {_described(may_not)} "
                f"(`ALTER ROLE {quoted} SUPERUSER;`)"
            ] = None
    return [*found, *_missing_roles(refused)]


def _wrappers(refused: Sequence[RefusedObject], quoted: str) -> Sequence[str]:
    """What lets a role make servers of wrappers that an extension has brought, or would bring."""
    found = [_WRAPPER.search(one.words) for one in refused if one.kind == "SERVER"]
    names = dict.fromkeys(match[1] for match in found if match)
    return [_USE_WRAPPER.format(quote_identifier(name), quoted) for name in names]


def _described(refused: Sequence[RefusedObject]) -> str:
    others = [one.what for one in refused if one.kind not in ("EXTENSION", "TABLE DATA")]
    patterns = [_WRAPPER, *(pattern for pattern, _ in _GRANTABLE)]
    grantable = {
        one.what for one in refused if any(pattern.search(one.words) for pattern in patterns)
    }
    return ", ".join(what for what in others if what not in grantable)


def _missing_roles(refused: Sequence[RefusedObject]) -> Sequence[str]:
    """Roles that a policy or a user mapping names, and this server does not have."""
    texts = [
        one.words
        for one in refused
        if one.kind in ("POLICY", "USER MAPPING") and one.reason == "server"
    ]
    roles = {match[1] for text in texts if (match := re.search(r'role "(.+)" ', text))}
    return [f"Run `CREATE ROLE {quote_identifier(role)} NOLOGIN;`" for role in sorted(roles)]
