"""A server that fails at the n-th statement: a real one, with somebody in between.

It understands as much of PostgreSQL's protocol as it takes to count what clients ask, pg_dump and
psql among them, and to answer in the server's place, or to hang up.
"""

from __future__ import annotations

import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ppr_assets.settings import DatabaseSettings

CUT = "cut"
FAULTS = {
    "57P01": "terminating connection due to administrator command",
    "53100": "could not extend file: No space left on device",
    "53300": "remaining connection slots are reserved for roles with the SUPERUSER attribute",
    "40001": "could not serialize access due to concurrent update",
}
"""What the server says, by SQLSTATE; :data:`CUT` is no word at all."""

_FATAL = ("57P01", "53300")
_CANCEL = 80877102
_STATEMENTS = (b"Q", b"P", b"F")


@dataclass
class Proxy:
    """Counts statements from all sessions together; at ``fatal`` (from 1) the fault comes, once."""

    real: str
    fault: str = CUT
    fatal: int = 0
    seen: int = 0
    struck: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self, what: bytes) -> bool:
        with self._lock:
            self.seen += 1
            if self.seen != self.fatal:
                return False
            self.struck = what[:200].replace(b"\0", b" ").decode(errors="replace")
            return True


class _Line:
    """What comes from a socket, message by message, and what goes to it: as much at once as there
    is, since a dump's rows are a message each."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._came = b""
        self._read = 0
        self._waits: list[bytes] = []
        self._lock = threading.Lock()

    def exactly(self, size: int) -> bytes:
        while len(self._came) - self._read < size:
            piece = self.end.recv(1 << 16)
            if not piece:
                raise EOFError
            self._came, self._read = self._came[self._read :] + piece, 0
        self._read += size
        return self._came[self._read - size : self._read]

    def message(self) -> tuple[bytes, bytes]:
        head = self.exactly(5)
        return head[:1], self.exactly(_size(head) - 4)

    def has_message(self) -> bool:
        """Whether the next one is there already."""
        head = self._came[self._read : self._read + 5]
        return len(head) == 5 and len(self._came) - self._read > _size(head)

    def put(self, *pieces: bytes) -> None:
        """To go with what is sent next."""
        with self._lock:
            self._waits += pieces

    def send(self, *pieces: bytes) -> None:
        with self._lock:
            data = b"".join((*self._waits, *pieces))
            self._waits.clear()
            self.end.sendall(data)

    def close(self) -> None:
        with suppress(OSError):
            self.end.shutdown(socket.SHUT_RDWR)
        self.end.close()


class _Session:
    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = _Line(client)
        self._server = _Line(socket.socket(socket.AF_UNIX))
        self._server.end.connect(proxy.real)
        self._status = b"I"
        self._error_before_ready = False
        self._swallow = False

    def run(self) -> None:
        try:
            head = self._client.exactly(4)
            (size,) = struct.unpack("!I", head)
            rest = self._client.exactly(size - 4)
            if struct.unpack("!I", rest[:4])[0] == _CANCEL:
                self._server.send(head, rest)
                return
            if self._proxy.strikes(b"(a session begins)"):
                if self._proxy.fault != CUT:
                    self._client.send(self._error(fatal=True))
                return
            self._server.send(head, rest)
            answers = threading.Thread(target=self._pass_answers)
            answers.start()
            try:
                self._pass_questions()
            finally:
                self._end()
                answers.join()
        except (OSError, EOFError):
            pass
        finally:
            self._end()

    def _pass_questions(self) -> None:
        copying = skipping = False
        while True:
            kind, body = self._client.message()
            begins_copy = kind == b"d" and not copying
            copying = kind == b"d"
            if (kind in _STATEMENTS or begins_copy) and self._proxy.strikes(kind + body):
                self._server.send()
                if self._proxy.fault in _FATAL:
                    self._client.send(self._error(fatal=True))
                if self._proxy.fault in (CUT, *_FATAL):
                    return
                copying = False
                skipping = self._fail(kind)
            elif not skipping or kind == b"S":
                self._error_before_ready |= skipping
                skipping = False
                self._server.put(kind, struct.pack("!I", len(body) + 4), body)
            if not self._client.has_message():
                self._server.send()

    def _fail(self, kind: bytes) -> bool:
        """Answer with the error; whether the client's messages up to its Sync are to be ignored, as
        a server does after an error in the extended protocol."""
        if kind not in (b"Q", b"d"):
            return True
        if kind == b"d":
            self._swallow = True
            self._server.send(b"f", struct.pack("!I", 5), b"\0")
            self._client.send(self._error(), self._ready())
            while kind not in (b"c", b"f"):
                kind, _ = self._client.message()
        else:
            self._client.send(self._error(), self._ready())
        return False

    def _pass_answers(self) -> None:
        with suppress(OSError, EOFError):
            while True:
                if not self._server.has_message():
                    self._client.send()
                kind, body = self._server.message()
                whole = kind + struct.pack("!I", len(body) + 4) + body
                if kind == b"Z":
                    self._status = body
                    if self._swallow:
                        self._swallow = False
                        continue
                    if self._error_before_ready:
                        self._error_before_ready = False
                        whole = self._error() + self._ready()
                elif self._swallow:
                    continue
                self._client.put(whole)
        self._end()

    def _error(self, *, fatal: bool = False) -> bytes:
        severity, state = "FATAL" if fatal else "ERROR", self._proxy.fault
        fields = f"S{severity}\0V{severity}\0C{state}\0M{FAULTS[state]}\0\0".encode()
        return b"E" + struct.pack("!I", len(fields) + 4) + fields

    def _ready(self) -> bytes:
        return b"Z" + struct.pack("!I", 5) + (b"I" if self._status == b"I" else b"E")

    def _end(self) -> None:
        for line in (self._client, self._server):
            line.close()


@contextmanager
def dying_server(database: DatabaseSettings) -> Iterator[tuple[Proxy, DatabaseSettings]]:
    """The proxy, and the database's settings that lead through it."""
    name = f".s.PGSQL.{database.port}"
    with tempfile.TemporaryDirectory(prefix="ppr_proxy-") as folder:
        proxy = Proxy(str(Path(database.host) / name))
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(Path(folder) / name))
            listening.listen(64)
            accepting = threading.Thread(target=_accept, args=(proxy, listening))
            accepting.start()
            try:
                yield proxy, replace(database, host=folder)
            finally:
                with suppress(OSError):
                    listening.shutdown(socket.SHUT_RDWR)
                accepting.join()


def _accept(proxy: Proxy, listening: socket.socket) -> None:
    sessions: list[threading.Thread] = []
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            session = threading.Thread(target=_Session(proxy, client).run, daemon=True)
            session.start()
            sessions.append(session)
    for session in sessions:
        session.join(10)


def _size(head: bytes) -> int:
    """Of a message, but for its first byte."""
    return int.from_bytes(head[1:5], "big")
