"""Killed, or left by the server, at any moment: the old database or the new one, and whole.

The moments are spread over the time that a restore takes, and half of them fall into the swap,
which is far too short to be met by chance: a lock on the target holds it up until it is aimed at.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from psycopg import sql

from ppr_assets.deadline import Deadline
from ppr_assets.errors import PprError
from ppr_assets.operations.restoring.leftovers import cleanup
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres import embedded
from ppr_assets.postgres.databases import swap as swapping
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.postgres.embedded.postmaster import left_after
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline, listing, settled
from ppr_assets_tests.fix_restore import (
    RESTORER,
    MadeDump,
    Target,
    create_restorer,
)

ANYWHERE = 3
IN_PLACE = 3
IN_THE_SWAP = 3
RESTARTS = 2
RESTARTS_IN_THE_SWAP = 3
"""The shares of the suite; `make campaign` goes on from there."""

SWAP_SECONDS = 0.0015

PATIENCE_SECONDS = 120

_SOMEBODY_WAITS = """
SELECT FROM pg_locks
WHERE NOT granted AND locktype = 'object' AND mode = 'AccessExclusiveLock'
"""

# It forks for each restore, which saves the half second that it takes to import everything.
RESTORER_PROGRAM = """
import os, signal, sys
from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.databases import swap
from ppr_assets.postgres.databases.maintenance import Maintenance
from ppr_assets.settings import Settings

swap.ALONE_SECONDS = 120.0
settings = Settings.from_environment(dotenv=None)
drop = Maintenance.drop

def drop_or_die(session, name):
    if "_before_" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    drop(session, name)

for line in sys.stdin:
    dump, how = line.split()
    child = os.fork()
    if not child:
        with found_dump(settings.data_repo, Wanted(dump=dump)) as found:
            if how == "in_place":
                restore_in_place(settings.restore_target(), found, deadline=Deadline(60))
            else:
                Maintenance.drop = drop_or_die
                terms = Terms(drop_old=how == "drop_old")
                restore(settings.restore_target(), found, terms, deadline=Deadline(60))
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()  # nobody else gets its number before
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass
class Restorer:
    """A process that restores what it is told, each time in a child that may be killed."""

    process: subprocess.Popen[str]
    child: int = 0

    def begin(self, made: MadeDump, how: str = "aside") -> None:
        """``how``: aside, in_place, or drop_old, which kills itself right before it drops."""
        stdin, stdout = self._pipes()
        stdin.write(f"{made.path.name} {how}\n")
        stdin.flush()
        self.child = int(stdout.readline())

    def kill(self) -> bool:
        """True if it was still at work."""
        os.kill(self.child, signal.SIGKILL)
        return self.code() == -signal.SIGKILL

    def code(self) -> int:
        """How the last restore ended."""
        stdin, stdout = self._pipes()
        stdin.write("\n")
        stdin.flush()
        return int(stdout.readline())

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None and self.process.stdout is not None
        return self.process.stdin, self.process.stdout


@pytest.fixture
def world(
    pipeline: Pipeline, temporary_folder: Path, target: Target, two_dumps: tuple[MadeDump, MadeDump]
) -> Pipeline:
    """Two dumps in the data repository, in git alone, so that a restore has to unpack them."""
    files: dict[str, str | None] = {}
    for made in two_dumps:
        files[f"sql_dumps/{made.path.name}"] = made.sql.decode()
        files[f"sql_dumps/{made.path.stem}.json"] = made.manifest.to_json()
    commit_files(pipeline.clone, "Dumps", files)
    for made in two_dumps:
        (pipeline.dumps / made.path.name).unlink()
    pipeline.variables |= {"POSTGRES_USER": RESTORER, "POSTGRES_DB": target.settings.dbname}
    return pipeline


