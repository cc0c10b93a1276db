"""A promise about time: the moment by which work is done, or given up."""

from __future__ import annotations

import math
from time import monotonic

from ppr_assets.errors import RestoreFailed


class Deadline:
    """``seconds`` from now, or from ``since``, a moment of :func:`time.monotonic`; None never
    passes."""

    def __init__(self, seconds: float | None, *, since: float | None = None) -> None:
        self.seconds = seconds
        began = monotonic() if since is None else since
        self._end = math.inf if seconds is None else began + seconds

    def remaining(self) -> float:
        """Seconds that are left, at least 0; infinite without a limit."""
        return max(0.0, self._end - monotonic())

    def require(self, what: str) -> None:
        """Raise :class:`RestoreFailed` if the deadline has passed while doing ``what``."""
        if self.remaining() == 0:
            raise RestoreFailed(
                f"not done within the deadline of {self.seconds:g} s: {what}",
                hint="the database serves as before; give more time with --deadline, or look at "
                "what keeps the server busy.",
            )
