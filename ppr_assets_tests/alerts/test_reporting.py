"""From a report to the person: real servers, and what is remembered where one of them is dead."""

from __future__ import annotations

import json
import socket
import stat
import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.alerts import reporting, state
from ppr_assets.alerts.heartbeat import ping
from ppr_assets.alerts.reporting import channels, report
from ppr_assets.alerts.state import changed_state, read_state, state_file
from ppr_assets.files import held
from ppr_assets.rules.incidents import GATE_REFUSED, RUN_FAILED, begun, over, take_in
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_command_line import wait_until
from ppr_assets_tests.fix_sinks import (
    PASSWORD,
    TOKEN,
    MailSink,
    WebSink,
    told_to,
    without_services,
)

AT = datetime(2026, 11, 2, 2, tzinfo=UTC)
LATER = AT + timedelta(days=1)
ERROR = "record-count ratchet refused the dump: 812 records\nHINT: did the last scraper run finish?"


def clock() -> datetime:
    return LATER


def begin(settings: Settings, subject: str = "nightly_dump") -> None:
    report(settings, [begun(GATE_REFUSED, subject, AT, ERROR, "https://d/runs/1")], clock=clock)


def end(settings: Settings, subject: str = "nightly_dump") -> None:
    report(settings, [over(GATE_REFUSED, subject, LATER)], clock=clock)


@pytest.fixture
def bare(tmp_path: Path) -> Settings:
    return without_services(tmp_path)


def test_a_webhook_hears_of_both_ends(bare: Settings, web_sink: WebSink) -> None:
    settings = told_to(bare, web_sink.url)
    begin(settings)
    begin(settings)
    end(settings)
    end(settings)
    first, last = web_sink.alerts
    assert first == {
        "text": f"gate refused: nightly_dump\n{ERROR}\nsince 2026-11-02 02:00 UTC\n"
        f"https://d/runs/1\n{socket.gethostname()}:{settings.data_repo.path}",
        "event": "begun",
        "at": AT.isoformat(),
        "kind": "gate refused",
        "subject": "nightly_dump",
        "since": AT.isoformat(),
        "error": ERROR,
        "link": "https://d/runs/1",
        "source": f"{socket.gethostname()}:{settings.data_repo.path}",
    }
    assert last["text"].splitlines()[:2] == [
        "over: gate refused: nightly_dump",
        "since 2026-11-02 02:00 UTC, over at 2026-11-03 02:00 UTC",
    ]


