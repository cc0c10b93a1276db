"""What a server's failures become: errors of the project's tree, in the server's own words.

A session's owner says what it is for; the statement that failed may be any of it. Failures that a
statement's own place knows better (a locked table, a missing privilege) are put into words there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ppr_assets.errors import DatabaseFailed, DatabaseUnreachable, PreconditionFailed

_AGAIN = (
    "look at the server's log, and run again when it is up; `ppr-assets status` says what stands."
)

SESSIONS_TAKEN = (
    "the server, the role or the database has all the sessions it may have. Wait until some have "
    "ended, or raise the limit."
)

ON_STANDBY = (
    "this standby ends who is in the way of what its primary does. Set hot_standby_feedback = on "
    "there, or a longer max_standby_streaming_delay, or dump the primary; else run again."
)

UNREADABLE = (
    "the last good dump stands, and nothing was changed. Look at the server's log and its disk, "
    "check the files with pg_amcheck, and where they are damaged restore the last dump "
    "(`ppr-assets restore`): that makes them anew beside the old ones."
)

_REINDEX = (
    "the rows are well, and the last good dump stands: REINDEX TABLE CONCURRENTLY makes the index "
    "anew. Look at the server's log and its disk, and check the other files with pg_amcheck."
)

_HINTS = {
    "0A": "the server, or what stands between, does not offer that; a direct connection may.",
    "25006": "is this a standby, or was default_transaction_read_only set? Ask the primary.",
    "26": "is a pooler in transaction mode between? Connect to the server itself.",
    "40": "the work of another session collided with this; run again.",
    "42501": "give the role that right, as the server names it; and see `ppr-assets doctor`.",
    "42P05": "is a pooler in transaction mode between? Connect to the server itself.",
    "53100": "make room on the server's disk, and run again; what was published still stands.",
    "53200": "the server lacks memory; its log says for what. Run again when it has some.",
    "53300": SESSIONS_TAKEN,
    "53": "the server lacks room or memory; its log says for what. Run again when it has some.",
    "55P03": "another session has it locked and kept it so. Run again when that has ended.",
    "57014": "a human or a time limit ended the statement; run again.",
    "58": UNREADABLE,
    "XX001": UNREADABLE,
    "XX002": _REINDEX,
}
"""By SQLSTATE, or by its class."""

_SERVERS_OWN = ("40", "53", "58")
"""Classes of collisions, of want of room or memory, and of files that cannot be read."""

_OF_ROWS = ("22", "23", "P0")
"""Classes of values that are not what they must be, of constraints, and of what functions raise."""

_GONE = ("08", "57P")
"""Classes after which there is no session any more."""

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

_OF_DAMAGE = re.compile(
    "missing chunk number|unexpected chunk (?:number|size)|invalid page in block"
    "|could not (?:read (?:block|file)|open file|access status of transaction)|data is corrupt"
    "|invalid memory alloc request size|database files are incompatible"
)
"""How the server says it; pg_dump passes on the words alone."""

_CLIENT_LOST = r"connection to server .* failed|server closed the connection|terminating connection"
_CLIENT_FAILED = r"could not extend file|No space left|out of memory|could not serialize|deadlock"


@contextmanager
def server_failures(where: str, doing: str) -> Iterator[None]:
    """Turn what a session at ``where`` fails of into :class:`DatabaseFailed`, or, where it was lost
    or not to be had, :class:`DatabaseUnreachable`."""
    try:
        yield
    except psycopg.Error as error:
        failure = server_failure(error, where, doing)
        raise failure from failure.__cause__


def server_failure(error: psycopg.Error, where: str, doing: str) -> DatabaseFailed:
    """The failure in one line; ``doing`` ends the sentence "while …". Its cause is ``error``, but
    where that may quote a row: a database holds what nobody has agreed to publish, and causes are
    printed and recorded."""
    failure = _failure(error, where, doing)
    failure.__cause__ = None if _may_quote_a_row(error) else error
    return failure


def _failure(error: psycopg.Error, where: str, doing: str) -> DatabaseFailed:
    state = error.sqlstate or ""
    words = _words(error)
    if is_lost(error):
        return DatabaseUnreachable(
            f"lost the session with {where} while {doing}: {words}", hint=_AGAIN
        )
    if state == "53300":
        return DatabaseUnreachable(f"no session with {where}: {words}", hint=_HINTS[state])
    return DatabaseFailed(
        f"{where} failed while {doing}: {words}{f' (SQLSTATE {state})' if state else ''}",
        hint=hint_for(error),
    )


def taken(words: str) -> bool:
    """Whether a session was refused for want of room; of these refusals there are only words."""
    return re.search(r"too many (connections|clients)|connection slots", words) is not None


def collided_on_standby(words: str) -> bool:
    """Whether a standby has ended a session or a statement for the sake of its primary."""
    return "conflict with recovery" in words


def tells_of_damage(words: str) -> bool:
    """Whether these are a server's words about files of its own that it cannot read."""
    return bool(_OF_DAMAGE.search(words))


def damaged(what: str, error: psycopg.Error) -> PreconditionFailed:
    """The error for ``what``, a table or an index, that the server could not read."""
    return PreconditionFailed(
        f"{what} cannot be read: {server_words(error)} ({error.sqlstate})",
        hint=_REINDEX if isinstance(error, psycopg.errors.IndexCorrupted) else UNREADABLE,
    )


def client_failure(words: str) -> type[DatabaseFailed] | None:
    """What pg_dump or psql died of, where the server itself was at fault; they tell no SQLSTATE."""
    if re.search(_CLIENT_LOST, words):
        return DatabaseUnreachable
    return DatabaseFailed if re.search(_CLIENT_FAILED, words) else None


def hint_for(error: psycopg.Error) -> str:
    """What helps against the server's refusal, as far as its SQLSTATE tells."""
    if collided_on_standby(str(error)):
        return ON_STANDBY
    state = error.sqlstate or ""
    servers_own = None if _may_quote_a_row(error) else error.diag.message_hint
    known = _HINTS.get(state) or _HINTS.get(state[:2]) or servers_own
    return known or "look at the server's log; `ppr-assets doctor` looks at each thing."


def is_servers_own(error: psycopg.Error) -> bool:
    """Whether it came of the server's state or of others at work in it: what was asked for, a dump
    for one, is not to blame."""
    return (error.sqlstate or "").startswith(_SERVERS_OWN)


def is_lost(error: psycopg.Error) -> bool:
    """Whether the session is gone, by the server's word or by its silence."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_GONE)


def server_words(error: psycopg.Error, *more: str | None) -> str:
    """What the server said, and ``more`` of it, in one line and not at any length."""
    parts = (error.diag.message_primary or str(error), *more)
    return "; ".join(" ".join(part.split())[:300] for part in parts if part)


def first_words(said: str) -> str:
    """What the server said to who could not connect, in one line without what stands in fields of
    their own behind it: details, and where in a function it was."""
    return " ".join(re.split(r"\n\w+\s?:\s", said, maxsplit=1)[0].split())


def _may_quote_a_row(error: psycopg.Error) -> bool:
    """Whether a value, a constraint or a function is the reason; of the latter the server says
    where in it."""
    return (error.sqlstate or "").startswith(_OF_ROWS) or bool(error.diag.context)


def _words(error: psycopg.Error) -> str:
    if _may_quote_a_row(error):
        by = error.diag.constraint_name
        return (
            f"something was refused{f' by the constraint {by}' if by else ''}, in words that may "
            "quote a row; the server's log has them"
        )
    return server_words(error, error.diag.message_detail) or "it gave no reason"
