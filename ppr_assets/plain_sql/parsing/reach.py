"""How far a statement of a dump reaches: beyond its database, or beyond its transaction.

A dump is code that runs with the rights of who restores it, in its functions above all; nobody can
tell what those do. But no dump of one database has a statement about the server's roles, databases
or files, so one that does is not run at all.
"""

from __future__ import annotations

import re
from typing import Literal

from ppr_assets.plain_sql.parsing.scanner import TAG, alone

_ESCAPED = rb"'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\Z)"
_QUOTED = re.compile(
    rb"--[^\n]*"
    rb"|/\*.*?(?:\*/|\Z)"
    rb"|" + alone(rb"\$") + rb"(?P<tag>" + TAG + rb")?\$"
    rb".*?(?:\$(?(tag)(?P=tag))\$|\Z)"
    rb"|" + alone(rb"e") + _ESCAPED + rb"|" + alone(rb"E") + _ESCAPED +
    rb"|'[^']*(?:''[^']*)*(?:'|\Z)"
    rb'|"[^"]*(?:""[^"]*)*(?:"|\Z)',
    re.DOTALL,
)  # fmt: skip
"""Up to its end, or that of what is known of the statement."""
_SHARED = rb"(?:ROLE|USER(?!\s+MAPPING\b)|GROUP|DATABASE|TABLESPACE)\b"
_OUTSIDE = re.compile(
    rb"(?:CREATE|ALTER|DROP)\s+(?:" + _SHARED + rb"|SYSTEM\b)"
    + rb"|COMMENT\s+ON\s+" + _SHARED
    + rb"|SECURITY\s+LABEL\s[^;]*\bON\s+" + _SHARED
    + rb"|(?:GRANT|REVOKE)\s[^;]*\bON\s+(?:DATABASE|TABLESPACE|PARAMETER)\b"
    + rb"|(?:GRANT|REVOKE)\s(?![^;]*\sON\s)"
    + rb"|(?:DROP|REASSIGN)\s+OWNED\b"
    + rb"|LOAD\s"
    + rb"|COPY\s[^;]*\b(?:FROM|TO)\s+(?:PROGRAM\b|'')",
    re.IGNORECASE,
)  # fmt: skip
_TRANSACTION = re.compile(
    rb"(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|ROLLBACK(?!\s+TO\b)|"
    rb"PREPARE\s+TRANSACTION)\b(?!\s+ATOMIC)",
    re.IGNORECASE,
)


Reach = Literal["", "transaction", "outside"]


def reach_of(statement: bytes) -> Reach:
    """``outside``: it is about what all databases of a server share, or about the server's files.
    ``transaction``: it begins or ends one, in which somebody else may have put it."""
    each = [one.lstrip() for one in _QUOTED.sub(_left_of, statement).split(b";")]
    if any(map(_OUTSIDE.match, each)):
        return "outside"
    return "transaction" if any(map(_TRANSACTION.match, each)) else ""


def _left_of(quoted: re.Match[bytes]) -> bytes:
    text = quoted.group()
    if text.startswith((b"--", b"/*")):
        return b" "
    return b"x" if text.startswith(b'"') else b"''"
