"""Passwords and tokens in what programs are set up by: variables, JSON and YAML, headers of HTTP,
statements of SQL, files of clients. What stands before them says what they are."""

from __future__ import annotations

import re

from ppr_assets.rules.finds.kind import LEFT, FindKind

_NO_PASSWORD = re.compile(
    rb"""(?:[*x.]+|<.*|\$[{(A-Z].*|\$\w+|\{[A-Za-z_.]*\}|\{\{.*|\[.*|%[s({].*|%\w+%|[a-z_]+=|\.\.\.|\xe2\x80\xa6)\Z""",
    re.DOTALL,
)
"""What stands where a password is to be filled in."""

_LITERAL = rb"""(?P<password>'[^'\n]{6,}'|"[^"\n]{6,}"|[^\s'"<>;&|]{6,})"""
_VARIABLE = re.compile(
    rb"""(?<![0-9A-Za-z_])(?:PGPASSWORD|[A-Z][A-Z0-9_]{0,60}_(?:PASSWORD|PASSWD|PASS|PWD"""
    rb"""|PASSPHRASE|(?P<token>SECRET|TOKEN|(?:API|SECRET|ACCESS)_?KEY)))"""
    rb"""(?:=|["']?[ \t]{0,3}:[ \t]{1,3}|["']:)""" + _LITERAL
)
_OF_A_PROGRAM = re.compile(rb"[A-Za-z_.:]+[(\[]|[A-Z0-9]*_[A-Z0-9_]*\Z")
"""A call, or another variable."""
_LETTER_AND_DIGIT = re.compile(rb"[A-Za-z][^A-Za-z0-9]*[0-9]|[0-9][^A-Za-z0-9]*[A-Za-z]")

_NO_WORD = re.compile(rb"[^A-Za-z_.-]")
_PASSWORD_NAME = rb"(?:pass(?:word|wd|phrase)?|pwd)"
_TOKEN_NAME = rb"(?:secret|token|(?:api|secret|access|private|auth)[_-]?key)"
_MEMBER = re.compile(
    rb"""(?i:(?P<quote>["'])[0-9A-Za-z_-]{0,40}(?:""" + _PASSWORD_NAME + rb"""|(?P<token>"""
    + _TOKEN_NAME + rb"""))(?P=quote))\s{0,5}:\s{0,5}(?P<value>["'])"""
    rb"""(?P<password>[^\s"']{4,})(?P=value)"""
)  # fmt: skip
_LINE = re.compile(
    rb"""^[ \t>#]*(?:- )?"""
    + _PASSWORD_NAME
    + rb""":[ \t]{1,5}"?(?P<password>[^\s"']{4,})"?[ \t]*\r?$""",
    re.MULTILINE,
)
_OTHER_LINE = re.compile(
    rb"^[ \t>#]*(?:- )?(?:host(?:name)?|server|user(?:name)?|login|database|dbname|db|port)"
    rb":[ \t]+\S",
    re.MULTILINE,
)
_REACH = 300
"""Bytes on either side in which the other settings stand."""

_HEADER = re.compile(
    LEFT + rb"""(?i:authorization[\\"'\s:=,]{1,12}(?:basic|bearer|token|apikey|ssws)\s{1,3}"""
    rb"""|(?P<token>x-(?:[a-z]{2,20}-)?(?:api-?key|access-token|auth-(?:key|token))"""
    rb"""|private-token|ocp-apim-subscription-key)[\\"'\s:=,]{1,12})"""
    rb"""(?P<password>[0-9A-Za-z+/=._~-]{16,})"""
)
_QUOTED = rb"""(?P<sign>'{1,4})(?P<password>[^'\n]{1,200})(?P=sign)"""
_STATEMENT = re.compile(
    rb"""(?<![0-9A-Za-z_])(?i:(?:create|alter)\s{1,9}(?:role|user|group)\s[^;]{1,300}?\spassword"""
    rb"""|options\s{0,9}\([^)]{0,300}?(?<![0-9A-Za-z_])password"""
    rb"""|identified\s{1,9}(?:with\s{1,9}\S{1,60}\s{1,9})?by(?:\s{1,9}password)?)\s{0,9}"""
    + _QUOTED
)
_NETRC = re.compile(
    rb"""(?<![0-9A-Za-z])machine\s{1,60}\S{1,200}[\s>]{1,60}(?:login\s{1,60}\S{1,200}[\s>]{1,60})?"""
    rb"""password\s{1,60}(?P<password>\S{3,})"""
)
_CURL = re.compile(
    rb"""(?<![0-9A-Za-z])curl\s[^\n]{0,300}?(?<=\s)(?:-u|--user)[ =]?["']?[^\s:"']{1,100}:"""
    rb"""(?P<password>[^\s"':]{3,})"""
)
_DOCKER = re.compile(
    rb""""auths"\s{0,5}:\s{0,5}\{[^}]{0,300}"auth"\s{0,5}:\s{0,5}"(?P<password>[0-9A-Za-z+/=]{8,})\""""
)


