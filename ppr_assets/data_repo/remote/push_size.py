"""How large a push is: its largest file, which a remote's limit is about, and the bytes it sent.

git counts those exactly. Its progress line is rounded ("12.34 MiB"), and packing once more to count
would cost as much as the push. Its trace has the very number: the bytes written in the region
"Writing objects".
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import TracebackType

from ppr_assets.data_repo.git.command import WHOLE_LOG
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.rules.naming import DELTA_BASE


def largest_file(repo: DataRepo, commit: str, remote: str | None) -> tuple[str, int] | None:
    """Path and bytes of the largest file that commits up to ``commit`` bring and ``remote`` lacks.

    None where they bring none. The delta base is passed over: it is a dump once more.
    """
    known = [f"^{remote}"] if remote else []
    options = ("--format=", "--raw", "-z", "-r", "--no-abbrev", "--no-renames", "--diff-filter=AMT")
    log = repo.git(*WHOLE_LOG, "log", *options, commit, *known, "--")
    words = log.decode("utf-8", "replace").strip("\0").split("\0")
    paths = {
        facts.split()[3]: path
        for facts, path in zip(words[:-1:2], words[1::2], strict=True)
        if f"/{DELTA_BASE}/" not in path
    }
    asked = "\n".join(paths).encode() + b"\n"
    answer = repo.word("cat-file", "--batch-check=%(objectsize) %(objectname)", stdin=asked)
    sizes = [line.split() for line in answer.splitlines() if not line.endswith("missing")]
    if not paths or not sizes:
        return None
    size, sha = max(sizes, key=lambda found: int(found[0]))
    return paths[sha], int(size)


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
