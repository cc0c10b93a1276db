"""What an audit says of a commit: findings, which should not be, and notes, which one may want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.data_repo.history.commits import FolderCommit, Signature
from ppr_assets.data_repo.history.message import signed_by
from ppr_assets.rules.recorded.manifest import Manifest


class Gap(Struct, frozen=True):
    """No dump for ``hours`` before this one. A night without changes leaves no commit either, so
    ``publications`` tells how often data were published meanwhile: with none, nothing was missed.
    """

    hours: float
    publications: int


class Audited(Struct, frozen=True):
    """A commit that brought a dump, that set the mark on purpose, or of which there is something
    to tell.

    One that brought several dumps has one of these for each. ``manifest`` is None where the dump
    has none or it cannot be read; ``mark`` is that of organizations after the commit, and
    ``reset`` the reason of whoever set it on purpose.
    """

    commit: FolderCommit
    dump: str | None
    manifest: Manifest | None
    mark: int | None
    signature: Signature
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gap: Gap | None = None
    reset: str | None = None
    unread: bool = False

    @property
    def status(self) -> Literal["holds", "broken", "unverifiable"]:
        """``unverifiable``: a dump without a manifest and a commit without a record, as other
        scripts make them, and a dump whose bytes nobody looked at."""
        if self.findings:
            return "broken"
        recorded = self.manifest is not None or (self.dump is None and self.reset is not None)
        return "holds" if recorded and not self.unread else "unverifiable"

    def to_json(self) -> dict[str, Any]:
        manifest = self.manifest
        override = manifest.override if manifest else None
        return {
            "commit": self.commit.sha,
            "date": self.commit.date.isoformat(),
            "author": self.commit.author,
            "subject": self.commit.subject,
            "dump": self.dump,
            "status": self.status,
            "findings": list(self.findings),
            "notes": list(self.notes),
            "sha256": manifest.sha256 if manifest else None,
            "rows": dict(manifest.rows) if manifest else None,
            "run_id": manifest.run_id if manifest else None,
            "override": asdict(override) if override else None,
            "proof": str(manifest.proof) if manifest and manifest.proof else None,
            "mark": self.mark,
            "reset": self.reset,
            "reset_by": (signed_by(self.commit.message) or None) if self.reset else None,
            "signature": asdict(self.signature),
            "gap": _gap_json(self.gap),
        }


def _gap_json(gap: Gap | None) -> Mapping[str, Any] | None:
    return None if gap is None else {"hours": round(gap.hours, 1), "publications": gap.publications}
