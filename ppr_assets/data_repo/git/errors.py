"""What git's failures become: errors of the project's tree, in git's own words, without secrets."""

from __future__ import annotations

import re

from ppr_assets.data_repo.git.lock_files import lock_in, told
from ppr_assets.errors import DataRepoError, GitTimeout


class GitCommandFailed(DataRepoError):
    """git ended with an exit code that was not expected: ``status``, and its own ``stderr``."""

    def __init__(self, message: str, *, status: int, stderr: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.stderr = stderr


class ObjectLost(GitCommandFailed):
    """The clone lacks a commit, tree or file that its branch needs, or has it damaged."""


class LockHeld(GitCommandFailed):
    """A lock file of git's is in the way, in the clone; the message says whose."""


# In the words of the git here. A line that begins with "remote:" is about the other side.
_LOST = re.compile(
    r"^(?!remote:).*?(?:unable to (?:read|stream)|could not read (?=[0-9a-f]{40})|"
    r"not a tree object|bad object (?:refs/|[0-9a-f]{40})|not a valid commit name [0-9a-f]{40}|"
    r"object file \S+ is empty|is corrupt|bad file|unable to unpack|missing blob|"
    r"could not parse (?:commit|object)|could not get object info)",
    re.IGNORECASE | re.MULTILINE,
)
_DAMAGED = re.compile(
    r"object file (\S+) is empty|\(stored in (\S+)\) is corrupt|unable to stream ([0-9a-f]+)"
)
_ANEW = (
    "If it is damaged, move it away and run again with DATA_REPO_URL set, which makes a new one."
)
_ASKED = "a credential helper (credential.helper) or ssh (core.sshCommand)"
_SUSPECTS = {
    "commit-tree": "where commits are signed (commit.gpgsign), gpg or ssh may wait for a "
    "passphrase that nobody can give: use a key of an agent, or set commit.gpgsign to false in the "
    "clone.",
    "push": f"does the remote hang, {_ASKED}, or a pre-push hook (core.hooksPath)?",
    **dict.fromkeys(("clone", "fetch", "ls-remote"), f"does the remote hang, or {_ASKED}?"),
}
"""What else keeps a call waiting, by its verb: programs of others that it starts."""
_OBJECT = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")


def lost_object(args: tuple[str, ...], status: int, stderr: str) -> ObjectLost | None:
    """The failure, where it is one of the clone's objects."""
    complaint = _LOST.search(stderr)
    if complaint is None:
        return None
    named = _OBJECT.search(stderr, complaint.start()) or _OBJECT.search(" ".join(args))
    damaged = _DAMAGED.search(stderr)
    # git does not fetch what it believes to have, and stumbles over it.
    first = f"`rm -f {_file(damaged[1] or damaged[2], damaged[3])}`, then " if damaged else ""
    return ObjectLost(
        f"the clone has {'damaged' if damaged else 'lost'} "
        f"{f'object {named[0]}' if named else 'an object'}: `git {verb(args)}` says "
        f"{_words(stderr)}",
        status=status,
        stderr=stderr,
        hint=bring_back(first),
    )


def bring_back(first: str = "") -> str:
    """What helps a clone that lacks objects; ``first``, what is to be done before."""
    return (
        f"in the clone, {first}`git -c fetch.unpackLimit=1 fetch --refetch origin` brings "
        "back what the remote has. Should that not be enough, move the clone away and run again "
        "with DATA_REPO_URL set, which makes a new one."
    )


def _file(path: str | None, sha: str) -> str:
    """The object's file, as a shell takes it."""
    return path or f'"$(git rev-parse --git-path objects/{sha[:2]}/{sha[2:]})"'


def failure(args: tuple[str, ...], status: int, stderr: str) -> DataRepoError:
    if "dubious ownership" in stderr:
        found = re.search(r"safe\.directory (\S.*)", stderr)
        return DataRepoError(
            "git does not trust the repository: it belongs to another user",
            hint="`git config --global --add safe.directory "
            f"{found[1] if found else 'PATH'}` for the user that runs this, or change the owner.",
        )
    if (lock := lock_in(stderr)) is not None:
        message, hint = told(lock)
        return LockHeld(f"`git {verb(args)}`: {message}", status=status, stderr=stderr, hint=hint)
    if (lost := lost_object(args, status, stderr)) is not None:
        return lost
    return GitCommandFailed(
        f"`git {verb(args)}` ended with exit code {status}: {_words(stderr) or 'no reason given'}",
        status=status,
        stderr=stderr,
        hint=_mending(stderr),
    )


def _mending(stderr: str) -> str:
    if re.search(r"no space left|diskspace|quota exceeded|file too large", stderr, re.IGNORECASE):
        return "make room on the clone's disk, and run again; what was published still stands."
    if "index file" in stderr:
        return "in the clone, `rm .git/index && git reset -q` makes a new index from the branch."
    if re.search(r"bad config|configuration file", stderr):
        return "fix the clone's `.git/config`: `git config --list` names the line. " + _ANEW
    if re.search(r"bad \w+ compression level|invalid value for", stderr):
        return "git's configuration has an error: `git config --list --show-origin` finds it."
    if "by hook" in stderr:
        return (
            "a reference-transaction hook of the clone, or of core.hooksPath, forbids it: `git "
            "config --show-origin core.hooksPath` in the clone says where that is set."
        )
    return "in the clone, `git fsck` says what is wrong. " + _ANEW


def _words(stderr: str) -> str:
    return " / ".join(line.strip() for line in stderr.splitlines()[-6:] if line.strip())


def too_slow(args: tuple[str, ...], seconds: float) -> GitTimeout:
    called = verb(args)
    suspects = _SUSPECTS.get(called, "is the remote or the disk hanging?")
    return GitTimeout(
        f"`git {called}` did not end within {seconds:g} seconds and was stopped",
        hint=f"{suspects} DATA_REPO_TIMEOUT_SECONDS is the limit.",
    )


def verb(args: tuple[str, ...]) -> str:
    """The subcommand, without the options before it."""
    words = iter(args)
    for word in words:
        if word in ("-c", "-C"):
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def scrub(text: bytes | str) -> str:
    """git's words without user and password of the URLs in them."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return re.sub(r"://[^/\s]+@", "://", text)
