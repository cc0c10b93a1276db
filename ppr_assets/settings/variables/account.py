"""The account that a process runs as: who decides where nobody has given a name."""

from __future__ import annotations

import getpass
import os
import socket

from ppr_assets.settings.variables.kinds import NAME_LETTERS


def account() -> str:
    """``account USER@HOST``, so that nobody takes it for a person's name; of a long one what a
    name has room for."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user needs no entry in any list
        user = str(os.getuid())
    return f"account {user}@{socket.gethostname()}"[:NAME_LETTERS]
