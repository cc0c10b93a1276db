"""Copies in a container of Azure's, on Microsoft's own stand-in for it where that is installed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

import pytest

from ppr_assets.child_process import supervised
from ppr_assets.copies.contents import contents, open_place
from ppr_assets.rules.naming import copy_name
from ppr_assets_tests.fix_copies import CopyWorld, dump_of

FIRST, SECOND = map(dump_of, (1, 2))
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Everybody's, of that stand-in alone."""
_VERSION = "2021-12-02"


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[int]:
    """Its port."""
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("Azurite is not installed (npm: azurite)")
    log = tmp_path / "azurite.log"
    quiet = ("--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
    argv = [program, *quiet, "--blobHost", "127.0.0.1", "--blobPort", "0"]
    with (
        log.open("w") as words,
        supervised(argv, stdout=words, stderr=words, cwd=tmp_path) as server,
    ):
        yield _port(server, log)


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        if found := re.search(r"listens on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _make_container(port: int, name: str) -> None:
    """By a request that is signed as Azure's are."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
    told = [f"{key}:{value}" for key, value in headers.items()]
    text = "\n".join(
        ["PUT", *[""] * 11, *told, f"/{ACCOUNT}/{ACCOUNT}/{name}", "restype:container"]
    )
    signature = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        path = f"/{ACCOUNT}/{name}?restype=container"
        connection.request("PUT", path, headers={**headers, "Content-Length": "0"})
        assert connection.getresponse().status == 201


def test_copies_go_to_a_container_once_and_are_read_back(
    copy_world: CopyWorld, azure: int, capfd: pytest.CaptureFixture[str]
) -> None:
    _make_container(azure, "copies")
    endpoint = f"endpoint=http://127.0.0.1:{azure}/{ACCOUNT}"
    copy_world.name(f"az://{ACCOUNT}:{quote(KEY, safe='')}@copies/nightly?{endpoint}")
    outcome = copy_world.copied()
    assert (outcome.place, outcome.kept) == ("az://copies/nightly", [FIRST, SECOND])
    assert outcome.verified
    (url,) = copy_world.settings.data_repo.copies.urls
    place = open_place(url)
    there = contents(place)
    for dump in (FIRST, SECOND):
        assert b"".join(there.chunks(dump)).decode() == copy_world.texts[dump]
    assert place.put_new(copy_name(FIRST), b"another") is False
    place.remove(copy_name(FIRST))
    place.put_new(copy_name(FIRST), b"another")
    (problem,) = copy_world.copied().problems
    assert copy_name(FIRST) in problem.message
    assert KEY not in f"{capfd.readouterr()}{outcome!r}{copy_world.settings!r}{problem.render()}"
