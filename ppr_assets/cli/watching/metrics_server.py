"""An endpoint for Prometheus on this machine, one request at a time.

A process of its own and no part of Dagster's: its daemon runs no code of ours, and what it starts
ends with each run. One service more, and nobody's run waits for a scrape.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import HTTPServer
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry, MetricsHandler
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ppr_assets.cli.shared.console import err


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


class _Handler(MetricsHandler):
    timeout = 5
    """Seconds that a connection may be idle while others wait for it."""


class _Server(HTTPServer):
    """No part of it holds back a Ctrl-C, as wsgiref's does while it answers."""

    def handle_error(self, *_: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # a reader that hung up is no news
            err.print(f"this scrape got no answer: {error}")


@contextmanager
def serve(
    host: str, port: int, find: Callable[[], CollectorRegistry], *, every: float
) -> Iterator[HTTPServer]:
    """Raises ``OSError`` for an address that is taken."""
    registry = CollectorRegistry()
    registry.register(_Latest(find, every))
    with _Server((host, port), _Handler.factory(registry)) as server:
        yield server
