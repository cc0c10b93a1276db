"""Decide on what was found in a dump: a commit that allows it, or that says it was reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit import TOMLDocument

from ppr_assets.data_repo.history.dump_folder import DumpFolder
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.deciding.policy_file import PolicyChange, change_policy
from ppr_assets.rules.finds.decisions import ALLOWED, REVIEWED
from ppr_assets.rules.finds.judgement import Spot
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import Settings


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
