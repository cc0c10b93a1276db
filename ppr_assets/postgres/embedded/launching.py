"""Starting a postmaster, waiting for it and ending it, with pg_ctl."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from ppr_assets.errors import DatabaseUnreachable, PreconditionFailed
from ppr_assets.postgres.embedded.accounts import Account, run_program
from ppr_assets.postgres.embedded.postmaster import Postmaster, running_postmaster
from ppr_assets.postgres.embedded.socket_folder import (
    PORT,
    clear_socket_lock,
    socket_folder,
)

LOG = "server.log"
START_LIMIT_SECONDS = 600
"""How long a start may take; a crash recovery reads all that was written since a checkpoint."""

STOP_LIMIT_SECONDS = 300
"""How long an end may take; what was written last goes to the disk first."""

_LOG_LINES = 12


def launch(data_dir: Path, account: Account | None) -> Postmaster:
    """Start the postmaster and wait until it takes sessions.

    The data folder is named by ``.``: pg_ctl hands it to a shell in double quotes, where a path
    with a dollar sign would become another one.
    """
    log = data_dir / LOG
    before = log.stat().st_size if log.exists() else 0
    socket_dir = socket_folder(data_dir, account)
    clear_socket_lock(socket_dir)
    options = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
    }
    done = run_program(
        "pg_ctl", "start", "--pgdata=.", f"--log={LOG}", "--wait",
        f"--timeout={START_LIMIT_SECONDS}",
        "--options=" + " ".join(f"-c {shlex.quote(f'{k}={v}')}" for k, v in options.items()),
        account=account, cwd=data_dir,
    )  # fmt: skip
    found = running_postmaster(data_dir)
    if found is not None and found.ready:
        return found
    if found is not None:
        raise _still_starting(data_dir, found)
    raise DatabaseUnreachable(
        f"the server in `{data_dir}` did not start: exit code {done.returncode}: "
        f"{' '.join(done.stderr.split())}",
        hint=f"its log tells why.{_log_end(data_dir, before)}",
    )


def settled(data_dir: Path) -> Postmaster | None:
    """The postmaster once it takes sessions, or None once it is gone."""
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while True:
        found = running_postmaster(data_dir)
        if found is None or found.ready:
            return found
        if time.monotonic() > deadline:
            raise _still_starting(data_dir, found)
        time.sleep(0.05)


def shut_down(data_dir: Path, found: Postmaster, account: Account | None) -> None:
    """Stop ``found`` in an orderly way and wait for its end; sessions are cut off.

    pg_ctl signals whatever number stands in the file, so ``found`` must have been proven before.
    Raises :class:`PreconditionFailed` when the server is still there after five minutes.
    """
    done = run_program(
        "pg_ctl", "stop", "--pgdata=.", "--mode=fast", "--wait", f"--timeout={STOP_LIMIT_SECONDS}",
        account=account, cwd=data_dir,
    )  # fmt: skip
    if done.returncode != 0 and running_postmaster(data_dir) is not None:
        raise PreconditionFailed(
            f"the server in `{data_dir}` did not stop: exit code {done.returncode}: "
            f"{' '.join(done.stderr.split())}",
            hint=f"it is process {found.pid}.{_log_end(data_dir, 0)}",
        )


def _still_starting(data_dir: Path, found: Postmaster) -> DatabaseUnreachable:
    return DatabaseUnreachable(
        f"the server in `{data_dir}` takes no sessions after {START_LIMIT_SECONDS} s: "
        f"process {found.pid} is {found.status or 'starting'}",
        hint=f"it was left alone: start again to wait for it.{_log_end(data_dir, 0)}",
    )


def _log_end(data_dir: Path, start_at: int) -> str:
    """The last lines that the server wrote after byte ``start_at``, ready to stand in a hint."""
    log = data_dir / LOG
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(start_at, log.stat().st_size - 16_384))
        lines = stream.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
    return f" `{log}` ends with:\n" + "\n".join(f"  {line}" for line in lines)
