"""Why remotes refuse a commit or give no answer, in the words of forges and of git, and what helps.

The first kind whose words are found is the one. A rule about the branch or about permissions comes
before what a commit holds: while nothing is taken at all, nothing is to be set aside for it.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from msgspec import Struct


class AfterRefusal(Enum):
    """What is done with a commit that was refused."""

    SET_ASIDE = auto()
    """It is refused for what it holds, each time anew: the next dump goes without it."""
    MAKE_ANEW = auto()
    """It is refused for how it was made: made again by other settings, it may pass."""
    ASK = auto()
    """Somebody has to allow it, or the remote be ready again; it is kept, and delivered then."""
    TRY_AGAIN = auto()
    """It may pass another time, and a later dump may pass without it."""


class RefusalKind(Struct, frozen=True):
    """``why`` goes behind "refused the commit"; ``hint`` is the way out, in a sentence."""

    name: str
    answer: AfterRefusal
    words: str
    hint: str
    why: str = ""

    def says(self, text: str) -> bool:
        return re.search(self.words, text, re.IGNORECASE) is not None


_PRIVATE = (
    r"(?:secret|credential|password|token|api.?key|private.?key|PII|credit card number|"
    r"(?:personal|sensitive) (?:data|information))s?"
)
_FOUND = r"(?:(?<!not )found|detected|leaked|exposed|in commit)"

KINDS = (
    RefusalKind(
        "branch",
        AfterRefusal.ASK,
        r"must be made through a pull request|merge queue|required status check|approving review|"
        r"changes have been requested|required deployment|cannot (?:update|change) this "
        r"(?:protected|locked)|(?:not|n't) (?:authorized|allowed|permitted) to (?:force )?push "
        r"(?:code )?to (?:a |this )?(?:protected|branch)|only be modified through pull|"
        r"denied to update branch|pushes to this branch are not permitted|TF402455|"
        r"prohibited by gerrit|protected from (?:force )?push|permission to push to this branch|"
        r"branch names?\b.{0,40}(?:pattern|invalid|not allowed)|updating a hidden ref|"
        r"creations being restricted",
        "the branch is protected: let this account push to it (a bypass of the rule, or an entry "
        "under those who may push), or set DATA_REPO_BRANCH to a branch that takes pushes.",
    ),
    RefusalKind(
        "quota",
        AfterRefusal.ASK,
        r"repository (?:has )?exceed(?:s|ed) its size limit|cause it to exceed the size limit|"
        r"over (?:its |the |\d+ ?[GM]i?B )?size limit|quota|exceed\w* .{0,40}storage|"
        r"storage limit|repository size is over|increase this repository size",
        "the remote's room for this repository is used up: have it raised there, or begin a new "
        "repository and set DATA_REPO_URL.",
    ),
    RefusalKind(
        "read-only",
        AfterRefusal.ASK,
        r"(?:was|is|been) archived|\bread[- ]only\b|"
        r"(?:repository|project|account)\b.{0,80} (?:is|been) (?:disabled|locked)",
        "the remote takes no writes at the moment: unarchive or unlock the repository there, or "
        "set DATA_REPO_URL to one that is written to.",
    ),
    RefusalKind(
        "permission",
        AfterRefusal.ASK,
        r"not allowed to push code|TF401027|permission to \S+ denied|write access to repository "
        r"not granted|marked as read only|insufficient permission|unable to create temporary|"
        r"refusing to allow .{0,80}workflow|permission denied|you need the git '\w+' permission|"
        r"ref update access denied|verify your email|\bIP\b.{0,40} not (?:allowed|permitted)|"
        r"not authorized for this organization|account suspended",
        "this account may not write there: give it (or DATA_REPO_TOKEN, or the deploy key) write "
        "access to the repository's contents.",
    ),
    RefusalKind(
        "checked out",
        AfterRefusal.ASK,
        r"branch is currently checked out|refusing to update checked out branch",
        "the remote is somebody's work tree, on this very branch: push to a bare repository, or "
        "run `git config receive.denyCurrentBranch updateInstead` in it.",
    ),
    RefusalKind(
        "shallow",
        AfterRefusal.ASK,
        r"shallow update not allowed",
        "the clone is shallow: `git fetch --unshallow origin` in it brings what is missing.",
    ),
    RefusalKind(
        "secrets",
        AfterRefusal.SET_ASIDE,
        rf"push cannot contain secrets|push blocked: secrets|VS403654|"
        rf"(?:contains?|{_FOUND}|possible|potential)\b.{{0,60}}\b{_PRIVATE}\b|"
        rf"\b{_PRIVATE}\b.{{0,60}}\b{_FOUND}\b",
        "look at the row that the remote names. If it is a secret, change it where it is valid, "
        "and clean the row in the database; if it is not, allow it there.",
        why=" for what is in it",
    ),
    RefusalKind(
        "damage",
        AfterRefusal.SET_ASIDE,
        r"fsck error|error: object [0-9a-f]{40,64}: \w+: ",
        "the remote checks objects (receive.fsckObjects) and finds one damaged: "
        "`git fsck --strict` in the clone looks at the same.",
        why=" for what is in it",
    ),
    RefusalKind(
        "names",
        AfterRefusal.ASK,
        r"(?:blacklisted|prohibited|denied) by the pattern|(?:path|extension)s? (?:is|are) "
        r"(?:restricted|not allowed)|restricted file|protected from changing file|"
        r"the path '.*' is locked by|by a path policy",
        "a rule of the remote's forbids files of these names: have the folder of the dumps "
        "exempted from it, or set SQL_DUMP_DIR to another folder.",
    ),
    RefusalKind(
        "busy",
        AfterRefusal.ASK,
        r"rate.?limit|too many (?:requests|times|pushes)|maintenance|temporarily|"
        r"try again (?:later|in|after)|internal (?:server|api)\b|push operation timed out",
        "the remote is busy, in maintenance, or counts how often it is asked. The commit is kept "
        "in the clone, and the next run offers it again.",
    ),
    RefusalKind(
        "LFS",
        AfterRefusal.TRY_AGAIN,
        r"GH008|LFS objects? (?:is|are) missing|(?:must|need to|should) (?:be|use)\b.{0,30}\bLFS\b|"
        r"unknown git lfs object",
        "for files that others keep in LFS, `git lfs push --all origin` in a clone that has them; "
        "dumps stand in git itself, so have their folder exempted from a rule that wants LFS.",
    ),
    RefusalKind(
        "merges",
        AfterRefusal.TRY_AGAIN,
        r"merge commits?\b.{0,40}not|not (?:contain|allowed to upload) merge|linear history",
        "the branch takes no merge commits, and others have published beside what is pending here: "
        "let this account pass that rule. A later dump is published without the pending ones.",
    ),
    RefusalKind(
        "message",
        AfterRefusal.ASK,
        r"commit message|message .{0,40}pattern|signed[- ]off|\bDCO\b|change-id",
        "a rule of the remote's wants other commit messages: have this account exempted from it.",
    ),
    RefusalKind(
        "signature",
        AfterRefusal.MAKE_ANEW,
        r"must have (?:verified|valid) signatures|must be signed|unsigned|not signed|"
        r"unverified commit|require\w* signed|signature\w* (?:is|are) required",
        "have commits signed in the clone: `git config commit.gpgsign true`, with gpg.format and "
        "user.signingkey, and give the remote the public key. The next run makes the commit anew.",
    ),
    RefusalKind(
        "identity",
        AfterRefusal.MAKE_ANEW,
        r"GH007|private email|e-?mail .{0,80}(?:not verified|does not follow|must|not allowed)|"
        r"(?:author|committer)\b.{0,80}(?:must|does not|is not|isn't|not allowed|inconsistent)|"
        r"cannot push commits for|only push commits that were committed|must be authored by|"
        r"expected (?:committer|author)|not registered in your account|"
        r"invalid (?:author|committer)",
        "set GIT_USER_EMAIL and GIT_USER_NAME to what the remote allows. The next run makes the "
        "commit anew.",
    ),
    RefusalKind(
        "push size",
        AfterRefusal.SET_ASIDE,
        r"pack exceeds maximum allowed size|HTTP 413|returned error: 413|maximum push size|"
        r"push was rejected because its size",
        "raise the remote's limit on one push (receive.maxInputSize, client_max_body_size), or "
        "push once by ssh; later pushes are differences.",
        why=" for its size",
    ),
    RefusalKind(
        "file size",
        AfterRefusal.SET_ASIDE,
        r"GH001|exceeds? .*(?:limit|size|\b[KMG]i?B\b)|(?:larger|bigger) than|too (?:large|big)",
        "set SQL_DUMP_MAX_FILE_MB below the remote's limit and run again: larger dumps are then "
        "published in parts.",
        why=" for its size",
    ),
    RefusalKind(
        "rule",
        AfterRefusal.ASK,
        r"GH006|GH013|rule violations|protected branch",
        "a rule of the remote's forbids it: look at the rules of the branch there, and have this "
        "account exempted from them.",
    ),
    RefusalKind(
        "disk",
        AfterRefusal.TRY_AGAIN,
        r"no space left|disk (?:is )?full",
        "the remote's disk is full. The commit is kept in the clone, and the next run offers it "
        "again.",
    ),
)
"""What a remote says that has heard of the commit."""

UNKNOWN = RefusalKind(
    "unknown",
    AfterRefusal.TRY_AGAIN,
    "",
    "the commit is kept in the clone; the next run that is not refused offers it again, and a "
    "later dump that the remote takes without it is published without it.",
)

_SETTINGS = (
    (
        r"does not support --signed push|sign the push certificate|--signed",
        "push.gpgSign is set, and the remote takes no signed pushes or git could not sign: run "
        "`git config push.gpgSign if-asked` in the clone.",
    ),
    (
        r"does not support push options",
        "push.pushOption is set, and the remote takes no push options: run "
        '`git config push.pushOption ""` in the clone.',
    ),
    (
        r"transport '[\w-]+' not allowed",
        "protocol.allow or protocol.<name>.allow forbids this kind of address: `git config "
        "--show-origin --get-regexp '^protocol'` shows where, `git config protocol.<name>.allow "
        "always` in the clone allows it.",
    ),
    (
        r"--mirror can't be combined",
        "remote.origin.mirror is set: run `git config --unset remote.origin.mirror` in the clone.",
    ),
    (
        r"resolve proxy|from proxy|via proxy|proxy connect|HTTP code 407",
        "a proxy is set and does not help: `git config --show-origin --get-regexp proxy` and the "
        "variables https_proxy and http_proxy say which.",
    ),
    (
        r"certificate (?:problem|verif)|SSL certificate|SSL_connect",
        "the remote's certificate is not trusted here: http.sslCAInfo names the file of those that "
        "are.",
    ),
    (
        r"bad (?:numeric |boolean )?config|invalid (?:config|value) |bad \w+ compression level",
        "git's configuration has an error: `git config --list --show-origin` finds it.",
    ),
    (
        r"authentication failed|could not read (username|password)|permission denied|"
        r"access denied|error: 403|error: 401|publickey",
        "the remote wants credentials: DATA_REPO_TOKEN for https, a key for ssh.",
    ),
    (
        r"remote branch .* not found",
        "is it empty, or is what it publishes on another branch? DATA_REPO_BRANCH names that.",
    ),
    (
        r"not found|does not appear to be a git repository|does not exist|no such file",
        "is DATA_REPO_URL right, and may this account see the repository? `git remote -v` in the "
        "clone shows where git goes, after url.<base>.insteadOf and remote.origin.pushurl.",
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
_NO_WRITES = ("read-only", "quota", "busy")


def kind_of(said: str) -> RefusalKind:
    """What a remote's refusal is about."""
    return next((kind for kind in KINDS if kind.says(said)), UNKNOWN)


def hint_without_answer(said: str) -> str:
    """The way out where a call ended before the remote judged any commit; empty if unknown."""
    for kind in KINDS:
        if kind.name in _NO_WRITES and kind.says(said):
            return kind.hint
    found = (hint for words, hint in _SETTINGS if re.search(words, said, re.IGNORECASE))
    return next(found, "")