@pytest.fixture
def restorer_process(world: Pipeline) -> Iterator[Restorer]:
    with subprocess.Popen(
        [sys.executable, "-c", RESTORER_PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | world.variables,
        text=True,
    ) as process:
        yield Restorer(process)


class SpreadKills:
    """Kills spread over a restore, at random within equal parts of it.

    A restore that was quicker than the one before is over when its kill comes: that was none, it
    tells how long one takes by now, and its part of the restore has its turn again.
    """

    def __init__(
        self, process: Restorer, parts: int, campaign: Campaign, *, how: str = "aside"
    ) -> None:
        self._process = process
        self._how = how
        self._parts = parts
        self._number = 0
        self._campaign = campaign
        self._dice = campaign.dice
        self._seconds = 0.0

    def measure(self, made: MadeDump) -> None:
        started = time.monotonic()
        self._process.begin(made, self._how)
        assert self._process.code() == 0
        self._seconds = time.monotonic() - started

    def go_on(self) -> bool:
        return self._campaign.goes_on(self._number, self._parts)

    def one(self, made: MadeDump) -> bool:
        """True if it came in time."""
        part = self._number % self._parts
        moment = (part + self._dice.random()) / self._parts * self._seconds
        self._process.begin(made, self._how)
        time.sleep(moment)
        if self._process.kill():
            self._number += 1
            return True
        self._seconds = moment
        return False


@dataclass(frozen=True)
class HeldUpSwap:
    """Nobody can rename the target until it is let go."""

    target: Target
    holder: psycopg.Connection[Any]

    def aim(self, share: float) -> None:
        """Return at this share of the swap: at 0 before anything was renamed, at 1 after all."""
        with self.target.administered() as watcher:
            self._until(lambda: watcher.execute(_SOMEBODY_WAITS).rowcount)
            if share == 0:
                return
            self.holder.rollback()
            if share == 1:
                self._until(lambda: any("_before_" in name for name in self.target.beside()))
            else:
                time.sleep(share * SWAP_SECONDS)

    def _until(self, probe: Callable[[], object]) -> None:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not probe():
            assert time.monotonic() < give_up, "no swap came"
            time.sleep(0.002)  # the server is to swap meanwhile, and not to answer


@contextmanager
def swap_held_up(target: Target) -> Iterator[HeldUpSwap]:
    name = sql.Identifier(target.settings.dbname)
    holder = connect(replace(target.settings, user="postgres", dbname="postgres"))
    holder.execute(sql.SQL("COMMENT ON DATABASE {} IS NULL").format(name))
    with closing(holder):
        yield HeldUpSwap(target, holder)


def _require_old_or_new(target: Target, old: MadeDump, new: MadeDump) -> str:
    """Which of the two the target is. There is nothing between."""
    found = target.content()
    assert found in (old.content, new.content)
    return "old" if found == old.content else "new"


def _require_convergence(target: Target, world: Pipeline, new: MadeDump) -> None:
    """The next restore ends well, and nothing is left of the one before but former databases."""
    with found_dump(world.settings.data_repo, Wanted(dump=new.path.name)) as found:
        assert found.path.parent.parent.name == "restoring"
        restore(target.settings, found, Terms(drop_old=True), deadline=Deadline(60))
    assert target.content() == new.content
    assert [name for name in target.beside() if "_restoring_" in name] == []
    assert listing(world.clone / ".git" / "ppr_assets" / "restoring") == []
    assert settled(target.sessions) == []


def _require_nothing_running(target: Target, world: Pipeline) -> None:
    """But the process that forked. A swap that was committing is through then: who connects in
    that very millisecond is told that the database is not there."""
    assert settled(target.sessions) == []
    assert settled(lambda: world.children()[1:]) == []


def test_killed_at_any_moment_the_target_is_the_old_one_or_the_new_one_whole(
    world: Pipeline,
    target: Target,
    restorer_process: Restorer,
    two_dumps: tuple[MadeDump, MadeDump],
    campaign: Campaign,
) -> None:
    old, new = two_dumps
    restorer_process.begin(new)
    assert restorer_process.code() == 0
    kills = SpreadKills(restorer_process, ANYWHERE, campaign)
    kills.measure(old)
    seen = []
    while kills.go_on():
        if kills.one(new):
            _require_nothing_running(target, world)
            seen.append(_require_old_or_new(target, old, new))
        _require_convergence(target, world, new)
        target.drop_formers()
        old, new = new, old
    assert seen.count("old") > len(seen) / 2, "the kills were not spread over the restore"


def test_killed_in_the_swap_the_target_is_the_old_one_or_the_new_one_whole(
    world: Pipeline,
    target: Target,
    restorer_process: Restorer,
    two_dumps: tuple[MadeDump, MadeDump],
    campaign: Campaign,
) -> None:
    old, new = two_dumps
    seen = []
    for share in campaign.spread(IN_THE_SWAP):
        with swap_held_up(target) as swap:
            restorer_process.begin(new)
            swap.aim(share)
            restorer_process.kill()
        _require_nothing_running(target, world)
        seen.append(_require_old_or_new(target, old, new))
        _require_convergence(target, world, new)
        target.drop_formers()
        old, new = new, old
    assert set(seen) == {"old", "new"}


def test_killed_in_place_at_any_moment_the_target_is_the_old_one_or_the_new_one_whole(
    world: Pipeline,
    target: Target,
    restorer_process: Restorer,
    two_dumps: tuple[MadeDump, MadeDump],
    campaign: Campaign,
) -> None:
    old, new = two_dumps
    restorer_process.begin(new, "in_place")
    assert restorer_process.code() == 0
    kills = SpreadKills(restorer_process, IN_PLACE, campaign, how="in_place")
    kills.measure(old)
    seen = []
    while kills.go_on():
        killed = kills.one(new)
        _require_nothing_running(target, world)
        found = _require_old_or_new(target, old, new)
        if killed:
            seen.append(found)
        if found == "new":
            old, new = new, old
    assert seen.count("old") > len(seen) / 2, "the kills were not spread over the restore"
    restorer_process.begin(new, "in_place")
    assert restorer_process.code() == 0
    assert target.content() == new.content
    assert target.beside() == []


def test_killed_before_the_former_one_is_dropped_the_new_one_serves_and_the_former_can_go(
    world: Pipeline,
    target: Target,
    restorer_process: Restorer,
    two_dumps: tuple[MadeDump, MadeDump],
) -> None:
    old, new = two_dumps
    restorer_process.begin(new, "drop_old")
    assert restorer_process.code() == -signal.SIGKILL
    _require_nothing_running(target, world)
    assert target.content() == new.content
    (former,) = target.beside()
    assert target.content(former) == old.content
    _require_convergence(target, world, new)
    assert target.beside() == [former]  # that run has dropped its own
    assert [(one.what, one.leftover.name) for one in cleanup(target.settings)] == [
        ("dropped", former)
    ]


@dataclass
class RestartedServer:
    """A server of the test's own that is cut off and started again."""

    server: EmbeddedServer

    def restart(self) -> None:
        """As a power cut would: no process writes anything any more, and recovery follows."""
        pid = int((self.server.data_dir / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        assert left_after(self.server.data_dir, PATIENCE_SECONDS) == []
        again = embedded.start(self.server.data_dir)
        assert again.started_here
        self.server = again


@pytest.fixture
def restarted(
    server_folder: Path, two_dumps: tuple[MadeDump, MadeDump], tmp_path: Path
) -> tuple[RestartedServer, Target]:
    server = embedded.start(server_folder / "postgres")
    create_restorer(server)
    target = Target(server.database_settings("pantry_pirate_radio", RESTORER))
    restore(target.settings, two_dumps[0].found(tmp_path), deadline=Deadline(60))
    return RestartedServer(server), target


class InBackground:
    """A restore in a thread. ``error`` is what it raised, one of the tree or none at all."""

    def __init__(self, target: Target, found: FoundDump) -> None:
        self._target = target
        self._found = found
        self._thread = threading.Thread(target=self._run, name="restore")
        self.error: PprError | None = None
        self.ended_well = False

    def __enter__(self) -> InBackground:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            restore(self._target.settings, self._found, deadline=Deadline(60))
            self.ended_well = True
        except PprError as error:
            self.error = error


@pytest.mark.parametrize("where", ["anywhere", "in the swap"])
def test_a_server_that_restarts_serves_the_old_one_or_the_new_one_whole(
    where: str,
    restarted: tuple[RestartedServer, Target],
    two_dumps: tuple[MadeDump, MadeDump],
    tmp_path: Path,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(swapping, "ALONE_SECONDS", PATIENCE_SECONDS)
    server, target = restarted
    old, new = two_dumps
    started = time.monotonic()
    restore(target.settings, new.found(tmp_path), Terms(drop_old=True), deadline=Deadline(60))
    duration = time.monotonic() - started
    old, new = new, old
    in_the_swap = where == "in the swap"
    seen = []
    for share in campaign.spread(RESTARTS_IN_THE_SWAP if in_the_swap else RESTARTS):
        background = InBackground(target, new.found(tmp_path))
        if in_the_swap:
            with swap_held_up(target) as swap, background:
                swap.aim(share)
                server.restart()
        else:
            with background:
                time.sleep(share * duration)
                server.restart()
        seen.append(_require_old_or_new(target, old, new))
        if background.ended_well:
            assert seen[-1] == "new"
        else:
            assert background.error is not None, "the failure was none of the tree"
            assert background.error.hint
        restore(target.settings, new.found(tmp_path), Terms(drop_old=True), deadline=Deadline(60))
        assert target.content() == new.content
        assert [name for name in target.beside() if "_restoring_" in name] == []
        assert listing(tmp_path) == []
        target.drop_formers()
        old, new = new, old
    assert set(seen) == {"old", "new"} if in_the_swap else "old" in seen
