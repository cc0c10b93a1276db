"""TCP ports that lead to servers: what stands between us and PostgreSQL at a host."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from ppr_assets.settings import DatabaseSettings


class Forwarder:
    """Takes connections at ``address`` and passes each on to the next of ``servers`` in turn.

    ``port`` is free at ``address`` if none is given. ``taken`` counts the connections.
    """

    def __init__(
        self, *servers: DatabaseSettings, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._servers = servers
        self._turns = count()
        self._listener = socket.create_server((address, port))
        self.address, self.port = self._listener.getsockname()[:2]
        self.taken = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.taken += 1
                server = self._servers[next(self._turns) % len(self._servers)]
                behind = socket.socket(socket.AF_UNIX)
                behind.connect(f"{server.host}/.s.PGSQL.{server.port}")
                threading.Thread(target=_pass_on, args=(client, behind), daemon=True).start()


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Both ways, until one of them has ended."""
    other = {client: server, server: client}
    with client, server, suppress(OSError):
        while True:
            for here in select.select([client, server], [], [])[0]:
                data = here.recv(65536)
                if not data:
                    return
                other[here].sendall(data)


@pytest.fixture
def forwarder() -> Iterator[Callable[..., Forwarder]]:
    """A factory of :class:`Forwarder`, closed afterwards."""
    made: list[Forwarder] = []

    def make(*servers: DatabaseSettings, address: str = "127.0.0.1", port: int = 0) -> Forwarder:
        made.append(Forwarder(*servers, address=address, port=port))
        return made[-1]

    yield make
    for one in made:
        one.close()
