"""Passwords that were hashed, as crypt(3), databases and frameworks write them."""

from __future__ import annotations

from ppr_assets.rules.finds.kind import RIGHT, Kind, prefixed

_BASE64 = rb"[0-9A-Za-z+/=.]"
_CRYPT = rb"[0-9A-Za-z./]"

_FORMS: tuple[tuple[str, str, bytes, bytes], ...] = (
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

HASHES: tuple[Kind, ...] = tuple(prefixed(*line) for line in _FORMS)
