"""Each incident is told of once when it begins, and once when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ppr_assets.errors import (
    Busy,
    Cancelled,
    CopyFailed,
    DatabaseUnreachable,
    DumpDamaged,
    DumpUnproven,
    GateRefused,
    PolicyRefused,
    PolicyUnreadable,
    PprError,
    PushFailed,
    RatchetFileError,
    SettingsError,
)
from ppr_assets.rules.incidents import (
    BACKLOG,
    GATE_REFUSED,
    KINDS,
    NO_NEW_DUMP,
    NOT_COPIED,
    NOT_DELIVERED,
    PUBLISHED_COPY,
    RUN_FAILED,
    STALE,
    Known,
    Message,
    Report,
    begun,
    failed,
    over,
    succeeded,
    take_in,
)

START = datetime(2026, 11, 1, 2, tzinfo=UTC)
JOB = "nightly_dump"


def night(number: int) -> datetime:
    return START + timedelta(days=number)


def told(*reports: Report) -> tuple[Known, list[str]]:
    """What is said, each report coming in a process of its own."""
    known, said = Known(), []
    for report in reports:
        known, messages = take_in(known, [report])
        said += [f"{one.event} {one.incident.key}" for one in messages]
    return known, said


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_begins_once_and_is_over_once(kind: str) -> None:
    known, said = told(
        over(kind, "a", night(0)),
        *(begun(kind, "a", night(number), f"text {number}") for number in range(1, 5)),
        *(over(kind, "a", night(number)) for number in range(5, 8)),
    )
    assert said == [f"begun {kind}: a", f"over {kind}: a"]
    assert known.incidents == {}


def test_sixty_quiet_nights_say_nothing() -> None:
    _, said = told(*(one for number in range(60) for one in succeeded(JOB, night(number))))
    assert said == []


def test_what_is_told_is_how_it_began() -> None:
    known, messages = take_in(Known(), [begun(RUN_FAILED, JOB, night(0), "first", "link")])
    known, again = take_in(known, [begun(RUN_FAILED, JOB, night(1), "second")])
    assert again == []
    incident = known.incidents[f"{RUN_FAILED}: {JOB}"]
    assert (incident.since, incident.text, incident.link) == (night(0), "first", "link")
    assert messages == [Message("begun", incident, night(0))]
    _, ended = take_in(known, [over(RUN_FAILED, JOB, night(2))])
    assert ended == [Message("over", incident, night(2))]


def test_it_can_begin_anew() -> None:
    _, said = told(
        begun(GATE_REFUSED, JOB, night(0), ""),
        over(GATE_REFUSED, JOB, night(1)),
        begun(GATE_REFUSED, JOB, night(2), ""),
    )
    assert said == [
        f"begun {GATE_REFUSED}: {JOB}",
        f"over {GATE_REFUSED}: {JOB}",
        f"begun {GATE_REFUSED}: {JOB}",
    ]


def test_subjects_are_told_apart() -> None:
    _, said = told(
        begun(RUN_FAILED, JOB, night(0), ""),
        begun(RUN_FAILED, "restore", night(0), ""),
        *succeeded("restore", night(1)),
    )
    assert said == [
        f"begun {RUN_FAILED}: {JOB}",
        f"begun {RUN_FAILED}: restore",
        f"over {RUN_FAILED}: restore",
    ]


def test_a_run_that_is_looked_at_late_changes_nothing() -> None:
    """The daemon was away: it meets a failure that a later run has ended already."""
    _, said = told(
        begun(RUN_FAILED, JOB, night(0), ""),
        *succeeded(JOB, night(1)),
        begun(RUN_FAILED, JOB, night(0), ""),
        *succeeded(JOB, night(1)),
    )
    assert said == [f"begun {RUN_FAILED}: {JOB}", f"over {RUN_FAILED}: {JOB}"]


def test_a_clock_that_was_ahead_keeps_nobody_from_hearing_of_what_comes_after_it() -> None:
    ahead = night(400)
    known, _ = told(*succeeded(JOB, ahead), begun(RUN_FAILED, "restore", ahead, ""))
    known = known.as_of(night(1))
    assert known.good == {JOB: night(1)}
    known, messages = take_in(
        known, [begun(GATE_REFUSED, JOB, night(1), ""), over(RUN_FAILED, "restore", night(1))]
    )
    assert [one.event for one in messages] == ["begun", "over"]
    assert known.as_of(night(1) - timedelta(minutes=1)) == known


CAUSE = f"{NOT_DELIVERED}: {JOB}"


@pytest.mark.parametrize(
    ("kind", "subject"), [(NO_NEW_DUMP, JOB), (PUBLISHED_COPY, STALE), (BACKLOG, JOB)]
)
def test_what_follows_from_another_is_not_told_beside_it(kind: str, subject: str) -> None:
    _, said = told(
        begun(RUN_FAILED, "restore", night(0), "of another job, so no reason"),
        begun(kind, subject, night(0), ""),
        over(kind, subject, night(1)),
        begun(NOT_DELIVERED, JOB, night(1), ""),
        begun(kind, subject, night(2), ""),
        *succeeded(JOB, night(3)),
        begun(kind, subject, night(4), ""),
    )
    key = f"{kind}: {subject}"
    assert said[1:] == [
        f"begun {key}",
        f"over {key}",
        f"begun {CAUSE}",
        f"over {CAUSE}",
        f"begun {key}",
    ]


def test_an_old_copy_and_no_new_dump_are_one_incident_and_a_broken_copy_is_another() -> None:
    _, said = told(
        begun(PUBLISHED_COPY, STALE, night(0), ""),
        begun(NO_NEW_DUMP, JOB, night(0), ""),
        begun(PUBLISHED_COPY, "main", night(0), "latest.sql is cut"),
    )
    assert said == [f"begun {PUBLISHED_COPY}: {STALE}", f"begun {PUBLISHED_COPY}: main"]


def test_the_last_good_run_is_known() -> None:
    known, _ = told(*succeeded(JOB, night(3)), begun(RUN_FAILED, JOB, night(4), ""))
    assert known.good == {JOB: night(3)}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DatabaseUnreachable, "run failed"),
        (SettingsError, "run failed"),
        (GateRefused, "gate refused"),
        (RatchetFileError, "gate refused"),
        (PolicyRefused, "policy refused"),
        (PolicyUnreadable, "policy refused"),
        (DumpUnproven, "dump unproven"),
        (DumpDamaged, "dump damaged"),
        (PushFailed, "push undelivered"),
    ],
)
def test_an_error_is_an_incident_of_its_kind(error: type[PprError], kind: str) -> None:
    failure = error("what", hint="the way out.")
    (report,) = failed(JOB, failure, START, "link")
    assert report == Report(kind, JOB, START, "what\nHINT: the way out.", "link")
    (drilled,) = failed("restore_drill", failure, START)
    assert drilled.kind == "drill failed"


NAS = CopyFailed("published, but not copied as it should be: `/nas` cannot be listed")


def test_a_place_that_is_dead_for_weeks_hides_no_failure_of_the_nights() -> None:
    known, said = told(
        begun(RUN_FAILED, JOB, night(0), ""),
        *failed(JOB, NAS, night(1)),
        *failed(JOB, NAS, night(2)),
        *failed(JOB, DatabaseUnreachable("gone"), night(3)),
        *failed(JOB, NAS, night(4)),
        *succeeded(JOB, night(5)),
    )
    assert said == [
        f"begun {RUN_FAILED}: {JOB}",
        f"over {RUN_FAILED}: {JOB}",
        f"begun {NOT_COPIED}: {JOB}",
        f"begun {RUN_FAILED}: {JOB}",
        f"over {RUN_FAILED}: {JOB}",
        f"over {NOT_COPIED}: {JOB}",
    ]
    assert known.good == {JOB: night(5)}
    assert told(*failed(JOB, NAS, night(1)))[0].good == {JOB: night(1)}
    assert told(*failed("restore", NAS, night(1)))[1] == [f"begun {RUN_FAILED}: restore"]


def test_a_night_and_a_look_tell_of_the_same_place_once_and_of_another_each() -> None:
    by_look, other = (begun(PUBLISHED_COPY, place, night(1), "") for place in ("/nas", "/na"))
    by_night = failed(JOB, NAS, night(1))
    first, second = (told(*by_night, by_look, other), told(by_look, other, *by_night))
    assert first[1] == [f"begun {NOT_COPIED}: {JOB}", f"begun {PUBLISHED_COPY}: /na"]
    assert second[1] == [f"begun {PUBLISHED_COPY}: /nas", f"begun {PUBLISHED_COPY}: /na"]


@pytest.mark.parametrize("error", [Busy, Cancelled])
def test_who_gave_way_or_was_cancelled_has_nothing_to_tell(error: type[PprError]) -> None:
    assert failed(JOB, error("what"), START) == []
