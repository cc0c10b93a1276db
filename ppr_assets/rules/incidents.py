"""Incidents: what somebody must hear of once when it begins, and once when it is over.

Whoever looks at something reports what it found, as often as it looks: :func:`begun` while it is
so, :func:`over` when it is not. What is to be said of it is decided here, from the reports alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.errors import (
    Busy,
    Cancelled,
    CopyFailed,
    DumpDamaged,
    DumpUnproven,
    GateRefused,
    NotAsPublished,
    PolicyRefused,
    PprError,
    PushFailed,
)

NIGHTLY, DRILL, LOOK = "nightly_dump", "restore_drill", "look"
"""Jobs, which are the subjects of what happens to their runs, whoever has started them."""

RUN_FAILED = "run failed"
GATE_REFUSED = "gate refused"
POLICY_REFUSED = "policy refused"
OVERRIDE_USED = "override used"
DUMP_UNPROVEN = "dump unproven"
DUMP_DAMAGED = "dump damaged"
DRILL_FAILED = "drill failed"
NOT_DELIVERED = "push undelivered"
NO_NEW_DUMP = "no new dump"
CHECK_WARNS = "check warns"
DISK_NEARLY_FULL = "disk nearly full"
BACKLOG = "backlog"
PUBLISHED_COPY = "published copy"
NOT_COPIED = "copy failed"

KINDS = (
    RUN_FAILED,
    GATE_REFUSED,
    POLICY_REFUSED,
    OVERRIDE_USED,
    DUMP_UNPROVEN,
    DUMP_DAMAGED,
    DRILL_FAILED,
    NOT_DELIVERED,
    NO_NEW_DUMP,
    CHECK_WARNS,
    DISK_NEARLY_FULL,
    BACKLOG,
    PUBLISHED_COPY,
    NOT_COPIED,
)

OF_A_RUN = (
    RUN_FAILED,
    GATE_REFUSED,
    POLICY_REFUSED,
    DUMP_UNPROVEN,
    DUMP_DAMAGED,
    DRILL_FAILED,
    NOT_DELIVERED,
    NOT_COPIED,
)
"""What a run that succeeds has put an end to, where the job is the same."""

_KINDS: Mapping[type[PprError], str] = {
    GateRefused: GATE_REFUSED,
    PolicyRefused: POLICY_REFUSED,
    DumpUnproven: DUMP_UNPROVEN,
    DumpDamaged: DUMP_DAMAGED,
    PushFailed: NOT_DELIVERED,
}

STALE = "stale"
"""The subject of :data:`PUBLISHED_COPY` where what strangers get is old, and nothing else."""
UNREACHABLE, NO_BRANCH, UNREADABLE = "unreachable", "wrong branch", "unreadable"
DAMAGED, UNRESTORABLE = "damaged", "does not restore"
"""Its other subjects, beside each place of copies: the remote does not answer, has no such branch,
lets nobody read; the dump's bytes are others; it is whole, and no database comes of it."""

_NIGHTS = frozenset(f"{kind}: {NIGHTLY}" for kind in OF_A_RUN if kind != NOT_COPIED)
_OUTSIDE = {one: f"{PUBLISHED_COPY}: {one}" for one in (STALE, UNREACHABLE, NO_BRANCH)}
_NO_REMOTE = frozenset({_OUTSIDE[UNREACHABLE], _OUTSIDE[NO_BRANCH]})
FOLLOWS = {
    f"{NO_NEW_DUMP}: {NIGHTLY}": _NIGHTS | {*_OUTSIDE.values()},
    f"{BACKLOG}: {NIGHTLY}": _NIGHTS | _NO_REMOTE,
    f"{NOT_DELIVERED}: {NIGHTLY}": _NO_REMOTE,
    f"{RUN_FAILED}: {NIGHTLY}": frozenset({_OUTSIDE[NO_BRANCH]}),
    _OUTSIDE[STALE]: _NIGHTS | _NO_REMOTE | {f"{NO_NEW_DUMP}: {NIGHTLY}"},
    _OUTSIDE[UNREACHABLE]: frozenset({f"{NOT_DELIVERED}: {NIGHTLY}"}),
    _OUTSIDE[NO_BRANCH]: frozenset({f"{NOT_DELIVERED}: {NIGHTLY}", f"{RUN_FAILED}: {NIGHTLY}"}),
}
"""What follows from others: it does not begin while one of these is open, which says why."""


CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""At most, of the machines that work together. What is dated later than that was dated by a clock
that was wrong."""

_LONGEST = 3_000
"""Letters of a text; some chat services take four thousand."""


class Report(Struct, frozen=True):
    """What was found of ``subject`` at a moment: it is as ``kind`` says, or (``over``) it is not.

    ``text`` is for a human: an error with its hint. ``link`` is the page that tells more.
    """

    kind: str
    subject: str
    at: datetime
    text: str = ""
    link: str = ""
    over: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}: {self.subject}"


def begun(kind: str, subject: str, at: datetime, text: str, link: str = "") -> Report:
    """It is so, and perhaps has been for long: a repeated report is folded into the first."""
    return Report(kind, _legible(subject), at, _short(_legible(text)), link)


def over(kind: str, subject: str, at: datetime) -> Report:
    """It is not so, and perhaps never was: what is not open is not told of."""
    return Report(kind, _legible(subject), at, over=True)


def _legible(text: str) -> str:
    """With a question mark for what is no letter: the names of files may be any bytes."""
    return text.encode(errors="replace").decode()


def _short(text: str) -> str:
    """Without its middle where it is long: a service that refuses it would get nothing after it.
    The hint is at its end."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def succeeded(subject: str, at: datetime) -> list[Report]:
    """A run of the job has done its work, so whatever was wrong with it is over."""
    return [over(kind, subject, at) for kind in OF_A_RUN]


