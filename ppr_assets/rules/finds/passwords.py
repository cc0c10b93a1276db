"""Passwords: hashed, in the address of a server, or in what a client is told to connect with.

Those of settings and statements are ``settings``'s.
"""

from __future__ import annotations

import re

from ppr_assets.rules.finds.hashes import HASHES
from ppr_assets.rules.finds.kind import Kind, prefixed
from ppr_assets.rules.finds.settings import SETTINGS, is_password

_OF_DATABASES = (
    rb"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|clickhouse)"
    rb"(?:\+[0-9a-z]{1,20})?"
)
_URL = re.compile(
    rb"""(?:(?P<database>""" + _OF_DATABASES + rb""")|(?<=[0-9A-Za-z]))://[^\s/?#@:"'<>\\]*:"""
    rb"""(?P<password>(?(database)(?![0-9]{1,5}[/?#,])[^\s"'<>\\]{1,200}|[^\s/?#"'<>\\]+))"""
    rb"""@[0-9A-Za-z\[]"""
)
"""Clients of databases also take a slash, a question mark or a hash in a password as it is."""

_TOKEN_URL = re.compile(
    rb"""(?<=[0-9A-Za-z])(?<!ssh)(?<!sftp)(?<!mailto)://"""
    rb"""(?P<token>[0-9A-Za-z_~%+=-]{12,}):?@[0-9A-Za-z\[]"""
)
_ESCAPE_OF_URL = re.compile(rb"%[0-9A-Fa-f]{2}")
_DIGITS_IN_TWO_PLACES = re.compile(rb"[0-9][^0-9]+[0-9]")
_DIGIT_INSIDE = re.compile(rb"(?=.*[a-z])(?=.*[A-Z]).*[0-9][A-Za-z]")

_GO_DSN = re.compile(
    rb"""(?<=\S):(?P<password>[^\s:]{1,200})@(?:(?:tcp[46]?|unix)\([^\s()]{0,200}\)/|/[A-Za-z_])"""
)

_PGPASS = re.compile(
    rb"""(?<![0-9A-Za-z._:/-])"""
    rb"""(?:(?:[0-9A-Za-z-]{1,63}\.[0-9A-Za-z.-]{1,200}|localhost|\*|/[^\s:]{1,200})"""
    rb""":(?:[0-9]{4,5}|\*)"""
    rb"""|[0-9A-Za-z_-]{1,63}:(?:543[0-9]|6432))"""
    rb""":(?:[^\s:\\]|\\.){1,63}:(?:[^\s:\\]|\\.){1,63}:(?P<password>[^\s:]{4,})"""
)

_EASY_CONNECT = re.compile(
    rb"""(?<![0-9A-Za-z/.:_-])[A-Za-z][0-9A-Za-z_$#]{0,29}/(?P<password>[^\s/@]{3,60})"""
    rb"""@(?://)?[0-9A-Za-z.-]{1,100}:(?:15[0-9][0-9]|2484)[/:][A-Za-z]"""
)

_PASSWORD = re.compile(
    rb"""(?<![0-9A-Za-z])(?i:password|passwd|pwd)\s{0,3}=\s{0,3}"""
    rb"""(?P<password>'[^'\n]+'|"[^"\n]+"|\{[^}\n]+\}|[^\s;&,'"<>]+)"""
)
_PARTNER = re.compile(
    rb"(?<![0-9A-Za-z])(?i:host|hostaddr|server|address|addr|data source|dsn|dbname|database"
    rb"|initial catalog|user|user id|uid|user ?name)\s{0,3}=|(?i:jdbc|odbc):|://"
)
_BETWEEN = rb"(?:[\s;&,]|(?<=\n)>){1,60}"
"""Two settings; mail begins what it quotes by ``>``."""
_AHEAD = re.compile(
    rb"""=\s{0,3}(?:'[^'\n]*'|"[^"\n]*"|[^\s;&,'"]+)""" + _BETWEEN + rb"""[A-Z_]{0,40}\Z|[?;&]\Z"""
)
_BEHIND = re.compile(_BETWEEN + rb"(?:[A-Za-z_]{2,40}|(?i:data source|initial catalog|user id)) ?=")
_SPACED = re.compile(rb"\s=|=\s")
_SECTION = re.compile(rb"\[[^\[\]\n]{1,60}\][ \t]*\r?$", re.MULTILINE)
"""Of a file of settings."""
_CALL = re.compile(rb"=\s*[\w.:]+\(")
_REACH = 300
"""Bytes on either side in which the rest of a connection string stands."""


