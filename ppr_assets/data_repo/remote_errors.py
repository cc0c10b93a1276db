"""Why a remote did not answer or did not take a commit, in its own words, with the way out."""

from __future__ import annotations

import re

from ppr_assets.data_repo.git import Output
from ppr_assets.data_repo.git_errors import GitCommandFailed, scrub
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


class Outrun(Exception):  # an event between two publishers, not an error of anybody
    """Somebody else's push came first; what was to be pushed has to be built on theirs.

    Not one of the project's expected failures: publishing answers it by trying again.
    """


def unreachable(remote: str, failure: DataRepoError) -> RemoteUnreachable:
    """The failure of a call to ``remote``, told to a human."""
    said = failure.stderr if isinstance(failure, GitCommandFailed) else failure.message
    if isinstance(failure, GitTimeout):
        return RemoteUnreachable(f"no answer from {_named(remote)}: {said}", hint=failure.hint)
    return RemoteUnreachable(
        f"no use of {_named(remote)}: {_gist(said)}", hint=_hint(said) or failure.hint
    )


def push_failure(remote: str, ref: str, output: Output) -> PushFailed | Outrun:
    """What a push that ended with exit code 1 amounts to; its porcelain output says which."""
    verdict = _verdict(output.stdout.decode("utf-8", "replace"), ref)
    if any(word in verdict for word in _RACED):
        return Outrun(verdict)
    if not verdict:
        # Not the remote's doing: a pre-push hook of the clone, for example.
        return PushFailed(
            f"nothing was pushed to {_named(remote)}: {_gist(output.stderr)}",
            hint=_KEPT,
        )
    words = _words_of_remote(output.stderr)
    return PushFailed(
        f"{_named(remote)} refused the commit: {' / '.join([verdict, *words])}",
        hint=_KEPT,
    )


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
