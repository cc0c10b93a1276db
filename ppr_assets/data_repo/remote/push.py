"""Give the remote a commit, and say why it does not take it. Who only looks loads none of this."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TypeVar

from msgspec import Struct

from ppr_assets.data_repo.git.command import WHOLE, WHOLE_LOG, WITHIN_MEMORY
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.credentials import over_network
from ppr_assets.data_repo.remote.errors import TooLarge, push_failure, unreachable
from ppr_assets.data_repo.remote.ready_pack import ready
from ppr_assets.data_repo.remote.remote import fetched_ref, fetched_tip, note_fetch
from ppr_assets.errors import GitTimeout
from ppr_assets.rules.naming import DELTA_BASE


class PushResult(Struct, frozen=True):
    """``bytes`` of the pack that was sent, 0 when the remote had it all; ``seconds`` it took."""

    bytes: int
    seconds: float


def push(
    repo: DataRepo, commit: str, *, whole: bool = False, noted: Sequence[str] = ()
) -> PushResult:
    """Give the remote's branch ``commit``, never by force; its files ``whole``, where looking for
    what they could be differences to would take long and find nothing. That it was taken is kept
    in our ref, and in those of ``noted`` with it: in all of them, or in none while one is locked.

    Raises :class:`Outrun` when the branch has moved there, :class:`ContentRefused` when it is
    refused for what it holds (:class:`TooLarge`: for its size), :class:`Refused` when a hook or a
    rule says no for another reason, and :class:`PushFailed` for the rest: offline, no access, too
    slow. ``repo.remote`` must not be None.
    """
    remote = repo.remote or ""
    started = monotonic()
    with SentBytes() as sent:
        try:
            output = over_network(
                repo,
                *WITHIN_MEMORY,
                *(WHOLE if whole else ()),
                "push",
                "--porcelain",
                "--progress",
                "--no-follow-tags",
                "--recurse-submodules=no",
                remote,
                f"{commit}:{repo.ref}",
                env={**sent.environment, **ready(repo)},
                ok=(0, 1),
            )
        except (GitCommandFailed, GitTimeout) as failure:
            raise _explained(repo, commit, unreachable(remote, failure)) from failure
        if output.status:
            raise _explained(repo, commit, push_failure(remote, repo.ref, output))
        moved = "".join(f"update {ref} {commit}\n" for ref in (fetched_ref(repo), *noted))
        # a fetch of a sensor sets ours too
        repo.git("update-ref", "--stdin", stdin=moved.encode(), ok=(0, 128))
        note_fetch(repo.git_dir)
        return PushResult(bytes=sent.total(), seconds=monotonic() - started)


Failure = TypeVar("Failure", bound=Exception)


def _explained(repo: DataRepo, commit: str, failure: Failure) -> Failure | TooLarge:
    """The same failure; one for the size of a push also names the largest file in it, since many
    remotes do not."""
    if not isinstance(failure, TooLarge):
        return failure
    found = _largest_file(repo, commit, fetched_tip(repo))
    if found is None:
        return failure
    path, size = found
    largest = f"the largest file of the push is `{path}` with {size / 1e6:.1f} MB"
    return TooLarge(f"{failure.message}; {largest}", hint=failure.hint, kind=failure.kind)


def _largest_file(repo: DataRepo, commit: str, remote: str | None) -> tuple[str, int] | None:
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
    """Give ``environment`` to one ``git push --progress`` and ask for the ``total`` after it.

    git counts the bytes exactly. Its progress line is rounded ("12.34 MiB"), and packing once more
    to count would cost as much as the push. Its trace has the very number: the bytes written in the
    region "Writing objects".
    """

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
