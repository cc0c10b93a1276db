"""A server that says nothing any more, on a line that stays open: every verb ends, and says so."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseUnreachable, PprError
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.status import status
from ppr_assets.postgres.sessions import libpq
from ppr_assets.postgres.sessions import session as load_session
from ppr_assets.postgres.snapshot.snapshot import Snapshot
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MadeDump, Target
from ppr_assets_tests.opened import dump

PATIENCE = 1.0
"""Seconds that the runs here wait for an answer."""


class Silence:
    """A proxy to a server's socket that passes on ``messages`` pieces of what the server says,
    whoever they are for, and swallows everything after that."""

    def __init__(self, server: DatabaseSettings, messages: int) -> None:
        self._left = messages
        self._behind = f"{server.host}/.s.PGSQL.{server.port}"
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def fell_silent(self) -> bool:
        return self._left <= 0

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        for one in self._sockets:
            one.close()

    def _run(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.05):
                self._accept() if key.fileobj is self._listener else self._pass_on(key)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._behind)
        self._sockets += [client, server]
        self._selector.register(client, selectors.EVENT_READ, (client, server, False))
        self._selector.register(server, selectors.EVENT_READ, (server, client, True))

    def _pass_on(self, key: selectors.SelectorKey) -> None:
        one, other, from_server = key.data
        self._left -= from_server
        with suppress(OSError):  # the other one may just have left
            if data := one.recv(65536):
                if not self.fell_silent:
                    other.sendall(data)
                return
            if not self.fell_silent:
                other.shutdown(socket.SHUT_WR)
        self._selector.unregister(one)


@pytest.fixture
def behind_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[DatabaseSettings, int], tuple[DatabaseSettings, Silence]]]:
    monkeypatch.setattr(libpq, "CONNECT_TIMEOUT", 2)
    monkeypatch.setattr(load_session, "LONG_SECONDS", PATIENCE)
    made: list[Silence] = []

    def make(database: DatabaseSettings, messages: int) -> tuple[DatabaseSettings, Silence]:
        made.append(Silence(database, messages))
        proxied = replace(database, host="127.0.0.1", port=made[-1].port, patience_seconds=PATIENCE)
        return proxied, made[-1]

    yield make
    for one in made:
        one.stop()


@contextmanager
def ending(seconds: float) -> Iterator[None]:
    began = monotonic()
    yield
    assert monotonic() - began < seconds


def test_a_backend_that_is_stopped_while_it_counts_ends_the_count(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernel answers for it, so that the network sees nothing wrong."""
    stopped: list[int] = []

    def stop_and_count(snapshot: Snapshot) -> None:
        stopped.append(snapshot.connection.info.backend_pid)
        os.kill(stopped[0], signal.SIGSTOP)
        count(snapshot)

    count = Snapshot.count
    monkeypatch.setattr(Snapshot, "count", stop_and_count)
    patient = replace(pipeline.settings.database, patience_seconds=PATIENCE)
    with ending(10), pytest.raises(DatabaseUnreachable, match="the server did not answer") as lost:
        dump(replace(pipeline.settings, database=patient))
    os.kill(stopped[0], signal.SIGCONT)
    assert lost.value.message.endswith("within 1 s")
    assert lost.value.exit_code == 5


VERBS: dict[str, Callable[[Pipeline, Target, MadeDump, Path, DatabaseSettings], object]] = {
    "status": lambda pipeline, _t, _d, _f, database: _raise_first(
        status(replace(pipeline.settings, database=database)).errors
    ),
    "doctor": lambda pipeline, _t, _d, _f, database: _raise_first(
        [
            found.error
            for found in preconditions(replace(pipeline.settings, database=database))
            if found.error
        ]
    ),
    "dump": lambda pipeline, _t, _d, _f, database: dump(
        replace(
            pipeline.settings,
            database=database,
            dump=replace(pipeline.settings.dump, stall_seconds=PATIENCE, proof="server"),
        )
    ),
    "drill": lambda _p, _t, made, folder, database: drill(
        ProofPlace(database, "server"), made.found(folder), deadline=Deadline(60)
    ),
    "restore": lambda _p, _t, made, folder, database: restore(
        database, made.found(folder), deadline=Deadline(60)
    ),
    "restore in place": lambda _p, _t, made, folder, database: restore_in_place(
        database, made.found(folder), deadline=Deadline(60)
    ),
}


def _raise_first(errors: object) -> None:
    for error in errors:  # type: ignore[attr-defined]
        raise error


@pytest.mark.parametrize("messages", [20, 100])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_ends_when_the_line_swallows_everything(
    pipeline: Pipeline,
    target: Target,
    new_dump: MadeDump,
    tmp_path: Path,
    behind_silence: Callable[[DatabaseSettings, int], tuple[DatabaseSettings, Silence]],
    verb: str,
    messages: int,
) -> None:
    of_pipeline = verb in ("status", "doctor", "dump")
    database = pipeline.settings.database if of_pipeline else target.settings
    proxied, silence = behind_silence(database, messages)
    error = None
    with ending(40):
        try:
            VERBS[verb](pipeline, target, new_dump, tmp_path, proxied)
        except PprError as failed:
            error = failed
    if error is None:
        assert not silence.fell_silent
    else:
        assert silence.fell_silent
        assert error.exit_code in (1, 4, 5), error.render()
        assert "\n" not in error.message
