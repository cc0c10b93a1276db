"""Who is told of incidents, and from when on something is one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ppr_assets.settings import kinds
from ppr_assets.settings.kinds import UnusableValueError, must_be
from ppr_assets.settings.secret import Secret
from ppr_assets.settings.variable import optional, secret, variable

_SHOWN_WITH_HOST = ("http", "https", "smtp", "smtps")
"""Of any other URL the host may be a token, as in ``tgram://TOKEN/CHAT``."""


@must_be("URLs with a scheme and a host, with blanks between them")
def urls(text: str) -> str:
    found = text.split()
    if not found or not all(_is_url(one) for one in found):
        raise UnusableValueError(
            "Such as https://hooks.example.org/… for a webhook, or "
            "smtp://user:password@mail.example.org:587/?from=…&to=… for mail."
        )
    return " ".join(found)


@must_be("a URL that begins with http:// or https://")
def web_url(text: str) -> str:
    if not _is_url(text) or urlsplit(text).scheme not in ("http", "https"):
        raise UnusableValueError
    return text


@must_be("a number of hours above 0")
def hours(text: str) -> float:
    number = float(kinds.decimal(text))
    if not 0 < number <= 24 * 366:
        raise UnusableValueError
    return number


@must_be("a percentage from 0 to 90")
def percent(text: str) -> float:
    number = float(kinds.decimal(text))
    if number > 90:
        raise UnusableValueError
    return number


def shown(url: str) -> str:
    """``url`` as anybody may read it: scheme and host alone, of an unknown scheme not even that."""
    parts = urlsplit(url)
    if parts.scheme in _SHOWN_WITH_HOST:
        return f"{parts.scheme}://{parts.hostname or ''}"
    return f"{parts.scheme}://…"


def _is_url(text: str) -> bool:
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s/]\S*", text):
        return False
    try:
        parts = urlsplit(text)
        if parts.scheme not in _SHOWN_WITH_HOST:
            return True
        addressed = not parts.scheme.startswith("smtp") or bool(parse_qs(parts.query).get("to"))
        return bool(parts.hostname) and parts.port != 0 and addressed
    except ValueError:
        return False


@dataclass(frozen=True)
class AlertSettings:
    """``dagster_url`` is where people find Dagster's UI. ``max_age_hours``: so long without a
    good nightly run is an incident; ``undelivered_hours``: a dump that waits for so long."""

    urls: Secret | None = secret(
        "PPR_ALERT_URLS",
        urls,
        "who hears of incidents: webhooks (https://…) and mail (smtp://, smtps://), with blanks "
        "between them; other services with the extra `ppr-assets[alerts]` installed",
    )
    heartbeat_url: Secret | None = secret(
        "PPR_HEARTBEAT_URL",
        web_url,
        "the ping URL of a health check service: it hears of each nightly run's start and end, and "
        "raises the alarm itself when it hears nothing",
    )
    dagster_url: str | None = optional(
        "PPR_DAGSTER_URL", web_url, "where people open Dagster's UI, for links to runs"
    )

    max_age_hours: float = variable(
        "PPR_ALERT_MAX_AGE_HOURS",
        "26",
        hours,
        "so long without a good nightly run is an incident; raise it where SQL_DUMP_CRON is "
        "not nightly",
    )
    undelivered_hours: float = variable(
        "PPR_ALERT_UNDELIVERED_HOURS",
        "6",
        hours,
        "a dump that is staged or pending for so long is an incident",
    )
    disk_free_percent: float = variable(
        "PPR_ALERT_DISK_FREE_PERCENT",
        "10",
        percent,
        "less free room than this on the data repository's disk is an incident; 0 for none",
    )

    @property
    def wanted(self) -> bool:
        """Whether anybody is to hear of incidents."""
        return self.urls is not None

    @property
    def told(self) -> bool:
        """Whether a person or a service is to hear of anything."""
        return self.wanted or self.heartbeat_url is not None

    def run_link(self, run_id: str) -> str:
        return f"{self.dagster_url.rstrip('/')}/runs/{run_id}" if self.dagster_url else ""