def test_mail_arrives_with_user_and_password(bare: Settings, mail_sink: MailSink) -> None:
    begin(told_to(bare, mail_sink.url))
    (mail,) = mail_sink.got
    assert (mail["From"], mail["To"]) == ("robot@example.org", "board@example.org")
    assert mail["Subject"] == "[ppr-assets] gate refused: nightly_dump"
    assert mail.get_content().startswith(ERROR.replace("\n", "\r\n"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise's own imports
def test_apprise_takes_what_is_not_built_in(bare: Settings, web_sink: WebSink) -> None:
    begin(told_to(bare, web_sink.url.replace("http://", "json://")))
    (body,) = (json.loads(body) for _, body in web_sink.got)
    assert body["title"] == "gate refused: nightly_dump"
    assert ERROR.splitlines()[1] in body["message"]


def test_what_a_dead_channel_missed_is_sent_when_it_answers(
    bare: Settings, web_sink: WebSink, mail_sink: MailSink
) -> None:
    settings = told_to(bare, web_sink.url, mail_sink.url)
    web_sink.status = 503
    begin(settings)
    name = "http://127.0.0.1"
    found = read_state(settings.data_repo).channels[name]
    assert found.error == "the server answered 503 (service unavailable)"
    assert (found.failed_at, found.sent_at, len(found.unsent)) == (LATER, None, 1)
    assert len(mail_sink.got) == 1
    web_sink.status = 200
    report(settings, [], clock=clock)
    assert web_sink.said == ["begun gate refused: nightly_dump"]
    report(settings, [], clock=clock)
    assert (len(web_sink.got), len(mail_sink.got)) == (1, 1)
    assert read_state(settings.data_repo).channels[name].error == ""


def test_who_is_late_says_nothing_that_the_next_would_say_once_more(
    bare: Settings, web_sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "LONGEST_SECONDS", 0.1)
    settings = told_to(bare, web_sink.url)
    web_sink.seconds = 0.3
    report(
        settings,
        [begun(GATE_REFUSED, subject, AT, ERROR) for subject in ("one", "two")],
        clock=clock,
    )
    (name,) = channels(settings)
    wait_until(lambda: len(read_state(settings.data_repo).channels[name].unsent) == 1)
    monkeypatch.undo()
    web_sink.seconds = 0.0
    report(settings, [], clock=clock)
    assert web_sink.said == ["begun gate refused: one", "begun gate refused: two"]


def test_of_what_a_channel_misses_the_newest_are_kept(bare: Settings, web_sink: WebSink) -> None:
    settings = told_to(bare, web_sink.url)
    web_sink.status = 500
    for number in range(15):
        begin(settings, str(number))
        end(settings, str(number))
    found = read_state(settings.data_repo).channels["http://127.0.0.1"]
    assert (len(found.unsent), found.lost) == (20, 10)


@pytest.mark.parametrize(
    ("user", "pair"), [("robot:t%40ken", b"robot:t@ken"), (TOKEN, f"{TOKEN}:".encode())]
)
def test_a_user_in_the_url_is_let_in_by_a_header_and_is_no_part_of_the_host(
    user: str, pair: bytes, bare: Settings, web_sink: WebSink
) -> None:
    url = web_sink.url.replace("http://", f"http://{user}@")
    settings = told_to(bare, url, heartbeat=url)
    begin(settings)
    assert ping(settings, "start") is None
    assert web_sink.credentials == [f"Basic {b64encode(pair).decode()}"] * 2
    assert [*channels(settings)] == ["http://127.0.0.1"]


def test_an_address_may_have_letters_of_any_language_and_a_fragment_goes_nowhere(
    bare: Settings, web_sink: WebSink
) -> None:
    begin(told_to(bare, f"{web_sink.url}/kühl%20?für=tägl#{PASSWORD}"))
    ((path, _),) = web_sink.got
    assert path == f"/hook/{TOKEN}/k%C3%BChl%20?f%C3%BCr=t%C3%A4gl"


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("müller.рф:8443", "xn--mller-kva.xn--p1ai:8443"),
        ("müller.рф", "xn--mller-kva.xn--p1ai"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_a_host_in_letters_of_any_language_is_asked_for_at_its_port(
    place: str, asked: str, bare: Settings, web_sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is asked for it, which has the whole address."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", web_sink.url)
    begin(told_to(bare, f"http://{place}/hook"))
    ((path, _),) = web_sink.got
    assert path == f"http://{asked}/hook"


def test_a_text_that_is_long_or_not_all_letters_arrives_with_its_hint(
    bare: Settings, web_sink: WebSink, mail_sink: MailSink
) -> None:
    """A service that refuses what is too long for it would never take what comes after it."""
    settings = told_to(bare, web_sink.url, mail_sink.url, heartbeat=web_sink.url)
    said = f"näh \udcff {'sehr ' * 100_000}\nHINT: その道は。"
    report(settings, [begun(GATE_REFUSED, "größe \udcff", AT, said)], clock=clock)
    told = web_sink.alerts[0]["text"]
    assert ping(settings, "fail", said) is None
    (mail,) = mail_sink.got
    assert mail["Subject"] == "[ppr-assets] gate refused: größe ?"
    for text in (told, mail.get_content()):
        assert "näh ? sehr" in text and "HINT: その道は。" in text and len(text) < 5_000


FAULTS: dict[str, Callable[[WebSink, MailSink], str]] = {
    "nobody listens": lambda _web, _mail: f"http://127.0.0.1:9/{TOKEN}",
    "name not resolved": lambda _web, _mail: f"https://no-such-host.invalid/{TOKEN}",
    "error of the server": lambda web, _mail: web.url,
    "mail refused": lambda _web, mail: mail.url,
    "wrong password": lambda _web, mail: mail.url.replace(PASSWORD, f"not-{PASSWORD}"),
    "no such service": lambda _web, _mail: f"nosuch://{TOKEN}/{PASSWORD}",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_channel_that_fails_ends_nothing_and_tells_no_secret(
    fault: str,
    bare: Settings,
    web_sink: WebSink,
    mail_sink: MailSink,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    web_sink.status, mail_sink.refused = 404, True
    settings = told_to(bare, FAULTS[fault](web_sink, mail_sink))
    begin(settings)
    (name,) = channels(settings)
    found = read_state(settings.data_repo).channels[name]
    assert found.error and len(found.unsent) == 1
    shown = [repr(settings), name, state_file(settings.data_repo).read_text(), caplog.text]
    for text in (*shown, *capfd.readouterr()):
        assert TOKEN not in text and PASSWORD not in text


@pytest.mark.parametrize(
    ("scheme", "host", "error"),
    [
        ("smtp", "0.0.0.0", "the mail server offers no TLS, so the password was not sent"),
        ("smtps", "127.0.0.1", "no TLS with it: wrong version number"),
    ],
)
def test_a_password_goes_over_no_wire_that_others_may_read(
    scheme: str, host: str, error: str, bare: Settings, mail_sink: MailSink
) -> None:
    url = mail_sink.url.replace("smtp:", f"{scheme}:").replace("127.0.0.1", host)
    settings = told_to(bare, url)
    begin(settings)
    (channel,) = read_state(settings.data_repo).channels.values()
    assert channel.error.splitlines()[0] == error
    assert mail_sink.got == []


def test_a_redirection_is_not_followed(bare: Settings, web_sink: WebSink) -> None:
    web_sink.status = 302
    settings = told_to(bare, web_sink.url)
    begin(settings)
    assert read_state(settings.data_repo).channels["http://127.0.0.1"].error == (
        "the server answered 302 (found)"
    )


def test_what_was_known_without_a_clone_is_known_beside_it(
    bare: Settings, web_sink: WebSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run could not make the clone; the next one did, and ends what it had begun."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    settings = told_to(bare, web_sink.url)
    objects = settings.data_repo.path / ".git" / "objects"
    objects.rmdir()
    begin(settings)
    left = state_file(settings.data_repo)
    assert left.is_relative_to(tmp_path / "state")
    objects.mkdir()
    end(settings)
    assert web_sink.said == ["begun gate refused: nightly_dump", "over gate refused: nightly_dump"]
    assert not left.exists()
    beside = state_file(settings.data_repo)
    assert beside == settings.data_repo.path / ".git" / "ppr_assets" / "alerts.json"
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600


def test_a_state_that_nobody_can_read_is_begun_anew(bare: Settings, web_sink: WebSink) -> None:
    settings = told_to(bare, web_sink.url)
    begin(settings)
    state_file(settings.data_repo).write_text('{"open": [1')
    begin(settings)
    assert web_sink.said == ["begun gate refused: nightly_dump"] * 2


def test_many_who_report_at_once_are_told_of_once(bare: Settings, web_sink: WebSink) -> None:
    settings = told_to(bare, web_sink.url)
    web_sink.seconds = 0.3
    threads = [threading.Thread(target=begin, args=(settings,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert web_sink.said == ["begun gate refused: nightly_dump"]


def test_nothing_is_kept_where_nobody_is_to_be_told(bare: Settings) -> None:
    report(bare, [begun(RUN_FAILED, "a", AT, "")])
    assert not state_file(bare.data_repo).exists()


def test_where_nothing_can_be_kept_it_is_told_all_the_same_and_once_by_each_process(
    bare: Settings, web_sink: WebSink, mail_sink: MailSink, caplog: pytest.LogCaptureFixture
) -> None:
    """Its disk is full, say, and that is what somebody must hear of."""
    settings = told_to(bare, web_sink.url, mail_sink.url)
    in_the_way = settings.data_repo.path / ".git" / "ppr_assets"
    in_the_way.write_text("a file in the way")
    begin(settings)
    begin(settings)
    assert web_sink.said == ["begun gate refused: nightly_dump"]
    assert len(mail_sink.got) == 1
    assert "what was reported of incidents cannot be kept" in caplog.text
    in_the_way.unlink()
    begin(settings)
    end(settings)
    assert web_sink.said == ["begun gate refused: nightly_dump", "over gate refused: nightly_dump"]


def test_what_others_keep_while_one_cannot_is_kept(
    bare: Settings, web_sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has the file for long, and has told of an end when it lets go of it."""
    settings = told_to(bare, web_sink.url)
    begin(settings, "one")
    with monkeypatch.context() as patched:
        patched.setattr(state, "_WAIT_SECONDS", 0.0)
        with held(state_file(settings.data_repo).with_suffix(".lock")):
            begin(settings, "two")
    with changed_state(settings.data_repo) as box:
        known, _ = take_in(box[0].known, [over(GATE_REFUSED, "one", LATER)])
        box[0] = replace(box[0], known=known)
    for change in (begin, end, end):
        change(settings, "two")
    end(settings, "one")
    assert web_sink.said == [
        f"{one} gate refused: {two}"
        for one, two in (("begun", "one"), ("begun", "two"), ("over", "two"))
    ]
    assert not read_state(settings.data_repo).known.incidents


def test_a_heartbeat_has_the_form_of_health_checks(bare: Settings, web_sink: WebSink) -> None:
    settings = told_to(bare, heartbeat=web_sink.url)
    assert ping(settings, "start") is None
    ping(settings, "fail", ERROR)
    ping(settings, "", "done")
    path = f"/hook/{TOKEN}"
    assert web_sink.got == [(f"{path}/start", ""), (f"{path}/fail", ERROR), (path, "done")]


def test_a_health_check_that_does_not_answer_ends_nothing(
    bare: Settings, web_sink: WebSink
) -> None:
    web_sink.status = 404
    settings = told_to(bare, heartbeat=web_sink.url)
    failed = ping(settings, "start", clock=clock)
    assert failed is not None and failed.message == "the server answered 404 (not found)"
    begin(told_to(bare, web_sink.url, heartbeat=web_sink.url))
    found = read_state(settings.data_repo).channels["heartbeat http://127.0.0.1"]
    assert (found.error, found.failed_at) == ("the server answered 404 (not found)", LATER)
    begin(told_to(bare, web_sink.url))
    assert [*read_state(settings.data_repo).channels] == ["http://127.0.0.1"]
