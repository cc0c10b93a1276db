"""``python -m benchmarks.waits``: how long an application waits for us, whatever DDL arrives.

It reads and writes all along, and sessions of a migration alter, empty, rewrite and lock its tables
at any moment, first without us, then while nights, counts, drills and restores go on. A statement
waits *for us* as long as the chain of those whose locks it waits for begins with a session of ours.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep

import psycopg

from benchmarks.world import Arena
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.deadline import Deadline
from ppr_assets.errors import PprError
from ppr_assets.operations.dumping.counting import count_records
from ppr_assets.operations.dumping.dump import dump
from ppr_assets.operations.publishing.publish import publish
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import DatabaseSettings, Settings

TABLES = ("organization", "location", "service", "language", "page_cache")

PREPARATION = """
CREATE TABLE page_cache (id int PRIMARY KEY, body text);
INSERT INTO page_cache SELECT g, repeat('x', 200) FROM generate_series(1, 20000) g;
CREATE MATERIALIZED VIEW languages AS SELECT code, count(*) AS n FROM language GROUP BY code;
CREATE UNIQUE INDEX ON languages (code);
"""

DDL = (
    "ALTER TABLE organization ADD COLUMN motto text",
    "ALTER TABLE organization DROP COLUMN IF EXISTS motto",
    "ALTER TABLE page_cache ALTER body TYPE varchar",
    "ALTER TABLE page_cache ALTER body TYPE text",
    "BEGIN; TRUNCATE page_cache; INSERT INTO page_cache SELECT g, repeat('x', 200) "
    "FROM generate_series(1, 20000) g; COMMIT",
    "VACUUM FULL page_cache",
    "CLUSTER page_cache USING page_cache_pkey",
    "CREATE INDEX of_bodies ON page_cache (body)",
    "DROP INDEX IF EXISTS of_bodies",
    "REINDEX TABLE language",
    "BEGIN; LOCK TABLE service; COMMIT",
    "REFRESH MATERIALIZED VIEW languages",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY languages",
    "DROP TABLE IF EXISTS passing; CREATE TABLE passing AS SELECT * FROM language LIMIT 1000",
    "ALTER TABLE location DISABLE TRIGGER ALL; ALTER TABLE location ENABLE TRIGGER ALL",
)

# Whoever waits, with the whole chain before it; ours are known by their names.
CHAINS = """
WITH RECURSIVE chain AS (
  SELECT pid AS waits, unnest(pg_blocking_pids(pid)) AS before FROM pg_stat_activity
  WHERE wait_event_type = 'Lock' AND application_name LIKE 'app %'
  UNION SELECT waits, unnest(pg_blocking_pids(before)) FROM chain
)
SELECT DISTINCT waits FROM chain JOIN pg_stat_activity a ON a.pid = chain.before
WHERE a.application_name LIKE 'ppr_assets%'
"""


@dataclass
class Seen:
    """The longest statement of the application, and the longest time that one waited for us."""

    longest: float = 0.0
    statements: int = 0
    for_us: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)


class Everybody:
    """The application, the migration and the observer, each in threads of their own."""

    def __init__(self, database: DatabaseSettings, seed: str, pause: float) -> None:
        self._database = database
        self._pause = pause
        self._dice = random.Random(seed)
        self._over = threading.Event()
        self.seen = Seen()
        work = (self._read, self._write, self._migrate, self._migrate, self._observe)
        self._threads = [threading.Thread(target=one) for one in work]

    def __enter__(self) -> Seen:
        for thread in self._threads:
            thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _session(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        session = connect(self._database, autocommit=True)
        session.execute(f"RESET search_path; SET application_name = '{name}'".encode())
        return session

    def _read(self) -> None:
        with self._session("app reader") as session:
            while not self._over.is_set():
                for table in TABLES:
                    self._timed(session, f"SELECT * FROM {table} LIMIT 5")
                sleep(0.005)

    def _write(self) -> None:
        with self._session("app writer") as session:
            while not self._over.is_set():
                self._timed(session, "UPDATE language SET note = 'x' WHERE id = 'none'")
                self._timed(session, "DELETE FROM page_cache WHERE id = -1")
                self._timed(session, "UPDATE organization SET name = name WHERE id = 'none'")
                sleep(0.005)

    def _timed(self, session: psycopg.Connection[tuple[object, ...]], statement: str) -> None:
        began = monotonic()
        with suppress(psycopg.DatabaseError):  # a deadlock with the migration, say
            session.execute(statement.encode())
        self.seen.statements += 1
        self.seen.longest = max(self.seen.longest, monotonic() - began)

    def _migrate(self) -> None:
        with self._session("migration") as session:
            while not self._over.wait(self._dice.uniform(0.05, self._pause)):
                with suppress(psycopg.DatabaseError):
                    session.execute(self._dice.choice(DDL).encode())
                with suppress(psycopg.DatabaseError):
                    session.execute("ROLLBACK")

    def _observe(self) -> None:
        since: dict[object, float] = {}
        superuser = replace(self._database, user="postgres")
        with connect(superuser, autocommit=True) as session:
            while not self._over.wait(0.01):
                now = monotonic()
                waiting = {pid for (pid,) in session.execute(CHAINS)}
                since = {pid: since.get(pid, now) for pid in waiting}
                for began in since.values():
                    self.seen.for_us = max(self.seen.for_us, now - began)


def works(settings: Settings, made: FoundDump) -> Mapping[str, Callable[[], str]]:
    """What goes on beside the application, each to be done again and again."""
    aside = replace(settings.database, dbname="aside")

    def night() -> str:
        with open_data_repo(settings.data_repo) as repo:
            status = dump(settings, repo).status
            publish(settings.dump, repo)
        return status

    def counted() -> str:
        with open_data_repo(settings.data_repo) as repo:
            return count_records(settings, repo).verdict.status

    def restored() -> str:
        restore(aside, made, Terms(drop_old=True), deadline=Deadline(300))
        return "restored"

    def drilled() -> str:
        drill(ProofPlace(settings.database, "server"), made, deadline=Deadline(300))
        return "proven"

    def idle() -> str:
        sleep(1)
        return "idle"

    return {
        "nobody": idle,
        "nights": night,
        "counts": counted,
        "drills": drilled,
        "restores": restored,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waits", description=__doc__)
    parser.add_argument("--organizations", type=int, default=30_000, help="about 80 MB of dump")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each kind of work")
    parser.add_argument("--pause", type=float, default=8.0, help="of a migration, at most")
    parser.add_argument("--only", help="one kind of work")
    parser.add_argument("--seed", default="20261128")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ppr_assets_bench_") as folder:
        Path(folder).chmod(0o755)
        arena = Arena(Path(folder) / "waits", options.organizations)
        try:
            _measure(arena.playground.settings(), options)
        finally:
            arena.stop()


def _measure(settings: Settings, options: argparse.Namespace) -> None:
    with connect(settings.database, autocommit=True) as session:
        session.execute("RESET search_path")
        session.execute(PREPARATION)
    with open_data_repo(settings.data_repo) as repo:
        dump(settings, repo)
        publish(settings.dump, repo)
    with found_dump(settings.data_repo, Wanted()) as made:
        for what, work in works(settings, made).items():
            if options.only not in (None, what):
                continue
            with Everybody(settings.database, options.seed + what, options.pause) as seen:
                ends = monotonic() + options.seconds
                while monotonic() < ends:
                    try:
                        seen.outcomes[work()] += 1
                    except PprError as error:
                        seen.outcomes[f"{type(error).__name__}: {error.message:.90}"] += 1
            print(
                f"{what:<9} longest statement {seen.longest:.3f} s of {seen.statements}, longest "
                f"wait for us {seen.for_us:.3f} s; {dict(seen.outcomes)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