def is_done(job: str, error: PprError) -> bool:
    """Whether the work was done all the same: a night publishes before it copies, and a place that
    is dead for weeks must hide no failure of the nights themselves."""
    return job == NIGHTLY and isinstance(error, CopyFailed)


def failed(job: str, error: PprError, at: datetime, link: str = "") -> list[Report]:
    """A run of the job has ended early. Who found another run at work, was cancelled by somebody,
    or has told already has nothing to tell."""
    if isinstance(error, Busy | Cancelled | NotAsPublished):
        return []
    if is_done(job, error):
        ends = [one for one in succeeded(job, at) if one.kind != NOT_COPIED]
        return [*ends, begun(NOT_COPIED, job, at, error.render(), link)]
    kind = next((kind for one, kind in _KINDS.items() if isinstance(error, one)), RUN_FAILED)
    return [begun(DRILL_FAILED if job == DRILL else kind, job, at, error.render(), link)]


def override_used(job: str, reason: str, at: datetime, link: str = "") -> Report:
    """The gate was passed by a human's decision, or (no ``reason``) by itself."""
    if not reason:
        return over(OVERRIDE_USED, job, at)
    return begun(OVERRIDE_USED, job, at, f"the gate was overridden: {reason}", link)


class Incident(Struct, frozen=True):
    """What is open: ``since`` is when it was first found."""

    kind: str
    subject: str
    since: datetime
    text: str
    link: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}: {self.subject}"


class Message(Struct, frozen=True):
    """What is to be said of an incident, once each. ``at``: when it began, or when it was over."""

    event: Literal["begun", "over"]
    incident: Incident
    at: datetime


class Known(Struct, frozen=True):
    """``incidents`` are open, by their keys. ``told`` is when something was last found of a key:
    an older report, of a run that somebody looks at late, changes nothing. ``good`` is when a job
    last did its work."""

    incidents: Mapping[str, Incident] = field(default_factory=dict)
    told: Mapping[str, datetime] = field(default_factory=dict)
    good: Mapping[str, datetime] = field(default_factory=dict)

    def as_of(self, now: datetime) -> Known:
        """Without what a clock that was ahead has dated: until then it would have everything that
        happens count for old, and the last good night for new."""
        latest = now + CLOCKS_DIFFER_BY
        told = {key: at for key, at in self.told.items() if at <= latest}
        good = {job: at if at <= latest else now for job, at in self.good.items()}
        return replace(self, told=told, good=good)

    def joined(self, other: Known) -> Known:
        """Both; where they tell of the same, ours."""
        return Known(
            {**other.incidents, **self.incidents},
            {**other.told, **self.told},
            {**other.good, **self.good},
        )


def news(known: Known, reports: Iterable[Report]) -> list[Report]:
    """Those that change what is known: of what is looked at all the time, an older report that
    comes late, of a run, would else count for nothing."""
    return [one for one in reports if one.over == (one.key in known.incidents)]


def take_in(known: Known, reports: Iterable[Report]) -> tuple[Known, list[Message]]:
    """What is known after ``reports``, in their order, and what is to be said."""
    messages: list[Message] = []
    for report in reports:
        before = known.told.get(report.key)
        if before is not None and report.at < before:
            continue
        known = replace(known, told={**known.told, report.key: report.at})
        if report.over and report.kind == RUN_FAILED:
            known = replace(known, good={**known.good, report.subject: report.at})
        known, said = _one(known, report)
        messages += said
    return known, messages


def _one(known: Known, report: Report) -> tuple[Known, list[Message]]:
    open_ = dict(known.incidents)
    standing = open_.get(report.key)
    if report.over:
        if standing is None:
            return known, []
        del open_[report.key]
        return replace(known, incidents=open_), [Message("over", standing, report.at)]
    if standing is not None or _is_explained(open_, report):
        return known, []
    incident = Incident(report.kind, report.subject, report.at, report.text, report.link)
    open_[report.key] = incident
    return replace(known, incidents=open_), [Message("begun", incident, report.at)]


def _is_explained(open_: Mapping[str, Incident], report: Report) -> bool:
    if any(_of_one_place(one, report) for one in open_.values()):
        return True
    return not open_.keys().isdisjoint(FOLLOWS.get(report.key, ()))


def _of_one_place(one: Incident, other: Report) -> bool:
    """Whether a night and a look tell of the same place of copies, which the night has named."""
    by_kind: Mapping[str, Incident | Report] = {one.kind: one, other.kind: other}
    if by_kind.keys() != {NOT_COPIED, PUBLISHED_COPY}:
        return False
    return f"`{by_kind[PUBLISHED_COPY].subject}`" in by_kind[NOT_COPIED].text
