"""Passwords: hashed, in the address of a server, or in what a client is told to connect with."""

from __future__ import annotations

import re

from ppr_assets.rules.finds.kind import LEFT, RIGHT, Kind, prefixed

_BASE64 = rb"[0-9A-Za-z+/=.]"
_CRYPT = rb"[0-9A-Za-z./]"

_HASHES: tuple[tuple[str, str, bytes, bytes], ...] = (
    ("bcrypt hash", "openwall.com/crypt", rb"\$2[abxy]?\$[0-9]{2}\$", _CRYPT + rb"{53}"),
    ("Argon2 hash", "RFC 9106, PHC string format", rb"\$argon2(?:id|i|d)\$",
     rb"(?:v=[0-9]+\$)?[a-z]=[0-9a-z=,]+\$" + _BASE64 + rb"{8,}\$" + _BASE64 + rb"{16,}"),
    ("scrypt hash", "RFC 7914; passlib, Werkzeug and Django",
     rb"(?:\$?scrypt[$:]|\$s0\$|\$7\$)",
     rb"[^\s$]{0,200}(?:\$[^\s$]{1,200}){0,5}?\$?[^\s$]{40,}"),
    ("PBKDF2 hash", "RFC 8018; passlib, Werkzeug and Django",
     rb"(?i:pbkdf2)[_:$-]",
     rb"[0-9A-Za-z_:-]{0,40}\$(?:[^\s$]{1,200}\$){1,2}" + _BASE64 + rb"{20,}"),
    ("SHA-512 crypt hash", "akkadia.org/drepper, SHA-crypt", rb"\$6\$",
     rb"(?:rounds=[0-9]+\$)?[^\s$:]{1,16}\$" + _CRYPT + rb"{86}"),
    ("SHA-256 crypt hash", "akkadia.org/drepper, SHA-crypt", rb"\$5\$",
     rb"(?:rounds=[0-9]+\$)?[^\s$:]{1,16}\$" + _CRYPT + rb"{43}"),
    ("MD5 crypt hash", "crypt(5); httpd.apache.org, password formats", rb"\$(?:1|apr1)\$",
     rb"[^\s$:]{1,8}\$" + _CRYPT + rb"{22}"),
    ("yescrypt hash", "openwall.com/yescrypt", rb"\$g?y\$",
     _CRYPT + rb"+\$" + _CRYPT + rb"{1,86}\$" + _CRYPT + rb"{43}"),
    ("phpass hash", "openwall.com/phpass", rb"\$(?:[PH]\$[0-9A-Za-z./]|S\$D)",
     _CRYPT + rb"{30,51}"),
    ("PostgreSQL SCRAM verifier", "postgresql.org, pg_authid", rb"SCRAM-SHA-256\$",
     rb"[0-9]+:" + _BASE64 + rb"{8,}\$" + _BASE64 + rb"{40,}:" + _BASE64 + rb"{40,}"),
    ("PostgreSQL MD5 verifier", "postgresql.org, pg_authid", rb"md5[0-9a-f]{32}", RIGHT),
    ("LDAP password hash", "openldap.org, administrator's guide, password storage",
     rb"\{(?:S?SHA|S?MD5|S?SHA(?:256|384|512)|CRYPT)\}", rb"[0-9A-Za-z+/$.]{20,}"),
    ("MySQL password hash", "dev.mysql.com, password hashing", rb"\*[0-9A-F]{40}", RIGHT),
)  # fmt: skip

_NO_PASSWORD = re.compile(
    rb"""(?:[*x.]+|<.*|\$[{(A-Z].*|\$\w+|\{[A-Za-z_.]*\}|\{\{.*|\[.*|%[s({].*|%\w+%|[a-z_]+=|\.\.\.|\xe2\x80\xa6)\Z""",
    re.DOTALL,
)
"""What stands where a password is to be filled in."""

_URL = re.compile(
    rb"""(?<=[0-9A-Za-z])://[^\s/?#@:"'<>\\]*:(?P<password>[^\s/?#"'<>\\]+)@[0-9A-Za-z\[]"""
)

_TOKEN_URL = re.compile(
    rb"""(?<=[0-9A-Za-z])(?<!ssh)(?<!sftp)(?<!mailto)://"""
    rb"""(?P<token>[0-9A-Za-z_~%+=-]{12,}):?@[0-9A-Za-z\[]"""
)
_ESCAPE_OF_URL = re.compile(rb"%[0-9A-Fa-f]{2}")
_DIGITS_IN_TWO_PLACES = re.compile(rb"[0-9][^0-9]+[0-9]")
_DIGIT_INSIDE = re.compile(rb"(?=.*[a-z])(?=.*[A-Z]).*[0-9][A-Za-z]")

_GO_DSN = re.compile(
    rb"""(?<=\S):(?P<password>[^\s:]{1,200})@(?:tcp[46]?|unix)\([^\s()]{0,200}\)/"""
)

_PGPASS = re.compile(
    rb"""(?<![0-9A-Za-z._:/-])"""
    rb"""(?:(?:[0-9A-Za-z-]{1,63}\.[0-9A-Za-z.-]{1,200}|localhost|\*|/[^\s:]{1,200})"""
    rb""":(?:[0-9]{4,5}|\*)"""
    rb"""|[0-9A-Za-z_-]{1,63}:(?:543[0-9]|6432))"""
    rb""":(?:[^\s:\\]|\\.){1,63}:(?:[^\s:\\]|\\.){1,63}:(?P<password>[^\s:]{4,})"""
)

