"""Bringing a database back: ours against psql and pg_restore, on the same server and data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql

from benchmarks.measure import Sample, middle, run, timed
from benchmarks.world import PG_DUMP, PPR_ASSETS, Arena
from ppr_assets.deadline import Deadline
from ppr_assets.demo.playground import DATABASE, ROLE
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.plain_sql.dump_file import plain_dump
from ppr_assets.plain_sql.verify import verify_file
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.load import load
from ppr_assets.postgres.sessions.connection import connect

_SCRATCH = "bench_restore"
_PSQL = str(EMBEDDED_BIN / "psql")
_PG_RESTORE = str(EMBEDDED_BIN / "pg_restore")


@dataclass(frozen=True)
class RestoreFigures:
    """Medians in seconds; ``whole`` is one process of ours with its peak memory; ``unavailable``
    is the longest time for which a client that asked all along got no answer."""

    bytes: int
    psql: float
    psql_single: float
    pg_restore: float
    load: float
    whole: Sample
    whole_process: float
    unavailable: float


def figures(arena: Arena, rounds: int) -> RestoreFigures:
    """The arena's newest published dump, restored in turn by everybody."""
    env = arena.environment()
    run([PPR_ASSETS, "dump"], env)
    settings = arena.playground.settings()
    with found_dump(settings.data_repo, Wanted()) as found:
        directory = found.spill_folder / "directory"
        subprocess.run([PG_DUMP, "-Fd", "-f", str(directory)], env=env, check=True)
        verified = verify_file(
            found.path, name=found.name, manifest=found.manifest, spill_folder=found.spill_folder
        )
        plain = plain_dump(found.path, name=found.name, folder=found.spill_folder)
        target = replace(settings.database, dbname=_SCRATCH)
        into = {**env, "PGDATABASE": _SCRATCH}

        def psql(*options: str) -> Callable[[], object]:
            argv = [_PSQL, "-qX", "-o", os.devnull, *options, "-f", str(found.path)]
            return lambda: subprocess.run(argv, env=into, check=True, stderr=subprocess.DEVNULL)

        contests: dict[str, Callable[[], object]] = {
            "psql": psql(),
            "psql -1": psql("-1"),
            "pg_restore": lambda: subprocess.run(
                [_PG_RESTORE, "--no-owner", "-j2", "-d", _SCRATCH, str(directory)],
                env=into,
                check=True,
            ),
            "load": lambda: load(plain, verified.layout, target, deadline=Deadline(None)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in contests}
        samples: list[Sample] = []
        stages: list[float] = []
        for turn in range(rounds + 1):
            for name, contest in contests.items():
                _fresh(arena)
                seconds[name].append(timed(contest))
            _drop(arena)
            sample, inside = _whole(env)
            samples.append(sample)
            stages.append(inside)
            if turn == 0:  # the first one warms up
                for found_seconds in seconds.values():
                    found_seconds.clear()
                samples.clear()
                stages.clear()
        shutil.rmtree(directory)
        size = verified.layout.bytes
    unavailable = _unavailable(arena, env)
    _drop(arena)
    whole = middle(samples)
    return RestoreFigures(
        bytes=size,
        psql=median(seconds["psql"]),
        psql_single=median(seconds["psql -1"]),
        pg_restore=median(seconds["pg_restore"]),
        load=median(seconds["load"]),
        whole=Sample(median(stages), whole.peak),
        whole_process=whole.seconds,
        unavailable=unavailable,
    )


def _whole(env: dict[str, str]) -> tuple[Sample, float]:
    """Our restore as a process of its own: its figures, and the seconds of its stages alone."""
    argv = [sys.executable, "-m", "benchmarks.restore_once", _SCRATCH]
    report = Path(env["DATA_REPO_PATH"]).parent / "restore_seconds"
    sample = run([*argv, str(report)], env)
    return sample, float(report.read_text())


def _fresh(arena: Arena) -> None:
    _drop(arena)
    _server(arena, "CREATE DATABASE {} TEMPLATE template0 OWNER {}", _SCRATCH, ROLE)


def _drop(arena: Arena) -> None:
    _server(arena, "DROP DATABASE IF EXISTS {} WITH (FORCE)", _SCRATCH)
    server = arena.playground.server
    with connect(server.database_settings(server.superuser), autocommit=True) as session:
        names = session.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{_SCRATCH}_before_%"]
        ).fetchall()
    for (name,) in names:
        _server(arena, "DROP DATABASE {} WITH (FORCE)", name)
    _server(arena, "CHECKPOINT")


def _server(arena: Arena, statement: str, *names: str) -> None:
    server = arena.playground.server
    with connect(server.database_settings(server.superuser), autocommit=True) as session:
        session.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _unavailable(arena: Arena, env: dict[str, str]) -> float:
    """Restore over a database that a client asks all along, reconnecting when it is thrown out."""
    _fresh(arena)
    settings = replace(arena.playground.settings().database, dbname=_SCRATCH)
    over = threading.Event()
    longest = 0.0

    def ask() -> None:
        nonlocal longest
        answered = time.monotonic()
        session: psycopg.Connection | None = None
        while not over.is_set():
            try:
                if session is None:
                    session = psycopg.connect(
                        host=settings.host, port=settings.port, user=settings.user, dbname=_SCRATCH
                    )
                    session.autocommit = True
                session.execute("SELECT 1").fetchone()
            except psycopg.Error:
                session = None
                continue
            now = time.monotonic()
            longest = max(longest, now - answered)
            answered = now
        if session is not None:
            session.close()

    client = threading.Thread(target=ask)
    client.start()
    try:
        run([PPR_ASSETS, "restore", "--into", _SCRATCH, "--disconnect"], env)
    finally:
        over.set()
        client.join()
    assert longest > 0, DATABASE
    return longest
