"""An endpoint for Prometheus on this machine, one request at a time.

A process of its own and no part of Dagster's: its daemon runs no code of ours, and what it starts
ends with each run. One service more, and nobody's run waits for a scrape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class _Latest(Collector):
    """What was found last, and anew where that is older than ``every`` seconds."""

    def __init__(self, find: Callable[[], CollectorRegistry], every: float) -> None:
        self._find, self._every = find, every
        self._found: Sequence[Metric] = ()
        self._until = 0.0

    def describe(self) -> Sequence[Metric]:
        return ()  # so that nothing is asked when this is registered

    def collect(self) -> Sequence[Metric]:
        if monotonic() >= self._until:
            self._found = [*self._find().collect()]
            self._until = monotonic() + self._every
        return self._found


class _Silent(WSGIRequestHandler):
    timeout = 5
    """Seconds that a connection may be idle while others wait for it."""

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve(
    host: str, port: int, find: Callable[[], CollectorRegistry], *, every: float
) -> Iterator[WSGIServer]:
    """Raises ``OSError`` for an address that is taken."""
    registry = CollectorRegistry()
    registry.register(_Latest(find, every))
    app = make_wsgi_app(registry)
    with make_server(host, port, app, handler_class=_Silent) as server:
        yield server
