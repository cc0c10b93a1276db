"""Why a remote did not answer or did not take a commit, in its own words, with the way out."""

from __future__ import annotations

import re

from ppr_assets.data_repo.git.command import Output
from ppr_assets.data_repo.git.errors import (
    GitCommandFailed,
    LockHeld,
    ObjectLost,
    lost_object,
    scrub,
)
from ppr_assets.data_repo.remote.refusals import (
    UNKNOWN,
    AfterRefusal,
    RefusalKind,
    hint_without_answer,
    kind_of,
)
from ppr_assets.errors import DataRepoError, GitTimeout, PushFailed

_RACED = (
    "fetch first",
    "non-fast-forward",
    "stale info",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value provided",
    "failed to lock",
)
_CUT_OFF = re.compile(r"sideband|disconnect|hung up|early eof|broken pipe", re.IGNORECASE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_ALLOW = re.compile(r"https?://\S+/unblock-secret/\S+")
_LINES = 12


_OWN_DISK = r"^(?!remote:).*(?:No space left|Read-only file|quota exceeded|unable to create)"


class RemoteUnreachable(PushFailed):
    """The remote gave no usable answer: offline, no access, not there, too slow."""


class Refused(PushFailed):
    """The remote has looked at the commit and does not take it, for a reason of this ``kind``."""

    def __init__(self, message: str, *, hint: str = "", kind: RefusalKind = UNKNOWN) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class ContentRefused(Refused):
    """The remote refuses what the commit holds; it will do so every time."""


class TooLarge(ContentRefused):
    """The remote refuses a file for its size, or the push as a whole."""


class Outrun(Exception):  # an event between two publishers, not an error of anybody
    """Somebody else's push came first; what was to be pushed has to be built on theirs.

    Not one of the project's expected failures: publishing answers it by trying again.
    """


def unreachable(remote: str, failure: DataRepoError) -> DataRepoError:
    """The failure of a call to ``remote``, told to a human: :class:`RemoteUnreachable`, or
    :class:`TooLarge`, or what is wrong with the clone."""
    if isinstance(failure, LockHeld | ObjectLost):
        return failure
    said = failure.stderr if isinstance(failure, GitCommandFailed) else failure.message
    if isinstance(failure, GitTimeout):
        return RemoteUnreachable(f"no answer from {_named(remote)}: {said}", hint=failure.hint)
    if (kind := kind_of(said)).name == "push size":
        return _refused(remote, kind, _gist(said), said)
    return RemoteUnreachable(
        f"no use of {_named(remote)}: {_gist(said)}",
        hint=hint_without_answer(said) or _whose_fault(said),
    )


def _whose_fault(said: str) -> str:
    """The way out where git says no more than what it stumbled over."""
    if re.search(_OWN_DISK, said, re.MULTILINE):
        return (
            "it is the disk here that refuses: make room there, or let the user that runs this "
            "write in the data repository."
        )
    return "is the network up, and is DATA_REPO_URL right? `ppr-assets doctor` asks the remote."


def push_failure(remote: str, ref: str, output: Output) -> DataRepoError | Outrun:
    """What a push that ended with exit code 1 amounts to; its porcelain output says which.

    :class:`Refused` or one of its kin, unless the clone itself is at fault.
    """
    if (lost := lost_object(("push",), output.status, output.stderr)) is not None:
        return lost
    verdict = _verdict(output.stdout.decode("utf-8", "replace"), ref)
    words = _words_of_remote(output.stderr)
    whole = "\n".join([verdict, *words])
    if any(word in verdict for word in _RACED):
        return Outrun(_told(verdict, words))
    kind = kind_of(whole)
    if kind is UNKNOWN and (size := kind_of(output.stderr)).name == "push size":
        return _refused(remote, size, _gist(output.stderr))
    if verdict or kind.answer is AfterRefusal.SET_ASIDE:
        return _refused(remote, kind, _told(verdict, words), whole)
    if _CUT_OFF.search(output.stderr):
        return RemoteUnreachable(
            f"{_named(remote)} ended in the middle of the push, and may have taken it or not: "
            f"{_gist(output.stderr)}",
            hint="the commit is kept in the clone; the next run finds out.",
        )
    return PushFailed(
        f"nothing was pushed to {_named(remote)}: {' / '.join(_lines(output.stderr)[:_LINES])}",
        hint="was it a pre-push hook, of the clone or of core.hooksPath? The commit is kept in the "
        "clone; the next run that is not refused offers it again.",
    )


def _refused(remote: str, kind: RefusalKind, said: str, whole: str = "") -> Refused:
    """``said`` is the gist of what the remote said, ``whole`` all of it."""
    message = f"{_named(remote)} refused the commit{kind.why}: {said}"
    hint = kind.hint
    if (allow := _ALLOW.search(whole)) is not None:
        hint += f" GitHub allows it at {allow[0]}"
    if kind.answer is not AfterRefusal.SET_ASIDE:
        return Refused(message, hint=hint, kind=kind)
    refused = TooLarge if "size" in kind.name else ContentRefused
    return refused(message, hint=hint, kind=kind)


def _told(verdict: str, words: list[str]) -> str:
    return " / ".join([verdict, *words[:_LINES]])


def _verdict(porcelain: str, ref: str) -> str:
    """The remote's reason for not moving ``ref``: ``[remote rejected] (pre-receive hook …)``."""
    for line in porcelain.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!" and names.endswith(f":{ref}"):
            return summary
    return ""


def _words_of_remote(stderr: str) -> list[str]:
    """The lines that the remote has sent, and its reason for not unpacking what was sent to it;
    without progress, decoration and colours."""
    said = (
        line.removeprefix("remote:").removeprefix("error: remote unpack failed:").strip()
        for line in _lines(stderr)
        if line.startswith(("remote:", "error: remote unpack failed:"))
    )
    return [line for line in said if re.search(r"\w", line) and not re.search(_PROGRESS, line)]


_PROGRESS = r"\d+% \("
_ENDS = re.compile(r"[\r\n]+|(?<=\S)(?=(?:remote|fatal|error): )")


def _gist(stderr: str) -> str:
    """git's own complaint, without the advice that follows it."""
    lines = [line for line in _lines(stderr) if not re.search(_PROGRESS, line)]
    complaints = [line for line in lines if re.match(r"(fatal|error|ERROR|remote|ssh):", line)]
    return " / ".join((complaints or lines)[:4]) or "it gave no reason"


def _lines(stderr: str) -> list[str]:
    """Two processes write there, so a complaint may begin behind the other's progress."""
    lines = (_COLOURS.sub("", line).strip() for line in _ENDS.split(stderr))
    return [line for line in lines if line]


def _named(remote: str) -> str:
    return f"remote `{scrub(remote)}`"
