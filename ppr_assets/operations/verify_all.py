"""Verify the dumps of a place, each for itself: one that is damaged does not end it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.data_repo.git.errors import scrub
from ppr_assets.data_repo.history.dump_history import newest_manifests
from ppr_assets.data_repo.history.manifests import manifests_here
from ppr_assets.errors import DataRepoError, DumpDamaged, DumpMissing
from ppr_assets.operations.published.view import OnView, look, unseen
from ppr_assets.operations.restoring.loading import verified_dump
from ppr_assets.operations.sources.shelf import Shelf, opened_shelf
from ppr_assets.operations.sources.wanted import FoundDump, Wanted, choose
from ppr_assets.plain_sql.dump_file import remove_dump
from ppr_assets.plain_sql.verify import VerifiedDump
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Proof, TableRecord
from ppr_assets.settings import DataRepoSettings

_COMMITS = 10_000
"""Some thirty years of nights."""


class Checked(Struct, frozen=True):
    """A dump, and what was found: ``verified``, or the ``error`` that says what is wrong with it;
    both where the commit has it whole and other files lie in the work tree.
    ``origin`` is where it was found, empty if it could not even be read, and ``read_from`` which
    bytes were read. ``published_as``: of a file without a manifest beside it, the published dump
    that has its bytes; ``unmatched``: why none is known to."""

    name: str
    origin: str
    verified: VerifiedDump | None = None
    error: DumpDamaged | DumpMissing | None = None
    read_from: str = ""
    published_as: str = ""
    unmatched: str = ""

    @property
    def rows(self) -> int:
        tables = self.verified.layout.tables if self.verified else {}
        return sum(record.rows for record in tables.values())

    @property
    def proof(self) -> Proof | None:
        """The restore that its manifest tells of; None where it tells of none."""
        manifest = self.verified.manifest if self.verified else None
        return manifest.proof if manifest else None

    def to_json(self) -> dict[str, Any]:
        verified, error, proof = self.verified, self.error, self.proof
        return {
            "dump": self.name,
            "origin": self.origin or None,
            "read_from": self.read_from or None,
            "published_as": self.published_as or None,
            "whole": verified is not None,
            "bytes": verified.layout.bytes if verified else None,
            "sha256": verified.layout.sha256 if verified else None,
            "rows": _rows(verified.layout.tables) if verified else None,
            "manifest": verified.manifest is not None if verified else None,
            "proof": str(proof) if proof else None,
            "proven": bool(proof and proof.proven),
            "error": {"message": error.message, "hint": error.hint} if error else None,
        }


def _rows(tables: Mapping[str, TableRecord]) -> dict[str, int]:
    return {key: tables[key].rows for key in sorted(tables)}


def verify_dumps(
    settings: DataRepoSettings, wanted: Wanted, *, every: bool, on_view: OnView = unseen
) -> Iterator[Checked]:
    """The dump that is meant, or with ``every`` all that are there, newest first.

    Raises :class:`DumpMissing` when there is none or not the one that is meant, and what opening
    the place raises; a dump's own damage is an ``error`` among the results.
    """
    published = _PublishedBytes(settings)
    with opened_shelf(settings, wanted) as shelf:
        if shelf.view is not None:
            on_view(shelf.view)
        if not every:
            yield _checked(shelf, published, wanted, wanted.dump or "the latest dump")
            return
        if not shelf.names:
            choose(shelf.names, None, wanted, f"`{scrub(wanted.source or str(settings.path))}`")
        for name in reversed(shelf.names):
            yield _checked(shelf, published, Wanted(dump=name), name)


def _checked(shelf: Shelf, published: _PublishedBytes, wanted: Wanted, name: str) -> Checked:
    try:
        found = shelf.take(wanted)
    except DumpDamaged as error:
        return Checked(name, "", error=error)
    try:
        verified = verified_dump(found)
        other = shelf.beside(found.name)
        checked = Checked(
            found.name,
            found.origin,
            verified,
            other.error() if other else None,
            read_from=found.read_from,
        )
        return _matched(checked, published) if found.commit is None else checked
    except DumpDamaged as error:
        return Checked(found.name, found.origin, error=error, read_from=found.read_from)
    finally:
        _let_go(found)


def _matched(checked: Checked, published: _PublishedBytes) -> Checked:
    """With the manifest of the published dump that has the bytes of a file without one."""
    verified = checked.verified
    if verified is None or verified.manifest is not None:
        return checked
    manifest = published.manifest(verified.layout.sha256)
    if manifest is None:
        return replace(checked, unmatched=published.without)
    return replace(
        checked, verified=replace(verified, manifest=manifest), published_as=manifest.dump
    )


def _let_go(found: FoundDump) -> None:
    """Give back the room of a copy: of all dumps together there may be more than the disk holds."""
    if found.path.is_relative_to(found.spill_folder):
        remove_dump(found.path)


class _PublishedBytes(Struct, frozen=True, dict=True):
    """Which published dump a file is, by its bytes: for one that was downloaded or renamed.

    The clone knows all that was published, retired dumps too; the remote is not asked, and nothing
    is cloned for it.
    """

    settings: DataRepoSettings

    def manifest(self, sha256: str) -> Manifest | None:
        """Of the dump that has these bytes."""
        return self._found[0].get(sha256)

    @property
    def without(self) -> str:
        """Why there is no manifest for bytes that none was found for; empty without a clone."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[Mapping[str, Manifest], str]:
        if wants_clone(self.settings.path):
            return {}, ""
        try:
            with open_data_repo(self.settings) as repo:
                commit = look(repo, offline=True).commit
                blobs = newest_manifests(repo, commit, _COMMITS) if commit else {}
                told = manifests_here(repo, blobs).values()
        except DataRepoError as error:  # what is verified lies elsewhere, and needs no clone
            return {}, f"the data repository cannot tell whose it is: {error.message}"
        by_hash = {one.sha256: one for one in told if isinstance(one, Manifest)}
        return by_hash, "no published dump has its bytes"
