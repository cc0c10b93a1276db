"""Property tests: as many cases as usual, but no time limit for one, on machines that are busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("ppr_assets", deadline=None)
settings.load_profile("ppr_assets")
