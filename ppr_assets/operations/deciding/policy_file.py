"""Change what the data repository decides itself of what is published: a commit that says why."""

from __future__ import annotations

from collections.abc import Callable

import tomlkit
from msgspec import Struct
from tomlkit import TOMLDocument

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.message import Signed
from ppr_assets.errors import SettingsError
from ppr_assets.operations.publishing.delivery import Delivery, Ground
from ppr_assets.operations.publishing.dump_commit import write_policy_commit
from ppr_assets.operations.publishing.judged_tip import require_committed_policy
from ppr_assets.operations.publishing.landing import land
from ppr_assets.operations.publishing.publication import committed_additions
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.settings import Settings

_NOTHING = "# Nothing is decided here.\n"

Edit = Callable[[TOMLDocument, DumpFolder], None]
"""Changes the file; told the dump folder as it is at the commit that it stands on."""


class PolicyChange(Struct, frozen=True):
    """``commit`` is None where the file said so already."""

    commit: str | None
    delivery: Delivery


def change_policy(settings: Settings, edit: Edit, *, subject: str, reason: str) -> PolicyChange:
    """Commit the policy file as ``edit`` makes it; comments and order stay. It is edited anew
    where somebody else was faster.

    Raises :class:`SettingsError` without a reason, and where the settings name another file;
    :class:`PolicyUnreadable` for a file that is damaged or gone, which a human has to mend; and
    what ``edit`` raises.
    """
    if not reason.strip():
        raise SettingsError("the reason is empty, must be a sentence for whoever asks later")
    if (other := settings.dump.policy_file) is not None:
        raise SettingsError(
            f"SQL_DUMP_POLICY_FILE names `{other}`, which is read in the place of {PUBLICATION}",
            hint="write the decision into that file, or unset the variable.",
        )
    signed = Signed(reason.strip(), settings.operator)
    with open_data_repo(settings.data_repo) as repo:

        def build(ground: Ground) -> tuple[str | None, str | None]:
            commit = _written(repo, ground.base, edit, subject, signed)
            return commit, commit

        with working_alone(repo):
            require_committed_policy(repo, tip(repo))
            commit, delivery = land(repo, build)
        return PolicyChange(commit, delivery)


def _written(
    repo: DataRepo, base: str | None, edit: Edit, subject: str, signed: Signed
) -> str | None:
    """The commit on ``base``; None where nothing changes."""
    folder = dump_folder(repo, base)
    before = folder.text(PUBLICATION) if committed_additions(repo, folder) is not None else ""
    document = tomlkit.parse(before)
    edit(document, folder)
    text = tomlkit.dumps(document) or _NOTHING
    if text == before:
        return None
    Policy.parse(text, source=folder.path(PUBLICATION))
    return write_policy_commit(repo, base, text, subject, signed)
