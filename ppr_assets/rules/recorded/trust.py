"""What a reader has to know about a published dump before trusting it: unproven, or overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppr_assets.rules.recorded.manifest import Manifest

_BUT_FOR = " but for "


@dataclass(frozen=True)
class Trust:
    """``proof`` as manifest and commit word it, None where neither tells of one; ``override`` is
    the reason of whoever passed the gate, ``by`` who that was, as far as is known."""

    proof: str | None
    override: str | None
    by: str | None = None

    @classmethod
    def of(cls, manifest: Manifest | None) -> Trust:
        if manifest is None:
            return cls(None, None)
        override, proof = manifest.override, str(manifest.proof) if manifest.proof else None
        if override is None:
            return cls(proof, None)
        return cls(proof, override.reason, override.by or None)

    @property
    def proven(self) -> bool:
        """It has restored, whole."""
        return self.proof not in (None, "off") and _BUT_FOR not in str(self.proof)

    def remarks(self) -> list[str]:
        """Nothing for a dump that was proven and passed the gate."""
        told = [] if self.proven else [self._unproven()]
        by = f" by {self.by}" if self.by else ""
        return told + ([f"overridden{by}: {self.override}"] if self.override else [])

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
        }