_VARIABLE = re.compile(
    rb"""(?<![0-9A-Za-z_])(?:PGPASSWORD|[A-Z][A-Z0-9_]{0,60}_(?:PASSWORD|PASSWD|PASS|PWD"""
    rb"""|PASSPHRASE|(?P<token>SECRET|TOKEN|(?:API|SECRET|ACCESS)_?KEY)))="""
    rb"""(?P<password>'[^'\n]{6,}'|"[^"\n]{6,}"|[^\s'"<>;&|]{6,})"""
)
_OF_A_PROGRAM = re.compile(rb"[A-Za-z_.:]+[(\[]|[A-Z0-9]*_[A-Z0-9_]*\Z")
"""A call, or another variable."""
_LETTER_AND_DIGIT = re.compile(rb"[A-Za-z][^A-Za-z0-9]*[0-9]|[0-9][^A-Za-z0-9]*[A-Za-z]")

_PASSWORD = re.compile(
    rb"""(?<![0-9A-Za-z])(?i:password|passwd|pwd)\s{0,3}=\s{0,3}"""
    rb"""(?P<password>'[^'\n]+'|"[^"\n]+"|\{[^}\n]+\}|[^\s;&,'"<>]+)"""
)
_PARTNER = re.compile(
    rb"(?<![0-9A-Za-z])(?i:host|hostaddr|server|address|addr|data source|dsn|dbname|database"
    rb"|initial catalog|user|user id|uid|user ?name)\s{0,3}=|(?i:jdbc|odbc):|://"
)
_AHEAD = re.compile(
    rb"""=\s{0,3}(?:'[^'\n]*'|"[^"\n]*"|[^\s;&,'"]+)[\s;&]{1,60}[A-Z_]{0,40}\Z|[?;&]\Z"""
)
_BEHIND = re.compile(
    rb"[\s;&]{1,60}(?:[A-Za-z_]{2,40}|(?i:data source|initial catalog|user id)) ?="
)
_SPACED = re.compile(rb"\s=|=\s")
_CALL = re.compile(rb"=\s*[\w.:]+\(")
_REACH = 300
"""Bytes on either side in which the rest of a connection string stands."""


def _is_password(match: re.Match[bytes], _column: str) -> bool:
    return _NO_PASSWORD.match(match["password"].strip(b"'\"")) is None


def _is_token(match: re.Match[bytes], _column: str) -> bool:
    """No plain name of a user: those have digits at their end, if any, or in one place."""
    token = _ESCAPE_OF_URL.sub(b"", match["token"])
    return any(form.search(token) for form in (_DIGITS_IN_TWO_PLACES, _DIGIT_INSIDE))


def _is_set(match: re.Match[bytes], column: str) -> bool:
    """A variable to a password, and not to what a program works out."""
    value = match["password"].strip(b"'\"")
    if _OF_A_PROGRAM.match(value) or not _is_password(match, column):
        return False
    return not match["token"] or (len(value) >= 16 and _LETTER_AND_DIGIT.search(value) is not None)


def _connects(match: re.Match[bytes], column: str) -> bool:
    """Another key and its value stand beside it, and something says where to, or as whom."""
    ahead = match.string[max(0, match.start() - _REACH) : match.start()]
    behind = match.string[match.end() : match.end() + _REACH]
    if _SPACED.search(match.group()):  # in a program, each line is an assignment of its own
        if _CALL.search(match.group()):
            return False
        ahead, behind = ahead.rpartition(b"\n")[2], behind.partition(b"\n")[0]
    return (
        (_AHEAD.search(ahead) is not None or _BEHIND.match(behind) is not None)
        and _PARTNER.search(ahead + b"\n" + behind) is not None
        and _is_password(match, column)
    )


PASSWORDS: tuple[Kind, ...] = (
    *(prefixed(*line) for line in _HASHES),
    Kind(
        "URL with a password", "RFC 3986, section 3.2.1",
        # A slash is `\/` in some JSON, and COPY doubles the backslash.
        trigger=rb"""://[^\s/?#@:"'<>\\]*:[^\s/?#@"'<>\\]+@"""
        .replace(b"/", rb"(?:\\\\)?/", 2),
        form=_URL,
        holds=_is_password,
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
        trigger=rb"@(?:tcp[46]?|unix)\(",
        form=_GO_DSN,
        holds=_is_password,
    ),
    Kind(
        "PostgreSQL password file", "postgresql.org, libpq, the password file",
        trigger=rb":(?:[0-9]{4,5}|\*):[^\s:]+:[^\s:]+:[^\s:]",
        form=_PGPASS,
        holds=_is_password,
    ),
    Kind(
        "secret in a variable", "docs.docker.com, environment files",
        trigger=rb"(?:_(?:PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|SECRET|TOKEN"
        rb"|(?:API|SECRET|ACCESS)_?KEY)|PGPASSWORD)=",
        form=_VARIABLE,
        holds=_is_set,
    ),
    prefixed(
        "Oracle JDBC password", "docs.oracle.com, JDBC", rb"jdbc:oracle:",
        rb"[a-z0-9]{1,20}:[^\s/@]{1,100}/[^\s@]{1,200}@",
    ),
    Kind(
        "Authorization header", "RFC 9110, RFC 7617, RFC 6750",
        trigger=rb"(?i:authorization)",
        form=re.compile(
            LEFT + rb"""(?i:authorization)[\\"'\s:=,]{1,12}(?i:basic|bearer)\s{1,3}"""
            rb"""(?P<password>[0-9A-Za-z+/=._~-]{16,})"""
        ),
        holds=_is_password,
    ),
)  # fmt: skip
