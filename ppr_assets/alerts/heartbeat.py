"""The dead-man's switch: a health check service hears of each nightly run, and raises the alarm
itself when it hears nothing, because the machine, the daemon or the schedule is gone."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from ppr_assets.alerts.channels import ChannelFailed, post
from ppr_assets.alerts.reporting import Clock, heartbeat_name, note_attempt, now
from ppr_assets.errors import Busy
from ppr_assets.settings import Settings

_MOST_BYTES = 10_000
"""Of an error's text; services keep no more."""


def ping(
    settings: Settings, event: Literal["start", "", "fail"], text: str = "", *, clock: Clock = now
) -> ChannelFailed | None:
    """POST to the URL itself for a success, and below it for the rest. A failure is handed back and
    noted beside the channels, and ends nothing."""
    if settings.alerts.heartbeat_url is None:
        return None
    url = settings.alerts.heartbeat_url.reveal()
    failed: ChannelFailed | None = None
    body = text.encode(errors="replace")[:_MOST_BYTES]
    try:
        post(_below(url, event), body, "text/plain; charset=utf-8")
    except ChannelFailed as error:
        failed = error
    with suppress(OSError, Busy):  # the service itself misses the ping
        note_attempt(settings, heartbeat_name(url), failed, at=clock())
    return failed


def _below(url: str, event: str) -> str:
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{event}" if event else parts.path
    return urlunsplit(parts._replace(path=path))
