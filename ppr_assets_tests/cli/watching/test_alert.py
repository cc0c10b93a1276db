"""``ppr-assets alert`` as somebody types it, on a folder that only looks like a clone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ppr_assets.alerts.reporting import report
from ppr_assets.rules.incidents import GATE_REFUSED, begun
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_sinks import PASSWORD, TOKEN, MailSink, WebSink, told_to, without_services

AT = datetime(2026, 11, 2, 2, tzinfo=UTC)


@pytest.fixture
def alert(tmp_path: Path, web_sink: WebSink, mail_sink: MailSink) -> CommandLine:
    settings = told_to(without_services(tmp_path), web_sink.url)
    report(settings, [begun(GATE_REFUSED, "nightly_dump", AT, "812 records\nHINT: look", "l")])
    web_sink.got.clear()
    return CommandLine(
        tmp_path,
        {
            "DATA_REPO_PATH": str(settings.data_repo.path),
            "POSTGRES_HOST": "/nowhere",
            "POSTGRES_PASSWORD": "",
            "PPR_ALERT_URLS": f"{web_sink.url} {mail_sink.url}",
            "PPR_HEARTBEAT_URL": web_sink.url,
        },
    )


def test_a_test_tells_how_it_went_with_each(
    alert: CommandLine, web_sink: WebSink, mail_sink: MailSink
) -> None:
    said = alert("alert", "test")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "http://127.0.0.1  delivered",
        "smtp://127.0.0.1  delivered",
        "heartbeat http://127.0.0.1  delivered",
    ]
    assert (len(web_sink.got), len(mail_sink.got)) == (2, 1)
    assert "nothing has happened" in mail_sink.got[0].get_content()
    web_sink.status = 500
    said = alert("alert", "test")
    assert said.code == 1
    assert said.error == (
        "2 of the channels cannot be reached: http://127.0.0.1, heartbeat http://127.0.0.1"
    )
    listed = alert("alert", "list")
    assert listed.out.splitlines()[:4] == [
        "gate refused: nightly_dump, since 2026-11-02 02:00 UTC",
        "  812 records",
        "  HINT: look",
        "  l",
    ]
    assert "the server answered 500" in listed.out
    found = json.loads(alert("alert", "list", "--json").out)
    assert [one["kind"] for one in found["open"]] == ["gate refused"]
    assert {one["channel"]: bool(one["error"]) for one in found["channels"]} == {
        "heartbeat http://127.0.0.1": True,
        "http://127.0.0.1": True,
        "smtp://127.0.0.1": False,
    }
    shown = alert("status", "--offline").out
    assert "gate refused: nightly_dump, since 2026-11-02" in shown
    assert "http://127.0.0.1 is dead: the server answered 500" in shown
    known = json.loads(alert("status", "--offline", "--json").out)["alerts"]
    assert known == found
    said_on_errors = said.err + listed.err
    for text in (shown, json.dumps(known), said.out, listed.out, said_on_errors):
        assert TOKEN not in text and PASSWORD not in text


def test_a_test_that_would_tell_nobody_says_so(tmp_path: Path) -> None:
    said = CommandLine(tmp_path)("alert", "test")
    assert said.code == 2
    assert said.error == "PPR_ALERT_URLS is not set, must name who hears of incidents"


@pytest.mark.parametrize(
    "urls", ["hooks.example.org/s3cret", "smtp://u:s3cret@mail.example.org", "https:///s3cret"]
)
def test_a_url_that_cannot_be_used_is_not_shown(urls: str, tmp_path: Path) -> None:
    said = CommandLine(tmp_path, {"PPR_ALERT_URLS": urls})("alert", "list")
    assert said.code == 2
    assert said.error.startswith("PPR_ALERT_URLS is set to a value not shown here, must be URLs")
    assert "s3cret" not in said.err + said.out


def test_where_nobody_is_told_it_says_so(tmp_path: Path) -> None:
    nothing_kept = {"XDG_STATE_HOME": str(tmp_path)}
    listed = CommandLine(tmp_path, nothing_kept)("alert", "list")
    assert listed.out == "nobody hears of incidents: PPR_ALERT_URLS is not set\n"
