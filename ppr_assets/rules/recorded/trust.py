"""What a reader has to know about a published dump before trusting it: unproven, or overridden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ppr_assets.rules.recorded.manifest import Manifest

_BUT_FOR = " but for "


class Trust(Struct, frozen=True):
    """``proof`` as manifest and commit word it, None where neither tells of one; ``override`` is
    the reason of whoever passed the gate, ``by`` who that was, and ``source`` where it was given,
    as far as is known."""

    proof: str | None
    override: str | None
    by: str | None = None
    source: str | None = None

    @classmethod
    def of(cls, manifest: Manifest | None) -> Trust:
        if manifest is None:
            return cls(None, None)
        override, proof = manifest.override, str(manifest.proof) if manifest.proof else None
        if override is None:
            return cls(proof, None)
        return cls(proof, override.reason, override.by or None, override.source)

    @classmethod
    def told(cls, proof: str, override: str, by: str) -> Trust:
        """From the trailers of the commit, each empty where there is none."""
        source, _, reason = override.partition(": ")
        if not reason:
            return cls(proof or None, override or None, by or None)
        return cls(proof or None, reason, by or None, source)

    @property
    def proven(self) -> bool:
        """It has restored, whole."""
        return self.proof not in (None, "off") and _BUT_FOR not in str(self.proof)

    def remarks(self) -> list[str]:
        """Nothing for a dump that was proven and passed the gate."""
        told = [] if self.proven else [self._unproven()]
        return told + ([self._overridden()] if self.override else [])

    def _overridden(self) -> str:
        by = f" by {self.by}" if self.by else ""
        source = f" ({self.source})" if self.source else ""
        return f"overridden{by}{source}: {self.override}"

    def _unproven(self) -> str:
        if self.proof is None:
            return "unproven: nothing tells of a restore"
        if self.proof == "off":
            return "unproven: published without a restore"
        return f"proven{_BUT_FOR}{self.proof.partition(_BUT_FOR)[2]}"

    def to_json(self) -> Mapping[str, Any]:
        return {
            "proven": self.proven,
            "proof": self.proof,
            "override": self.override,
            "override_by": self.by,
            "override_source": self.source,
        }
