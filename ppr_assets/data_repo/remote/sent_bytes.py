"""How many bytes a push sent: counted by git itself, exactly.

git's progress line is rounded ("12.34 MiB"), and packing once more to count would cost as much as
the push. Its trace has the very number: the bytes written in the region "Writing objects".
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import TracebackType


class SentBytes:
    """Give ``environment`` to one ``git push --progress`` and ask for the ``total`` after it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ppr_assets-push-")
        self._trace = Path(self._folder.name) / "trace"

    def __enter__(self) -> SentBytes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        # The region lies deeper than git's trace goes by default.
        return {"GIT_TRACE2_EVENT": str(self._trace), "GIT_TRACE2_EVENT_NESTING": "10"}

    def total(self) -> int:
        """Bytes of the packs sent; 0 when the remote had every object."""
        if not self._trace.exists():
            return 0
        total = 0
        writing = set()
        for line in self._trace.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:  # cut off by a full disk: the push counts, its figure is lost
                return 0
            if event.get("label") == "Writing objects":
                writing.add(event["sid"])
                if event["event"] == "region_leave":
                    writing.discard(event["sid"])
            elif event.get("key") == "total_bytes" and event["sid"] in writing:
                total += int(event["value"])
        return total