def is_password(match: re.Match[bytes], _column: str) -> bool:
    """Whether its ``password`` is one, and no sign that one is to be filled in."""
    return _NO_PASSWORD.match(match["password"].strip(b"'\"")) is None


def _is_set(match: re.Match[bytes], column: str) -> bool:
    """A variable to a password, and not to what a program works out."""
    value = match["password"].strip(b"'\"")
    if _OF_A_PROGRAM.match(value) or not is_password(match, column):
        return False
    return not match["token"] or _is_like_a_token(value)


def _is_like_a_token(value: bytes) -> bool:
    return len(value) >= 16 and _LETTER_AND_DIGIT.search(value) is not None


def _is_member(match: re.Match[bytes], column: str) -> bool:
    """A password has a digit or a sign, which keeps words apart that only tell of one."""
    value = match["password"]
    if not is_password(match, column) or _OF_A_PROGRAM.match(value):
        return False
    if match["token"]:
        return _is_like_a_token(value)
    return _NO_WORD.search(value) is not None


def _is_line(match: re.Match[bytes], column: str) -> bool:
    ahead = match.string[max(0, match.start() - _REACH) : match.start()]
    behind = match.string[match.end() : match.end() + _REACH]
    return is_password(match, column) and any(map(_OTHER_LINE.search, (ahead, behind)))


def _is_header(match: re.Match[bytes], column: str) -> bool:
    if match["token"] and not _is_like_a_token(match["password"]):
        return False
    return is_password(match, column)


SETTINGS: tuple[FindKind, ...] = (
    FindKind(
        "secret in a variable", "docs.docker.com, environment files",
        trigger=rb"(?:_(?:PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|SECRET|TOKEN"
        rb"|(?:API|SECRET|ACCESS)_?KEY)|PGPASSWORD)(?:=|[\\\\\"']{0,12}[ \\\\t]{0,6}:)",
        form=_VARIABLE,
        holds=_is_set,
    ),
    FindKind(
        "secret in JSON", "RFC 8259; settings of programs",
        trigger=rb"(?i:pass(?:word|wd|phrase)?|pwd|secret|token"
        rb"|(?:api|secret|access|private|auth)[_-]?key)[\\\\\"']+[\s\\\\nrt]*:",
        form=_MEMBER,
        holds=_is_member,
    ),
    FindKind(
        "password in YAML", "yaml.org; settings of programs",
        trigger=_PASSWORD_NAME + rb":[ \\\\]",
        form=_LINE,
        holds=_is_line,
    ),
    FindKind(
        "Authorization header", "RFC 9110, RFC 7617, RFC 6750; services' own headers",
        trigger=rb"(?i:authorization|api-?key|access-token|auth-key|auth-token|private-token"
        rb"|subscription-key)[\\\\\"'\s:=,]",
        form=_HEADER,
        holds=_is_header,
    ),
    FindKind(
        "password in SQL", "postgresql.org, CREATE ROLE; dev.mysql.com, CREATE USER",
        trigger=rb"(?i:password|\sby|[nrt]by)[\s\\\\nrt]{0,9}'",
        form=_STATEMENT,
        holds=is_password,
    ),
    FindKind(
        "netrc password", "gnu.org, inetutils, the .netrc file",
        trigger=rb"machine[ \\\\]",
        form=_NETRC,
        holds=is_password,
    ),
    FindKind(
        "password for curl", "curl.se, manual, --user",
        trigger=rb"curl[\s\\\\]",
        form=_CURL,
        holds=is_password,
    ),
    FindKind(
        "Docker login", "docs.docker.com, config.json",
        trigger=rb"auths[\\\\]{0,8}\"",
        form=_DOCKER,
        holds=is_password,
    ),
)  # fmt: skip
