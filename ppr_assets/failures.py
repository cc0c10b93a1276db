"""What the outside world's own errors become, where no place nearer to them has said it better.

A verb ends in one of these, never in a traceback: a server, a file or a git that fails is nothing
that nobody expected. Of what nobody did, the whole story is in a file of this user alone, and on no
terminal.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ppr_assets import __version__
from ppr_assets.errors import DataRepoError, PprError, Unexpected
from ppr_assets.files import temporary
from ppr_assets.settings import Settings, without_secrets

_HINTS = {
    errno.ENOSPC: "make room there, and run again; what was published still stands.",
    errno.EDQUOT: "make room there, and run again; what was published still stands.",
    errno.EFBIG: "files may not grow so large here: by `ulimit -f`, or by the file system.",
    errno.EROFS: "it is mounted read-only; remount it, or name another place.",
    errno.EACCES: "let the user that runs this read and write there, or name another place.",
    errno.EPERM: "let the user that runs this read and write there, or name another place.",
    errno.EIO: "the disk is failing: look at the system's log. What was published still stands.",
    errno.EMFILE: "this process may have no more open files (`ulimit -n`); raise that.",
    errno.ENFILE: "the system may have no more open files; close some, or raise that.",
    errno.ENOMEM: "the system has no memory left; run again when there is some.",
}

_LITTLE_ROOM = 1 << 20


@contextmanager
def told(settings: Settings | None = None) -> Iterator[None]:
    """Let nothing leave the block but errors of the project's tree, and interrupts."""
    try:
        yield
    except Exception as error:
        if (known := in_words(error, settings)) is error:
            raise
        raise known from known.__cause__


def in_words(error: Exception, settings: Settings | None = None) -> PprError:
    """The error of the tree that says it; :class:`Unexpected` where nobody has thought of it. Its
    cause is ``error``, but a server's that may quote a row."""
    if isinstance(error, PprError):
        return error
    if (of_server := _server_failure(error, settings)) is not None:
        return of_server
    known: PprError
    if isinstance(error, OSError) and error.errno is not None:
        known = file_failure(error, settings)
    else:
        known = unexpected(error)
    known.__cause__ = error
    return known


def _server_failure(error: Exception, settings: Settings | None) -> PprError | None:
    """The failure, where it is the driver's: who has not loaded that cannot have met one."""
    driver = sys.modules.get("psycopg")
    if driver is None or not isinstance(error, driver.Error):
        return None
    from ppr_assets.postgres.sessions.failures import server_failure

    where = settings.database.describe() if settings else "the server"
    return server_failure(error, where, "working for this command")


def file_failure(error: OSError, settings: Settings | None = None) -> PprError:
    """A file or a folder that cannot be used; the data repository's own kind where it is there."""
    path = _path(error)
    said = error.strerror or str(error)
    hint = _HINTS.get(
        error.errno or 0, "look at the file, its folder and the disk; then run again."
    )
    if path is None:
        return _nameless(error, hint, said, settings)
    if settings is not None and _is_below(path, settings.data_repo.path):
        return DataRepoError(f"the data repository cannot be used: `{path}`: {said}", hint=hint)
    return PprError(f"`{path}`: {said}", hint=hint)


def _nameless(error: OSError, hint: str, said: str, settings: Settings | None) -> PprError:
    """Of a file that is open the system names no path; of a disk that is full it can be found."""
    places = {"Temporary files (TMPDIR) are in": Path(tempfile.gettempdir())}
    if settings is not None:
        places = {"The data repository is in": settings.data_repo.path} | places
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        places = {what: at for what, at in places.items() if _is_full(at)} or places
    told = "; ".join(f"{what} `{at}`" for what, at in places.items())
    kind = (
        DataRepoError if settings and {*places.values()} == {settings.data_repo.path} else PprError
    )
    return kind(f"a file could not be written or read: {said}", hint=f"{hint} {told}.")


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free < _LITTLE_ROOM
    except OSError:
        return False


def unexpected(error: BaseException) -> Unexpected:
    """One line for a human; the traceback goes along for whoever has to mend it."""
    words = " ".join(str(error).split())[:300]
    return Unexpected(
        f"this was not expected: {type(error).__name__}{f': {words}' if words else ''}",
        story="".join(traceback.format_exception(error)),
    )


def with_story(error: PprError) -> PprError:
    """The same error; of an unexpected one the story is written first, and its hint says where."""
    if isinstance(error, Unexpected):
        story = without_secrets(error.story)
        error.message = without_secrets(error.message)
        error.hint = _kept(story)
    return error


def _kept(story: str) -> str:
    """Write the story; the hint that leads to it."""
    head = f"ppr-assets {__version__}, Python {sys.version.split()[0]}, {sys.argv[1:2]}\n\n"
    try:
        path = _written(head + story)
    except (OSError, PprError):
        last = [line.strip() for line in story.splitlines() if line.startswith("  File ")][-1:]
        return f"the whole story could not be written anywhere; it ended at: {''.join(last)}"
    return (
        f"the whole story is in `{path}`; please report it. `ppr-assets status` says what stands."
    )


def _written(text: str) -> Path:
    path = temporary() / f"unexpected-{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}-{os.getpid()}.txt"
    path.touch(0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _path(error: OSError) -> Path | None:
    return Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None


def _is_below(path: Path, folder: Path) -> bool:
    return path.absolute().is_relative_to(folder.absolute())
