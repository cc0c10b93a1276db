"""Make a database like another one, and give it what that one was given by ALTER and GRANT."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from ppr_assets.postgres.databases.comment import comment_on, without_notes
from ppr_assets.postgres.sessions.computing import read_locale
from ppr_assets.postgres.sessions.live_sessions import Connection

_DATABASE: LiteralString = """
SELECT pg_catalog.to_jsonb(d), pg_catalog.pg_encoding_to_char(d.encoding),
  pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text,
  t.spcname::pg_catalog.text, pg_catalog.shobj_description(d.oid, 'pg_database')
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = %s
"""

_GRANTS: LiteralString = """
SELECT CASE a.grantee WHEN 0 THEN NULL
    ELSE pg_catalog.pg_get_userbyid(a.grantee)::pg_catalog.text END,
  a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a WHERE d.datname = %s
"""

_SETTINGS: LiteralString = """
SELECT CASE s.setrole WHEN 0 THEN NULL
    ELSE pg_catalog.pg_get_userbyid(s.setrole)::pg_catalog.text END, c.entry
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
  pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c(entry, place)
WHERE d.datname = %s ORDER BY 1 NULLS FIRST, c.place
"""

_FOR_SUPERUSERS: LiteralString = """
SELECT e.name::pg_catalog.text FROM pg_catalog.pg_available_extensions e
JOIN pg_catalog.pg_available_extension_versions v ON v.name = e.name
  AND v.version = e.default_version
WHERE v.superuser AND NOT v.trusted AND e.name::pg_catalog.text = ANY(%s) ORDER BY 1
"""

_LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
"""Settings whose stored value is a list of quoted names (pg_dump knows the same ones)."""

_NO_LIMIT = -1

_PROVIDERS_SINCE = 150000
"""The server's version that knows locales by others than the system's library."""

_ITEM = re.compile(r'"((?:[^"]|"")*)"|([^,\s"]+)')


def options_like(connection: Connection, name: str) -> Sequence[sql.Composed]:
    """Options of CREATE DATABASE that make another one with the same owner, encoding, collation
    and tablespace. ``name`` must exist."""
    _, encoding, owner, tablespace, _ = _database(connection, name)
    options = [
        sql.SQL("OWNER {}").format(sql.Identifier(owner)),
        *options_of(connection, read_locale(connection, name), encoding),
    ]
    if tablespace != "pg_default":  # naming that one takes a privilege that using it does not
        options.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(tablespace)))
    return options


def options_of(
    connection: Connection, locale: Mapping[str, str], encoding: str
) -> Sequence[sql.Composed]:
    """The same for a database that was elsewhere, with the locale that
    :func:`~ppr_assets.postgres.sessions.computing.read_locale` has read there."""
    provider = locale.get("provider", "libc")
    options = {"ENCODING": encoding, "LC_COLLATE": locale["collate"], "LC_CTYPE": locale["ctype"]}
    if connection.info.server_version >= _PROVIDERS_SINCE:
        options["LOCALE_PROVIDER"] = provider  # which need not be the one of the template
    if provider != "libc":
        options[f"{provider.upper()}_LOCALE"] = locale.get("locale", "")
    if "rules" in locale:
        options["ICU_RULES"] = locale["rules"]
    return [sql.SQL("{} {}").format(_keyword(n), sql.Literal(v)) for n, v in options.items()]


def options_for(
    connection: Connection, encoding: str, collation: str | None
) -> Sequence[sql.Composable]:
    """The same for a database that is like none here; without ``collation`` the server's own."""
    options: dict[str, sql.Composable] = {"ENCODING": sql.Literal(encoding)}
    if collation is not None:
        options |= {"LC_COLLATE": sql.Literal(collation), "LC_CTYPE": sql.Literal(collation)}
    row = connection.execute(
        "SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database "
        "WHERE datname = 'template0'"
    ).fetchone()
    if row != (encoding,) and connection.info.server_version >= _PROVIDERS_SINCE:
        options["LOCALE_PROVIDER"] = sql.SQL("libc")  # the others are for UTF-8, or nearly so
    return [sql.SQL("{} {}").format(_keyword(word), value) for word, value in options.items()]


