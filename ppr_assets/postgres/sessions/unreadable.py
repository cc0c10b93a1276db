"""What to say of a table that the server itself cannot read."""

from __future__ import annotations

import re

import psycopg

from ppr_assets.errors import PreconditionFailed

DAMAGE = (
    psycopg.errors.DataCorrupted,
    psycopg.errors.IndexCorrupted,
    psycopg.errors.InternalError_,  # invalid memory alloc request size, could not find tuple …
    psycopg.errors.UndefinedFile,
    psycopg.errors.IoError,
)
"""What a server answers where its files are not what it wrote."""

REFUSED_BY_SYSTEM = "could not open file"
"""The SQLSTATE of this is that of a missing privilege, though no role lacks one."""

WAY_OUT = (
    "the last good dump stands, and nothing was changed. Look at the server's log and its disk, "
    "check the files with pg_amcheck, and where they are damaged restore the last dump "
    "(`ppr-assets restore`): that makes them anew beside the old ones."
)

REINDEX = (
    "the rows are well, and the last good dump stands: REINDEX TABLE CONCURRENTLY makes the index "
    "anew. Look at the server's log and its disk, and check the other files with pg_amcheck."
)

_WORDS = re.compile(
    "missing chunk number|unexpected chunk (?:number|size)|invalid page in block"
    "|could not (?:read (?:block|file)|open file|access status of transaction)|data is corrupt"
    "|invalid memory alloc request size|database files are incompatible"
)
"""How the server says it; pg_dump passes on the words alone."""


def tells_of_damage(words: str) -> bool:
    """Whether these are a server's words about files of its own that it cannot read."""
    return bool(_WORDS.search(words))


def damaged(what: str, error: psycopg.Error) -> PreconditionFailed:
    """The error for ``what``, a table or an index, that the server could not read."""
    said = " ".join(str(error.diag.message_primary or error).split())
    index = isinstance(error, psycopg.errors.IndexCorrupted)
    return PreconditionFailed(
        f"{what} cannot be read: {said} ({error.sqlstate})", hint=REINDEX if index else WAY_OUT
    )
