"""The publication policy as the data repository has it at a commit, and what it means there."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder, ever_there
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.merge_dumps import Unmergeable
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import PolicyUnreadable
from ppr_assets.operations.publishing.delivery import merge_ratchet
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication_policy import Policy, parse_policy, shipped_policy, unreadable
from ppr_assets.rules.withholding import Plan, Relation, plan
from ppr_assets.settings import DumpSettings

MOST_BYTES = 4 * 1024 * 1024
"""Of a policy file that the settings name; what is shipped has 12 KB."""


def plan_at(
    repo: DataRepo, commit: str | None, settings: DumpSettings, relations: Collection[Relation]
) -> Plan:
    """What the policy means for a database's ``relations``, as a dump that is published on
    ``commit``, the branch's tip, will be judged: by what the remote was last known to have as well.
    Raises what :func:`policy_at` raises."""
    return plan(policy_at(repo, _with_remote(repo, commit), settings), relations)


def _with_remote(repo: DataRepo, commit: str | None) -> str | None:
    remote = fetched_tip(repo)
    if not repo.settings.push_enabled or remote is None or remote == commit:
        return commit
    try:
        return base_for_publishing(repo, commit, remote, merge_ratchet=merge_ratchet)
    except Unmergeable:  # which the publishing will tell of
        return commit


def policy_at(repo: DataRepo, commit: str | None, settings: DumpSettings) -> Policy:
    """What ppr_assets decides, with what is added to it. Raises :class:`PolicyUnreadable`."""
    return shipped_policy().with_additions(additions_at(repo, commit, settings))


def additions_at(repo: DataRepo, commit: str | None, settings: DumpSettings) -> Policy:
    """What the data repository adds at ``commit``, or the file that the settings name in its place.
    Raises :class:`PolicyUnreadable`."""
    if settings.policy_file is not None:
        return _named(settings.policy_file)
    return _committed(repo, commit) or Policy()


def _committed(repo: DataRepo, commit: str | None) -> Policy | None:
    """Of a file that is gone nobody knows what it withheld."""
    folder = dump_folder(repo, commit)
    if folder.additions is not None or commit is None:
        return folder.additions
    if ever_there(repo, commit, PUBLICATION):
        raise PolicyUnreadable(
            f"`{folder.path(PUBLICATION)}` is missing in {commit[:10]}, and was there before",
            hint="bring it back: `git log -- FILE` names the commit that removed it, `git checkout "
            "COMMIT^ -- FILE` has it again; commit that. One that decides nothing has a comment "
            "alone.",
        )
    return None


def _named(path: Path) -> Policy:
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
