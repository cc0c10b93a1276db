"""Why a remote did not answer or did not take a commit, in its own words, with the way out."""

from __future__ import annotations

import re

from ppr_assets.data_repo.git import Output
from ppr_assets.data_repo.git_errors import (
    GitCommandFailed,
    LockHeld,
    ObjectLost,
    lost_object,
    scrub,
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
# One file, as GitHub, GitLab, Gitea and hooks of one's own word it; and the whole of a push.
_FILE_TOO_LARGE = re.compile(
    r"GH001|exceeds? .*(?:limit|size|\b[KMG]i?B\b)|(?:larger|bigger) than|too (?:large|big)",
    re.IGNORECASE,
)
_CUT_OFF = re.compile(r"sideband|disconnect|hung up|early eof|broken pipe", re.IGNORECASE)
_PUSH_TOO_LARGE = re.compile(
    r"pack exceeds maximum allowed size|HTTP 413|returned error: 413", re.IGNORECASE
)
_HINTS = (
    (
        r"authentication failed|could not read (username|password)|permission denied|"
        r"access denied|error: 403|error: 401|publickey",
        "the remote wants credentials: DATA_REPO_TOKEN for https, a key for ssh.",
    ),
    (
        r"not found|does not appear to be a git repository|does not exist|no such file",
        "is DATA_REPO_URL right, and may this account see the repository?",
    ),
    (
        r"host key verification",
        "add the remote's host key to known_hosts of the user that runs this.",
    ),
    (
        r"could not resolve|couldn't resolve|connect|timed out|unreachable|early eof|hung up|"
        r"unable to access|did not end within",
        "the remote is not reachable from here at the moment; the next run tries again.",
    ),
)


_KEPT = "the commit is kept in the clone; the next run that is not refused offers it again."


class RemoteUnreachable(PushFailed):
    """The remote gave no usable answer: offline, no access, not there, too slow."""


class TooLarge(PushFailed):
    """The remote refuses a file for its size, or the push as a whole; it will do so every time."""


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
    if _PUSH_TOO_LARGE.search(said):
        return _too_large(remote, _gist(said))
    return RemoteUnreachable(
        f"no use of {_named(remote)}: {_gist(said)}", hint=_hint(said) or failure.hint
    )


def push_failure(remote: str, ref: str, output: Output) -> DataRepoError | Outrun:
    """What a push that ended with exit code 1 amounts to; its porcelain output says which.

    :class:`PushFailed` or one of its kin, unless the clone itself is at fault.
    """
    if (lost := lost_object(("push",), output.status, output.stderr)) is not None:
        return lost
    verdict = _verdict(output.stdout.decode("utf-8", "replace"), ref)
    words = _words_of_remote(output.stderr)
    if _PUSH_TOO_LARGE.search(output.stderr) or _FILE_TOO_LARGE.search(" ".join(words)):
        return _too_large(remote, " / ".join([verdict, *words]) if words else _gist(output.stderr))
    if any(word in verdict for word in _RACED):
        return Outrun(" / ".join([verdict, *words]))
    if not verdict and _CUT_OFF.search(output.stderr):
        return RemoteUnreachable(
            f"{_named(remote)} ended in the middle of the push, and may have taken it or not: "
            f"{_gist(output.stderr)}",
            hint="the commit is kept in the clone; the next run finds out.",
        )
    if not verdict:
        # Not the remote's doing: a pre-push hook of the clone, for example.
        return PushFailed(
            f"nothing was pushed to {_named(remote)}: {_gist(output.stderr)}",
            hint=_KEPT,
        )
    return PushFailed(
        f"{_named(remote)} refused the commit: {' / '.join([verdict, *words])}",
        hint=_KEPT,
    )


def _too_large(remote: str, said: str) -> TooLarge:
    if _PUSH_TOO_LARGE.search(said):
        hint = (
            "raise the remote's limit on one push (receive.maxInputSize, client_max_body_size), or "
            "push once by ssh; later pushes are differences."
        )
    else:
        hint = (
            "set SQL_DUMP_MAX_FILE_MB below the remote's limit and run again: larger dumps are "
            "then published in parts."
        )
    return TooLarge(f"{_named(remote)} refused the commit for its size: {said}", hint=hint)


def _verdict(porcelain: str, ref: str) -> str:
    """The remote's reason for not moving ``ref``: ``[remote rejected] (pre-receive hook …)``."""
    for line in porcelain.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!" and names.endswith(f":{ref}"):
            return summary
    return ""


def _words_of_remote(stderr: str) -> list[str]:
    lines = (line.strip() for line in re.split(r"[\r\n]+", stderr))
    said = (line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:"))
    return [line for line in said if line and not re.search(r"\d+% \(", line)][:8]


def _gist(stderr: str) -> str:
    """git's own complaint, without the advice that follows it."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", stderr) if line.strip()]
    complaints = [line for line in lines if re.match(r"(fatal|error|ERROR|remote|ssh):", line)]
    return " / ".join((complaints or lines)[:4]) or "it gave no reason"


def _hint(said: str) -> str:
    return next((hint for words, hint in _HINTS if re.search(words, said, re.IGNORECASE)), "")


def _named(remote: str) -> str:
    return f"remote `{scrub(remote)}`"
