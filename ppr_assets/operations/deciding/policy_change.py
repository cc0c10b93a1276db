"""Change what the data repository decides itself of what is published: a commit that says why; and
of what was found in a dump, that it is allowed or was reviewed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tomlkit
from msgspec import Struct
from tomlkit import TOMLDocument

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.message import Signed
from ppr_assets.errors import DataRepoError, SettingsError
from ppr_assets.operations.publishing.delivery import Delivery, Ground
from ppr_assets.operations.publishing.dump_commit import write_policy_commit
from ppr_assets.operations.publishing.judged_tip import require_committed_policy
from ppr_assets.operations.publishing.landing import land
from ppr_assets.operations.publishing.publication import committed_additions
from ppr_assets.rules.finds.decisions import ALLOWED, REVIEWED
from ppr_assets.rules.finds.judgement import Spot
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.rules.recorded.manifest import Manifest
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


def allow(settings: Settings, spot: Spot, *, reason: str) -> PolicyChange:
    """Commit that what looks like ``spot.kind`` there may be published. Raises what
    :func:`change_policy` raises."""

    def edit(document: TOMLDocument, _folder: DumpFolder) -> None:
        _put(document, ALLOWED, spot, {"reason": reason.strip()})

    subject = f"Allow what looks like a {spot.kind} in {spot.place}"
    return change_policy(settings, edit, subject=subject, reason=reason)


def review(settings: Settings, *, reason: str) -> tuple[PolicyChange, Mapping[Spot, int]]:
    """Commit as reviewed what the latest dump has of what leads to persons, which is given back;
    what it has no more is not reviewed any longer. Raises :class:`DataRepoError` where no dump
    tells it, and what :func:`change_policy` raises."""
    found: dict[Spot, int] = {}

    def edit(document: TOMLDocument, folder: DumpFolder) -> None:
        found.clear()
        found.update(sorted(_latest(folder).persons.items()))
        entries = _entries(document, REVIEWED)
        for entry in [one for one in entries if _spot(one) not in found]:
            entries.remove(entry)
        reviewed = {_spot(one): one["values"] for one in entries}
        for spot, values in found.items():
            if reviewed.get(spot) != values:
                _put(document, REVIEWED, spot, {"values": values, "reason": reason.strip()})

    change = change_policy(settings, edit, subject="Review what leads to persons", reason=reason)
    return change, found


def _latest(folder: DumpFolder) -> Manifest:
    manifest = folder.latest_manifest
    if manifest is None or not manifest.policy:
        raise DataRepoError(
            "no dump has been published yet whose values were searched, so none can be reviewed",
            hint="make one first: `ppr-assets dump`. A night without changes makes none.",
        )
    return manifest


def _put(document: TOMLDocument, name: str, spot: Spot, decided: Mapping[str, str | int]) -> None:
    entries = _entries(document, name)
    for entry in entries:
        if _spot(entry) == spot:
            entry.update(decided)
            return
    told = {key: text for key, text in spot._asdict().items() if text}
    entries.append({**told, **decided})
    document[name] = entries


def _entries(document: TOMLDocument, name: str) -> Any:
    """Of the array of tables ``name``, which may also be written as an array in one line."""
    return document[name] if name in document else tomlkit.aot()


def _spot(entry: Mapping[str, str]) -> Spot:
    return Spot(entry["table"], entry.get("column", ""), entry["kind"])
