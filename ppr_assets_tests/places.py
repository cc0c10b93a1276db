"""Where the checkout is, and what may lie beside it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]

SHARED = ROOT.parent / "shared"
"""Real dumps and records, which tests use where they are."""
