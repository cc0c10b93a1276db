"""Passwords: hashed, in the address of a server, or in what a client is told to connect with.

Those of settings and statements are ``settings``'s.
"""

from __future__ import annotations

import re

from ppr_assets.rules.finds.kind import RIGHT, FindKind, prefixed
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

_BASE64 = rb"[0-9A-Za-z+/=.]"
_CRYPT = rb"[0-9A-Za-z./]"

_HASHES: tuple[tuple[str, str, bytes, bytes], ...] = (
    ("bcrypt hash", "openwall.com/crypt; passlib and WordPress",
     rb"(?:(?:\$wp)?\$2[abxy]?\$[0-9]{2}\$|\$bcrypt-sha256\$)",
     rb"(?:[^\s$]{1,30}\$" + _CRYPT + rb"{22}\$" + _CRYPT + rb"{31}|" + _CRYPT + rb"{53})"),
    ("Argon2 hash", "RFC 9106, PHC string format", rb"(?:argon2)?\$argon2(?:id|i|d)\$",
     rb"(?:v=[0-9]+\$)?[a-z]=[0-9a-z=,]+\$" + _BASE64 + rb"{8,}\$" + _BASE64 + rb"{16,}"),
    ("scrypt hash", "RFC 7914; passlib, Werkzeug and Django",
     rb"(?:\$?scrypt[$:]|\$s0\$|\$7\$)",
     rb"[^\s$]{0,200}(?:\$[^\s$]{1,200}){0,5}?\$?[^\s$]{40,}"),
    ("PBKDF2 hash", "RFC 8018; passlib, Werkzeug and Django",
     rb"(?i:pbkdf2)[_:$.-]",
     rb"(?:[0-9A-Za-z_:-]{0,40}\$(?:[^\s$]{1,200}\$){1,2}" + _BASE64 + rb"{20,}"
     rb"|sha[0-9]{1,3}\.[0-9]+\.[0-9A-F]{32,}\.[0-9A-F]{40,})"),
    ("SHA-512 crypt hash", "akkadia.org/drepper, SHA-crypt", rb"\$6\$",
     rb"(?:rounds=[0-9]+\$)?[^\s$:]{1,16}\$" + _CRYPT + rb"{86}"),
    ("SHA-256 crypt hash", "akkadia.org/drepper, SHA-crypt", rb"\$5\$",
     rb"(?:rounds=[0-9]+\$)?[^\s$:]{1,16}\$" + _CRYPT + rb"{43}"),
    ("MD5 crypt hash", "crypt(5); httpd.apache.org, password formats", rb"\$(?:1|apr1)\$",
     rb"[^\s$:]{1,8}\$" + _CRYPT + rb"{22}"),
    ("yescrypt hash", "openwall.com/yescrypt", rb"\$g?y\$",
     _CRYPT + rb"+\$" + _CRYPT + rb"{1,86}\$" + _CRYPT + rb"{43}"),
    ("phpass hash", "openwall.com/phpass", rb"\$[PHS]\$[0-9A-Za-z./]",
     _CRYPT + rb"{30,51}"),
    ("PostgreSQL SCRAM verifier", "postgresql.org, pg_authid", rb"SCRAM-SHA-(?:1|256|512)\$",
     rb"[0-9]+:" + _BASE64 + rb"{8,}\$" + _BASE64 + rb"{27,}:" + _BASE64 + rb"{27,}"),
    ("PostgreSQL MD5 verifier", "postgresql.org, pg_authid", rb"md5[0-9a-f]{8}",
     rb"[0-9a-f]{24}" + RIGHT),
    ("LDAP password hash", "openldap.org, administrator's guide, password storage",
     rb"\{(?i:S?SHA|S?MD5|S?SHA(?:256|384|512)|CRYPT|ARGON2|PKCS5S2|PBKDF2(?:[_-]SHA[0-9]{1,3})?)\}",
     rb"[0-9A-Za-z+/$.,=-]{20,}"),
    ("MySQL password hash", "dev.mysql.com, password hashing", rb"\*[0-9A-F]{8}",
     rb"[0-9A-F]{32}" + RIGHT),
    ("MySQL SHA-2 password hash", "dev.mysql.com, caching_sha2_password", rb"\$A\$[0-9A-F]{3}\$",
     rb"[^\s$]{20}" + _CRYPT + rb"{43}"),
    ("SQL Server password hash", "learn.microsoft.com, PWDENCRYPT",
     rb"0[xX]0[12]00[0-9A-Fa-f]{4}",
     rb"(?:(?<=0100.{4})[0-9A-Fa-f]{44}|(?<=0200.{4})[0-9A-Fa-f]{132})" + RIGHT),
    ("Oracle password verifier", "docs.oracle.com, SYS.USER$", rb"[ST]:[0-9A-F]{8}",
     rb"[0-9A-F]{52}(?:[0-9A-F]{100})?" + RIGHT),
    ("SHA-1 crypt hash", "man.netbsd.org, crypt", rb"\$sha1\$",
     rb"[0-9]+\$" + _CRYPT + rb"{1,64}\$" + _CRYPT + rb"{28}"),
    ("Cisco password hash", "cisco.com, IOS passwords", rb"\$[89]\$",
     _CRYPT + rb"{14}\$" + _CRYPT + rb"{43}"),
    ("salted digest", "Django and Werkzeug, older hashers",
     rb"(?:md5|sha(?:1|224|256|384|512))\$[0-9A-Za-z]{1,32}\$", rb"[0-9a-f]{32,128}" + RIGHT),
    ("ASP.NET Identity hash", "learn.microsoft.com, PasswordHasher",
     rb"AQAAAA(?:EAACcQ|IAAYag)AAAAE", rb"[0-9A-Za-z+/]{50,}"),
)  # fmt: skip
"""Hashed, as crypt(3), databases and frameworks write them."""


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


