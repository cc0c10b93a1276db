"""``ppr-assets alert``: who hears of incidents, does it get through, and what is open."""

from __future__ import annotations

from collections.abc import Mapping

import click

from ppr_assets.alerts.channels import ChannelFailed
from ppr_assets.alerts.reporting import (
    attempt,
    channels,
    deliver,
    heartbeat_name,
    note_attempt,
    now,
)
from ppr_assets.alerts.state import Channel, read_state
from ppr_assets.alerts.words import NOBODY, alerts_json, source
from ppr_assets.cli.shared.console import err, out, print_columns, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import error_json, json_option, print_json
from ppr_assets.errors import PprError, SettingsError
from ppr_assets.rules.incidents import Incident, Message
from ppr_assets.settings import Settings


@click.group()
def alert() -> None:
    """Show what is open, or try whether alerts get through.

    PPR_ALERT_URLS says who hears of incidents. Of each there is one message when it begins and
    one when it is over, from Dagster's daemon or from the verbs themselves.
    """


@alert.command()
@json_option("A JSON array, for programs.")
@pass_invocation
def test(invocation: Invocation, *, as_json: bool) -> None:
    """Send a message to each channel, and to the health check, and say what came of it.

    Ends with exit code 1 if one of them did not take it. No incident is begun.
    """
    settings = invocation.settings
    if settings.alerts.urls is None and settings.alerts.heartbeat_url is None:
        raise SettingsError(
            "PPR_ALERT_URLS is not set, must name who hears of incidents",
            hint="a webhook (https://…) or mail (smtps://user:password@host?from=…&to=…), several "
            "with blanks between them.",
        )
    with progress("sending"):
        tried = {**_try_channels(settings), **_try_heartbeat(settings)}
    if as_json:
        print_json([{"channel": name, "error": error_json(one)} for name, one in tried.items()])
    else:
        _print_tried(tried)
    if failed := [name for name, error in tried.items() if error is not None]:
        raise PprError(
            f"{len(failed)} of the channels cannot be reached: {', '.join(failed)}",
            hint="correct PPR_ALERT_URLS or PPR_HEARTBEAT_URL, and run `ppr-assets alert test`.",
        )


def _try_channels(settings: Settings) -> dict[str, ChannelFailed | None]:
    at = now()
    text = "this is a test: what is sent here is received, and nothing has happened"
    message = Message("begun", Incident("test", "ppr-assets alert test", at, text), at)
    tried: dict[str, ChannelFailed | None] = {}
    for name, url in channels(settings).items():
        tried[name] = attempt(url, message, source(settings))
        note_attempt(settings, name, tried[name], at=now())
    if not any(tried.values()):
        deliver(settings)
    return tried


def _print_tried(tried: Mapping[str, ChannelFailed | None]) -> None:
    for name, error in tried.items():
        out.print(f"{name}  {'delivered' if error is None else error.message}")
        if error is not None and error.hint:
            err.print(f"{name}: {error.hint}")


def _try_heartbeat(settings: Settings) -> dict[str, ChannelFailed | None]:
    from ppr_assets.alerts.heartbeat import ping

    if settings.alerts.heartbeat_url is None:
        return {}
    name = heartbeat_name(settings.alerts.heartbeat_url.reveal())
    return {name: ping(settings, "", "ppr-assets alert test")}


@alert.command("list")
@json_option()
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """List what is open, since when, and how the last message to each channel went."""
    state = read_state(invocation.settings.data_repo)
    if as_json:
        print_json(alerts_json(state))
        return
    incidents = sorted(state.known.incidents.values(), key=lambda one: one.since)
    if not incidents and invocation.settings.alerts.wanted:
        out.print("nothing is open")
    for one in incidents:
        out.print(f"{one.key}, since {one.since:%Y-%m-%d %H:%M} UTC")
        for line in filter(None, (*one.text.splitlines(), one.link)):
            out.print(f"  {line}")
    if not invocation.settings.alerts.wanted:
        out.print(NOBODY)
    names = {*channels(invocation.settings), *state.channels}
    if names:
        rows = [(name, *_told(state.channels.get(name, Channel()))) for name in sorted(names)]
        print_columns([("channel", "last sent", "unsent", "last failure"), *rows], numbers={2})


def _told(channel: Channel) -> tuple[str, str, str]:
    sent = f"{channel.sent_at:%Y-%m-%d %H:%M} UTC" if channel.sent_at else "never"
    failed = channel.error.partition("\n")[0]
    if failed and channel.failed_at:
        failed = f"{failed} ({channel.failed_at:%Y-%m-%d %H:%M} UTC)"
    if channel.lost:
        failed += f", {channel.lost} older were given up"
    return sent, str(len(channel.unsent)), failed