def extensions_for_superusers(connection: Connection, names: Sequence[str]) -> Sequence[str]:
    """Those of ``names`` that only a superuser may create on this server."""
    rows = connection.execute(_FOR_SUPERUSERS, [list(names)])
    return [name for (name,) in rows]


def copied(connection: Connection, source: str, to: str) -> Sequence[str]:
    """Copy grants, settings (of roles as well) and comment.

    Returns what could not be copied, in words: what the source owes to a superuser, or what the
    server no longer takes.
    """
    return _refused(connection, _statements(connection, source, to))


def set_all(connection: Connection, database: str, settings: Mapping[str, str]) -> Sequence[str]:
    """Set them for a database. Returns what the server does not take, in words."""
    whose = sql.SQL("DATABASE {}").format(sql.Identifier(database))
    return _refused(
        connection,
        (
            (f"setting {name} = {value}", _set(whose, name, value))
            for name, value in settings.items()
        ),
    )


def _refused(
    connection: Connection, statements: Iterable[tuple[str, sql.Composed]]
) -> Sequence[str]:
    """Run each, and say which the server does not take."""
    refused = []
    for what, statement in statements:
        try:
            connection.execute(statement)
        except psycopg.OperationalError:  # the server, not the statement
            raise
        except psycopg.Error as error:
            refused.append(f"{what}: {error.diag.message_primary}")
    return refused


def copy_limit(connection: Connection, source: str, to: str) -> None:
    """Allow as many sessions in ``to`` as in ``source``; any number where a DROP DATABASE of that
    was interrupted, which the server notes in the same place."""
    found, *_ = _database(connection, source)
    statement = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    limit = max(found["datconnlimit"], _NO_LIMIT)
    connection.execute(statement.format(sql.Identifier(to), sql.Literal(limit)))


def _statements(connection: Connection, source: str, to: str) -> Iterator[tuple[str, sql.Composed]]:
    found, _, owner, _, comment = _database(connection, source)
    database = sql.Identifier(to)
    if found["datacl"] is not None:
        revoke = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}")
        yield "privileges", revoke.format(database, sql.Identifier(owner))
        yield from _grants(connection, source, database)
    for role, entry in connection.execute(_SETTINGS, [source]).fetchall():
        name, _, value = entry.partition("=")
        whose = sql.SQL("DATABASE {}").format(database)
        if role is not None:
            whose = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
        what = f"setting {name}" + (f" of role {role}" if role is not None else "")
        yield what, _set(whose, name, value)
    if comment is not None and (copied := without_notes(comment)):
        yield "comment", comment_on(to, copied)


def _grants(
    connection: Connection, source: str, database: sql.Identifier
) -> Iterator[tuple[str, sql.Composed]]:
    for role, privilege, grantable in connection.execute(_GRANTS, [source]).fetchall():
        yield (
            f"{privilege} for {role or 'PUBLIC'}",
            sql.SQL("GRANT {} ON DATABASE {} TO {} {}").format(
                _keyword(privilege),
                database,
                sql.SQL("PUBLIC") if role is None else sql.Identifier(role),
                sql.SQL("WITH GRANT OPTION" if grantable else ""),
            ),
        )


def _set(whose: sql.Composed, name: str, value: str) -> sql.Composed:
    return sql.SQL("ALTER {} SET {} TO {}").format(
        whose, sql.Identifier(*name.split(".")), _value(name, value)
    )


def _value(name: str, value: str) -> sql.Composable:
    if name not in _LISTS:
        return sql.Literal(value)
    items = [quoted.replace('""', '"') or bare for quoted, bare in _ITEM.findall(value)]
    return sql.SQL(", ").join(map(sql.Literal, items)) if items else sql.Literal("")


def _database(connection: Connection, name: str) -> tuple[Any, ...]:
    row = connection.execute(_DATABASE, [name]).fetchone()
    assert row is not None, f"no database {name}"
    return row


def _keyword(word: str) -> sql.SQL:
    assert re.fullmatch(r"[A-Z_]+", word), word
    return sql.SQL(word)  # matched above
