"""A real git server over HTTP that wants a password, for the tests of the token."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class HttpRemote:
    """Serves the bare repositories in ``root``; with ``elsewhere`` it sends everybody there, and a
    body of more than ``largest`` bytes (0: any) is too large for it. Where it is ``public``,
    whoever shows nothing may read. The next ``failing`` requests are answered with 503."""

    root: Path
    password: str
    elsewhere: str = ""
    largest: int = 0
    public: bool = False
    failing: int = 0
    url: str = ""
    seen: list[str] = field(default_factory=list)
    """The Authorization headers that came, "" for none."""
    sent: int = 0
    """Bytes of all answers, without what HTTP itself takes."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, remote: HttpRemote) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.remote = remote


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        remote = self.server.remote
        given = self.headers.get("Authorization", "")
        remote.seen.append(given)
        if remote.elsewhere:
            self._reply(302, {"Location": remote.elsewhere + self.path}, b"")
            return
        if remote.failing:
            remote.failing -= 1
            self._reply(503, {}, b"")
            return
        wanted = base64.b64encode(f"x-access-token:{remote.password}".encode()).decode()
        reads = remote.public and not given and "receive-pack" not in self.path
        if given != f"Basic {wanted}" and not reads:
            self._reply(401, {"WWW-Authenticate": 'Basic realm="data"'}, b"")
            return
        if remote.largest and len(body) > remote.largest:
            self._reply(413, {}, b"")
            return
        path, _, query = self.path.partition("?")
        backend = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(remote.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "REMOTE_USER": "x-access-token",
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
        )
        head, _, content = backend.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        self._reply(status, headers, content)

    def _reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.server.remote.sent += len(content)
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


@contextmanager
def serve(remote: HttpRemote) -> Iterator[HttpRemote]:
    server = _Server(remote)
    remote.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield remote
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
