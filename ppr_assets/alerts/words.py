"""An incident in words: one title, one text, and the same as JSON for programs."""

from __future__ import annotations

import socket
from typing import Any

from ppr_assets.alerts.state import State
from ppr_assets.rules.incidents import Incident, Message
from ppr_assets.settings import Settings

NOBODY = "nobody hears of incidents: PPR_ALERT_URLS is not set"


def source(settings: Settings) -> str:
    """Where it happened: several machines may tell the same person."""
    return f"{socket.gethostname()}:{settings.data_repo.path}"


def title(message: Message) -> str:
    """``gate refused: nightly_dump``, or the same with ``over:`` before it."""
    return message.incident.key if message.event == "begun" else f"over: {message.incident.key}"


def text(message: Message, where: str) -> str:
    """All of it: the error with its hint, since when, the run's page, and where."""
    incident = message.incident
    since = f"since {incident.since:%Y-%m-%d %H:%M} UTC"
    if message.event == "over":
        since += f", over at {message.at:%Y-%m-%d %H:%M} UTC"
    told = incident.text if message.event == "begun" else ""
    return "\n".join(filter(None, (told, since, incident.link, where)))


def payload(message: Message, where: str) -> dict[str, Any]:
    """What a webhook gets. ``text`` is what chat services show of it."""
    return {
        "text": f"{title(message)}\n{text(message, where)}",
        "event": message.event,
        "at": message.at.isoformat(),
        **incident_json(message.incident),
        "source": where,
    }


def incident_json(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "subject": incident.subject,
        "since": incident.since.isoformat(),
        "error": incident.text,
        "link": incident.link or None,
    }


def alerts_json(state: State) -> dict[str, Any]:
    """What is open, and how the last messages went, for programs."""
    return {
        "open": [incident_json(one) for one in state.known.incidents.values()],
        "channels": [
            {
                "channel": name,
                "sent_at": one.sent_at.isoformat() if one.sent_at else None,
                "failed_at": one.failed_at.isoformat() if one.failed_at else None,
                "error": one.error or None,
                "unsent": len(one.unsent),
                "lost": one.lost,
            }
            for name, one in sorted(state.channels.items())
        ],
    }
