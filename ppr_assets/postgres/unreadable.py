"""What to say of a table that the server itself cannot read."""

from __future__ import annotations

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

WAY_OUT = (
    "the last good dump stands, and nothing was changed. Look at the server's log and its disk, "
    "check the files with pg_amcheck, and where they are damaged restore the last dump "
    "(`ppr-assets restore`): that makes them anew beside the old ones."
)


def damaged(what: str, error: psycopg.Error) -> PreconditionFailed:
    """The error for ``what``, a table or an index, that the server could not read."""
    said = " ".join(str(error.diag.message_primary or error).split())
    return PreconditionFailed(f"{what} cannot be read: {said} ({error.sqlstate})", hint=WAY_OUT)