def _is_token(match: re.Match[bytes], _column: str) -> bool:
    """No plain name of a user: those have digits at their end, if any, or in one place."""
    token = _ESCAPE_OF_URL.sub(b"", match["token"])
    return any(form.search(token) for form in (_DIGITS_IN_TWO_PLACES, _DIGIT_INSIDE))


def _connects(match: re.Match[bytes], column: str) -> bool:
    """Another key and its value stand beside it, and something says where to, or as whom."""
    ahead = match.string[max(0, match.start() - _REACH) : match.start()]
    behind = match.string[match.end() : match.end() + _REACH]
    if _SPACED.search(match.group()) and _CALL.search(match.group()):
        return False
    if _SPACED.search(match.group()) and not _SECTION.search(ahead):
        # In a program, each line is an assignment of its own.
        ahead, behind = ahead.rpartition(b"\n")[2], behind.partition(b"\n")[0]
    return (
        (_AHEAD.search(ahead) is not None or _BEHIND.match(behind) is not None)
        and _PARTNER.search(ahead + b"\n" + behind) is not None
        and is_password(match, column)
    )


PASSWORDS: tuple[Kind, ...] = (
    *HASHES,
    Kind(
        "URL with a password", "RFC 3986, section 3.2.1",
        # A slash is `\/` in some JSON, and COPY doubles the backslash.
        trigger=rb""":(?:\\\\)?/(?:\\\\)?/[^\s/?#@:"'<>\\]*:[^\s@"'<>]+@""",
        form=_URL,
        holds=is_password,
    ),
    Kind(
        "URL with a token", "RFC 3986, section 3.2.1",
        trigger=rb"://[0-9A-Za-z_~%+=-]{12,}:?@".replace(b"/", rb"(?:\\\\)?/"),
        form=_TOKEN_URL,
        holds=_is_token,
    ),
    Kind(
        "connection string", "postgresql.org, libpq and JDBC; learn.microsoft.com, ADO.NET",
        trigger=rb"(?i:password|passwd|pwd) {0,3}=",
        form=_PASSWORD,
        holds=_connects,
    ),
    Kind(
        "Go MySQL DSN", "github.com/go-sql-driver/mysql, DSN",
        trigger=rb"@(?:(?:tcp[46]?|unix)\(|(?:\\\\)?/[A-Za-z_])",
        form=_GO_DSN,
        holds=is_password,
    ),
    Kind(
        "PostgreSQL password file", "postgresql.org, libpq, the password file",
        trigger=rb":(?:[0-9]{4,5}|\*):[^\s:]",
        form=_PGPASS,
        holds=is_password,
    ),
    prefixed(
        "Oracle JDBC password", "docs.oracle.com, JDBC", rb"jdbc:oracle:",
        rb"[a-z0-9]{1,20}:[^\s/@]{1,100}/[^\s@]{1,200}@",
    ),
    Kind(
        "Oracle connect string", "docs.oracle.com, easy connect naming",
        trigger=rb"@(?:(?:\\\\)?/(?:\\\\)?/)?[0-9A-Za-z.-]{1,100}:(?:15[0-9][0-9]|2484)(?:\\\\)?[/:]",
        form=_EASY_CONNECT,
        holds=is_password,
    ),
    *SETTINGS,
)  # fmt: skip
