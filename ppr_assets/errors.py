"""Every expected failure of the project, in one tree, each with its exit code.

::

    PprError                    1  anything below that has no code of its own
    ├── SettingsError           2  a variable or an argument that cannot be used
    ├── GateRefused             3  floor or ratchet refused the dump
    │   ├── NoRecords           3  what would serve holds no record at all
    │   └── RatchetFileError    3  the mark cannot be read, so nothing may pass
    ├── DumpDamaged             4  a dump that is not whole, or not what its manifest says
    ├── DumpUnproven            4  a dump that did not restore to what it says, or was never tried
    ├── DatabaseFailed          5  the server did not do what it was asked
    │   └── DatabaseUnreachable 5  no session with the server, or no longer
    ├── DataRepoError           6  the data repository cannot be used
    │   ├── DumpMissing         6  there is no dump, or not the one asked for
    │   ├── GitTimeout          6  a git call was cut off by its time limit
    │   └── PushFailed          6  the commit is kept, the remote does not have it
    ├── Busy                    7  another run holds the lock, or others work on a table
    ├── PolicyRefused           8  something that nobody has agreed to publish
    │   └── PolicyUnreadable    8  the policy cannot be read, so nothing may be published
    ├── DumpFailed              1  pg_dump did not do its work
    ├── RestoreFailed           1  a restore ended early; the target serves as before
    │   └── FilesUnaccounted    1  nobody can say what became of a published file
    ├── PreconditionFailed      1  something a dump needs is missing; names the object
    ├── StorageFailed           1  Dagster's own storage cannot be used
    ├── QueryFailed             1  a query that SQLite refuses, or that went on for too long
    ├── CopyFailed              1  a copy outside git was not made, is missing, or is another
    ├── NotAsPublished          1  what others get is not what was published, or nobody gets it
    ├── Unexpected              1  a fault of this program, most likely; carries the whole story
    └── Cancelled             130  a human or the scheduler ended the run

A message is lowercase, says what, what there is and what is needed, and ends without a full
stop; ``hint`` is the way out, in sentences. Neither ever holds a secret.
"""

from __future__ import annotations

from typing import ClassVar


class PprError(Exception):
    """An expected failure: shown without a traceback, as ``message`` and ``HINT: hint``."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def render(self) -> str:
        """The text for a human: one line, and a second one with the way out where there is one."""
        return f"{self.message}\nHINT: {self.hint}" if self.hint else self.message


class SettingsError(PprError):
    exit_code = 2


class GateRefused(PprError):
    exit_code = 3


class NoRecords(GateRefused):
    """A dump or a replay that would give a database without records."""


class RatchetFileError(GateRefused):
    """The mark is missing, unreadable or not a mark; it is never read as zero."""


class DumpDamaged(PprError):
    exit_code = 4


class DumpUnproven(PprError):
    """A dump whose restore gave something else than it says, or that nobody has restored yet."""

    exit_code = 4


class DatabaseFailed(PprError):
    """A statement of ours failed, by no fault of the dump or the restore; in the server's words."""

    exit_code = 5


class DatabaseUnreachable(DatabaseFailed):
    """The server does not answer, lets nobody in, or has ended the session."""


class DataRepoError(PprError):
    exit_code = 6


class DumpMissing(DataRepoError):
    """The data repository holds no dump, or not the one that was asked for."""


class GitTimeout(DataRepoError):
    """A git call ran into its time limit; it and its children were killed."""


class PushFailed(DataRepoError):
    """Offline, refused, or outrun too often; the commit is kept and the next run delivers it."""


class Busy(PprError):
    exit_code = 7


class PolicyRefused(PprError):
    """A table, column or value that the publication policy does not let out; no override."""

    exit_code = 8


class PolicyUnreadable(PolicyRefused):
    """A policy file that is damaged; it is never read as one that allows something."""


class DumpFailed(PprError):
    """pg_dump ended badly, fell silent, or could not write; carries its own words."""


class RestoreFailed(PprError):
    """The load failed, or its deadline passed; the database it was meant for serves as before."""


class FilesUnaccounted(RestoreFailed):
    """Of a published file nobody can say what became of it; nothing was loaded."""


class PreconditionFailed(PprError):
    """A table, sequence, privilege, client tool or the room on the disk is missing."""


class StorageFailed(PprError):
    """What Dagster keeps runs and events in is damaged, locked or out of reach."""


class QueryFailed(PprError):
    """A query of a dump that is no SQL of SQLite, writes, or takes too much time or memory."""


class CopyFailed(PprError):
    """A place of copies cannot be used, or what it holds is not what was published."""


class NotAsPublished(PprError):
    """Whoever looked from outside has told of it by then, so that no run tells of it again."""


class Unexpected(PprError):
    """Nobody expected it: ``story`` is the traceback, for whoever mends it, and for no terminal."""

    def __init__(self, message: str, *, hint: str = "", story: str = "") -> None:
        super().__init__(message, hint=hint)
        self.story = story


class Cancelled(PprError):
    exit_code = 130