PASSWORDS: tuple[FindKind, ...] = (
    *(prefixed(*line) for line in _HASHES),
    FindKind(
        "URL with a password", "RFC 3986, section 3.2.1",
        # A slash is `\/` in some JSON, and COPY doubles the backslash.
        trigger=rb""":(?:\\\\)?/(?:\\\\)?/[^\s/?#@:"'<>\\]*:[^\s@"'<>]+@""",
        form=_URL,
        holds=is_password,
    ),
    FindKind(
        "URL with a token", "RFC 3986, section 3.2.1",
        trigger=rb"://[0-9A-Za-z_~%+=-]{12,}:?@".replace(b"/", rb"(?:\\\\)?/"),
        form=_TOKEN_URL,
        holds=_is_token,
    ),
    FindKind(
        "connection string", "postgresql.org, libpq and JDBC; learn.microsoft.com, ADO.NET",
        trigger=rb"(?i:password|passwd|pwd) {0,3}=",
        form=_PASSWORD,
        holds=_connects,
    ),
    FindKind(
        "Go MySQL DSN", "github.com/go-sql-driver/mysql, DSN",
        trigger=rb"@(?:(?:tcp[46]?|unix)\(|(?:\\\\)?/[A-Za-z_])",
        form=_GO_DSN,
        holds=is_password,
    ),
    FindKind(
        "PostgreSQL password file", "postgresql.org, libpq, the password file",
        trigger=rb":(?:[0-9]{4,5}|\*):[^\s:]",
        form=_PGPASS,
        holds=is_password,
    ),
    prefixed(
        "Oracle JDBC password", "docs.oracle.com, JDBC", rb"jdbc:oracle:",
        rb"[a-z0-9]{1,20}:[^\s/@]{1,100}/[^\s@]{1,200}@",
    ),
    FindKind(
        "Oracle connect string", "docs.oracle.com, easy connect naming",
        trigger=rb"@(?:(?:\\\\)?/(?:\\\\)?/)?[0-9A-Za-z.-]{1,100}:(?:15[0-9][0-9]|2484)(?:\\\\)?[/:]",
        form=_EASY_CONNECT,
        holds=is_password,
    ),
    *SETTINGS,
)  # fmt: skip
