"""Where alerts go in tests: a real web server and a real mail server, on this machine."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ppr_assets.settings import AlertSettings, DataRepoSettings, Secret, Settings

TOKEN = "t0kenOfTheWebhook"
PASSWORD = "passw0rdOfMail"


@dataclass
class WebSink:
    """Answers each POST with ``status`` after ``seconds``. ``got`` are paths and bodies, as they
    came, ``credentials`` what came with each of them as ``Authorization``."""

    url: str = ""
    status: int = 200
    seconds: float = 0.0
    got: list[tuple[str, str]] = field(default_factory=list)
    credentials: list[str | None] = field(default_factory=list)

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def said(self) -> list[str]:
        """``begun gate refused: nightly_dump``, in the order of arrival."""
        return [f"{one['event']} {one['kind']}: {one['subject']}" for one in self.alerts]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sink: WebSink) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sink = sink


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sink = self.server.sink
        time.sleep(sink.seconds)
        if sink.status < 300:
            sink.got.append((self.path, body))
            sink.credentials.append(self.headers["Authorization"])
        self.send_response(sink.status, f"no {self.path}")
        if sink.status in (301, 302):
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's
        """Say nothing."""


@contextmanager
def web_server() -> Iterator[WebSink]:
    sink = WebSink()
    with _Server(sink) as server:
        sink.url = f"http://127.0.0.1:{server.server_port}/hook/{TOKEN}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def web_sink() -> Iterator[WebSink]:
    with web_server() as sink:
        yield sink


@dataclass
class MailSink:
    url: str = ""
    refused: bool = False
    got: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refused or not session.authenticated:
            return f"554 no mail of {PASSWORD} here"
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.got.append(found)
        return "250 OK"


def _authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
    from aiosmtpd.smtp import AuthResult

    good = data.login == b"robot@example.org" and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False)


@pytest.fixture
def mail_sink() -> Iterator[MailSink]:
    """It wants the password, and takes it without TLS, since it is on this machine."""
    sink = MailSink()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=port,
        authenticator=_authenticated,
        auth_require_tls=False,
    )
    controller.start()
    sink.url = f"smtp://robot%40example.org:{PASSWORD}@127.0.0.1:{port}?to=board@example.org"
    yield sink
    controller.stop()


def told_to(settings: Settings, *urls: str, heartbeat: str | None = None) -> Settings:
    """``settings`` with these channels."""
    alerts = replace(
        settings.alerts,
        urls=Secret.of(" ".join(urls) or None),
        heartbeat_url=Secret.of(heartbeat),
        dagster_url="https://dagster.example.org",
    )
    return replace(settings, alerts=alerts)


def without_services(folder: Any) -> Settings:
    """Settings for tests that need neither a database nor git: a clone is only a folder here."""
    settings = Settings.from_environment({}, dotenv=None)
    (folder / "clone" / ".git" / "objects").mkdir(parents=True)
    return replace(
        settings,
        data_repo=replace(DataRepoSettings(), path=folder / "clone"),
        alerts=AlertSettings(),
    )
