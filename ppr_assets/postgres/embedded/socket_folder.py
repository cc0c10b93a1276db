"""Where the server's socket goes: into its data folder, or nearby when that path is too long."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.embedded.accounts import Account

PORT = 5432
"""Only part of the socket's name; the server listens on no address."""

_LONGEST = 103
"""Bytes of a socket's path that every system takes (macOS; Linux takes 107)."""

_PREFIX = "ppr_assets-"


def socket_folder(data_dir: Path, account: Account | None) -> Path:
    """A folder that only the server's account enters, with a path short enough for a socket.

    The data folder itself where possible, so that nothing of the server lies elsewhere; else one
    among the temporary files, named after the data folder. Raises :class:`PreconditionFailed`
    when somebody else made that one first.
    """
    if _usable(data_dir):
        return data_dir
    name = _PREFIX + hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    bases = (tempfile.gettempdir(), "/tmp")  # noqa: S108 - the folder is proven private below
    candidates = (Path(base) / name for base in bases)
    folder = next(filter(_usable, candidates))
    _make_private(folder, account)
    return folder


def clear_socket_lock(folder: Path) -> None:
    """Drop the lock of a server that was killed; call it when none runs on this data folder.

    The folder is this server's own, and the lock's process number proves as little as the other.
    """
    (folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def remove_socket_folder(folder: Path, data_dir: Path) -> None:
    """Take away the extra folder of a server that was stopped."""
    if folder != data_dir and folder.name.startswith(_PREFIX) and folder.exists():
        folder.rmdir()


def _usable(folder: Path) -> bool:
    """Short enough, and without the characters that server and libpq take for separators."""
    socket = folder / f".s.PGSQL.{PORT}"
    return len(os.fsencode(socket)) <= _LONGEST and not {",", '"'} & set(str(folder))


def _make_private(folder: Path, account: Account | None) -> None:
    owner = account.uid if account else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if account:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise PreconditionFailed(
            f"the socket folder `{folder}` is not a private folder of uid {owner}",
            hint="somebody else made it. Remove it, or move the project to a shorter path.",
        )
