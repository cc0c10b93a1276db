"""A policy file that the settings name, in the place of the data repository's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ppr_assets.errors import PolicyUnreadable
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import Policy, parse_policy, unreadable

MOST_BYTES = 4 * 1024 * 1024
"""Of a policy file that the settings name; what is shipped has 12 KB."""


def named_policy(path: Path) -> Policy:
    """What the file says that the settings name. Raises :class:`PolicyUnreadable`."""
    try:
        return parse_policy(_read(path), source=str(path))
    except PolicyUnreadable as error:
        error.hint = (
            "SQL_DUMP_POLICY_FILE must name a TOML file that this user may read; unset it to have "
            f"`{PUBLICATION}` of the data repository in force. Nothing is published by a policy "
            "that nobody can read."
        )
        raise


def _read(path: Path) -> bytes:
    """Without waiting for who writes into a pipe."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise unreadable(str(path), "it is a device, pipe or socket, must be a file")
            if found.st_size > MOST_BYTES:
                problem = f"it has {found.st_size} bytes, must have at most {MOST_BYTES}"
                raise unreadable(str(path), problem)
            return file.read(MOST_BYTES)
    except IsADirectoryError:
        raise unreadable(str(path), "it is a folder, must be a file") from None
    except OSError as error:
        raise unreadable(str(path), error.strerror or str(error)) from error
