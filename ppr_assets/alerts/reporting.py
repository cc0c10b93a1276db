"""Report what was found, and have it told: the one way from whoever looks to whoever must hear.

An operation that finds something hands it over like this, as often as it looks::

    report(settings, [begun(PUBLISHED_COPY, STALE, now(), error.render(), link)])
    report(settings, [over(PUBLISHED_COPY, STALE, now())])

A run says :func:`~ppr_assets.rules.incidents.succeeded` of its job. Nothing raised here ends what
reports: a channel that is dead is remembered, tried again next time, and shown by ``status``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from msgspec.structs import replace

from ppr_assets.alerts.channels import ChannelFailed, send
from ppr_assets.alerts.state import Channel, adopt, changed_state, read_state, sending, state_file
from ppr_assets.alerts.words import source
from ppr_assets.errors import Busy
from ppr_assets.rules.incidents import Known, Message, Report, begun, take_in
from ppr_assets.settings import Secret, Settings
from ppr_assets.settings.alerts import shown

LONGEST_SECONDS = 20.0
"""For all channels together; who has not answered by then is tried again next time. A
sensor delivers twice and pings once, and has 60 s."""
_MOST_UNSENT = 20

_Taken = list[tuple[Report, bool]]
"""Reports in their order, and whether something was said of each."""

_unkept: dict[Path, _Taken] = {}
"""What this process has told of while nothing could be kept, by the file that it would be kept in.
It is added to what others have kept there since."""

_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def report(settings: Settings, reports: Iterable[Report], *, clock: Clock = now) -> list[Message]:
    """Take the reports in, and say what is new and what was left unsaid. Hands back what is new.

    Does nothing where PPR_ALERT_URLS is not set.
    """
    if not settings.alerts.wanted:
        return []
    found = list(reports)
    try:
        said = _take_in(settings, found, clock())
    except (OSError, Busy) as error:
        _log.warning("what was reported of incidents cannot be kept: %s", error)
        return _tell_unkept(settings, found, clock())
    try:
        deliver(settings, clock=clock)
    except (OSError, Busy) as error:
        _log.warning("incidents could not be reported: %s", error)
    return said


def adopt_known(settings: Settings, kept: Known) -> None:
    """Take in what somebody else has kept, where there is nothing here. Where it cannot be written,
    it counts as told by this process."""
    try:
        adopt(settings.data_repo, kept)
    except (OSError, Busy) as error:
        _log.warning("what was known of incidents cannot be kept: %s", error)
        told = [
            begun(one.kind, one.subject, one.since, one.text, one.link)
            for one in kept.incidents.values()
        ]
        _unkept.setdefault(state_file(settings.data_repo), [(one, True) for one in told])


def channels(settings: Settings) -> Mapping[str, Secret]:
    """Each URL, by what may be shown of it; a second one of the same host gets a number."""
    found: dict[str, Secret] = {}
    for url in settings.alerts.urls.reveal().split() if settings.alerts.urls else ():
        name = base = shown(url)
        number = 1
        while name in found:
            number += 1
            name = f"{base} #{number}"
        found[name] = Secret(url)
    return found


def heartbeat_name(url: str) -> str:
    """Of the health check at ``url``, which stands beside the channels."""
    return f"heartbeat {shown(url)}"


def deliver(settings: Settings, *, clock: Clock = now) -> None:
    """Send what is unsent, to all channels at once. A failure is noted beside its channel."""
    urls = channels(settings)
    if not any(one.unsent for one in read_state(settings.data_repo).channels.values()):
        return
    with sending(settings.data_repo):
        waiting = read_state(settings.data_repo).channels
        due = [name for name in urls if name in waiting and waiting[name].unsent]
        _at_once(due, lambda name, until: _send_all(settings, name, urls[name], until, clock))


def _at_once(names: Iterable[str], send_to: Callable[[str, float], None]) -> None:
    until = monotonic() + LONGEST_SECONDS
    threads = [threading.Thread(target=send_to, args=(one, until), daemon=True) for one in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - monotonic()))


def _tell_unkept(settings: Settings, reports: list[Report], at: datetime) -> list[Message]:
    """Once by this process, as long as it lives: a daemon looks each minute."""
    place = state_file(settings.data_repo)
    known = Known()
    with suppress(OSError):
        known = read_state(settings.data_repo).known
    _, messages, _unkept[place] = _judged(place, known, reports, at)
    urls, where = channels(settings), source(settings)

    def send_to(name: str, until: float) -> None:
        for message in messages:
            if monotonic() < until and (failed := attempt(urls[name], message, where)):
                _log.warning("%s: %s", name, failed.message)

    _at_once(urls if messages else (), send_to)
    return messages


def _judged(
    place: Path, known: Known, reports: list[Report], at: datetime
) -> tuple[Known, list[Message], _Taken]:
    """What is known after what is unkept and ``reports``, what is to be said, and what of them all
    has changed something."""
    taken = [*_unkept.get(place, ()), *((one, False) for one in reports)]
    if taken:
        known = known.as_of(max(at, *(one.at for one, _ in taken)))
    messages: list[Message] = []
    changes: _Taken = []
    for one, was_said in taken:
        good = known.good
        known, said = take_in(known, [one])
        if was_said or said or known.good != good:
            changes.append((one, was_said or bool(said)))
        messages += [] if was_said else said
    return known, messages, changes


def _take_in(settings: Settings, reports: list[Report], at: datetime) -> list[Message]:
    place = state_file(settings.data_repo)
    with changed_state(settings.data_repo) as box:
        known, messages, _ = _judged(place, box[0].known, reports, at)
        state = replace(box[0], known=known)
        names, pinged = channels(settings), settings.alerts.heartbeat_url
        known_names = {*names, *([heartbeat_name(pinged.reveal())] if pinged else [])}
        kept = {name: one for name, one in state.channels.items() if name in known_names}
        for name in names:
            kept[name] = _queued(kept.get(name, Channel()), messages)
        box[0] = replace(state, channels=kept)
    _unkept.pop(place, None)
    return messages


def _queued(channel: Channel, messages: list[Message]) -> Channel:
    unsent = [*channel.unsent, *messages]
    lost = max(0, len(unsent) - _MOST_UNSENT)
    return replace(channel, unsent=tuple(unsent[lost:]), lost=channel.lost + lost)


def _send_all(settings: Settings, name: str, url: Secret, until: float, clock: Clock) -> None:
    """Oldest first, until one does not get through, or whoever waits has gone: the next to come
    would say the rest once more."""
    where = source(settings)
    try:
        for message in read_state(settings.data_repo).channels[name].unsent:
            if monotonic() >= until:
                return
            failed = attempt(url, message, where)
            note_attempt(settings, name, failed, at=clock(), sent=message)
            if failed is not None:
                return
    except (OSError, Busy) as error:
        _log.warning("what became of a message could not be noted: %s", error)


def attempt(url: Secret, message: Message, where: str) -> ChannelFailed | None:
    """Send one message; the failure, if it was one."""
    try:
        send(url.reveal(), message, where)
    except ChannelFailed as error:
        return error
    return None


def note_attempt(
    settings: Settings,
    name: str,
    failed: ChannelFailed | None,
    *,
    at: datetime,
    sent: Message | None = None,
) -> None:
    """Remember how the channel's last attempt ended, for ``status``."""
    with changed_state(settings.data_repo) as box:
        channel = box[0].channels.get(name, Channel())
        if failed is None:
            unsent = tuple(one for one in channel.unsent if one != sent)
            channel = replace(channel, unsent=unsent, sent_at=at, error="", lost=0)
        else:
            channel = replace(channel, failed_at=at, error=failed.render())
        box[0] = box[0].with_channel(name, channel)
