"""A server that hangs up, or refuses, at whichever statement of a verb: one line, and no harm.

A few moments of each verb in the suite; a campaign comes with any fault at any statement.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from time import monotonic

import click
import dagster as dg
import pytest

from ppr_assets.cli import cli
from ppr_assets.cli.dagster.run import run_nightly
from ppr_assets.errors import DatabaseFailed, PprError, Unexpected
from ppr_assets.postgres.databases.maintenance import maintenance
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_dying_server import CUT, FAULTS, Proxy, dying_server
from ppr_assets_tests.fix_pipeline import Pipeline, settled

CODES = {0, 1, 3, 4, 5, 6, 7}
_FEW = 2
_ALL = (CUT, *FAULTS)
VERBS = {
    "dump": ["dump", "--without-record"],
    "status": ["status"],
    "doctor": ["doctor"],
    "drill": ["drill"],
    "restore": ["restore", "--disconnect", "--drop-old"],
    "restore in place": ["restore", "--in-place"],
    "init": ["init", "--force"],
    "cleanup": ["cleanup"],
}


def run(*arguments: str) -> PprError | int:
    """What the command line ends with: its error, or its exit code."""
    try:
        return cli.main(list(arguments), standalone_mode=False) or 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except PprError as error:
        return error


@dataclass
class World:
    """A pipeline with a published dump, whose role may make databases, seen through the proxy."""

    pipeline: Pipeline
    proxy: Proxy

    def statements(self, *arguments: str) -> int:
        """How many statements the verb makes when nothing happens."""
        self.proxy.seen, self.proxy.fatal = 0, 0
        ended = run(*arguments)
        assert ended == 0, f"{ended!r}"
        return self.proxy.seen

    def strike(self, moment: int, fault: str, *arguments: str) -> PprError | int:
        self.proxy.seen, self.proxy.fatal, self.proxy.fault = 0, moment, fault
        return run(*arguments)

    def half_made(self) -> list[str]:
        with maintenance(self.pipeline.settings.database) as session:
            found = session.leftovers(session.settings.dbname)
            return [left.name for left in found if left.kind == "restoring"]


@pytest.fixture
def world(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    role = pipeline.settings.database.user
    pipeline.administer(f"ALTER ROLE {role} CREATEDB")
    pipeline.first_night()
    pipeline.change()
    with dying_server(pipeline.settings.database) as (proxy, through):
        for name, value in (pipeline.variables | {"SQL_DUMP_PROOF": "server"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("POSTGRES_HOST", through.host)
        monkeypatch.setenv("SQL_DUMP_STALL_SECONDS", "10")
        monkeypatch.chdir(pipeline.clone.parent)
        yield World(pipeline, proxy)
    pipeline.administer(f"ALTER ROLE {role} NOCREATEDB")


def moments(verb: str, total: int, campaign: Campaign) -> Iterator[tuple[int, str]]:
    """Which statements a fault comes at, and which fault: a few spread over the verb, each with
    another one, and other ones than the verb before, and in a campaign each fault at each, in any
    order, as far as time allows."""
    few = range(1, total + 1, max(1, total // _FEW))
    faults = count(list(VERBS).index(verb) * _FEW)
    yield from ((moment, _ALL[next(faults) % len(_ALL)]) for moment in few)
    rest = list(product(range(1, total + 1), _ALL))
    campaign.dice.shuffle(rest)
    yield from (strike for strike, _ in zip(rest, campaign.rounds(0), strict=False))


@pytest.mark.parametrize("verb", VERBS)
def test_a_server_that_fails_at_any_statement_is_told_in_one_line(
    world: World, verb: str, capsys: pytest.CaptureFixture[str], campaign: Campaign
) -> None:
    total = world.statements(*VERBS[verb])
    for moment, fault in moments(verb, total, campaign):
        if verb == "dump":
            world.pipeline.change()
        before, began = world.pipeline.head(), monotonic()
        ended = world.strike(moment, fault, *VERBS[verb])
        code = ended if isinstance(ended, int) else ended.exit_code
        line = f"{verb}: {fault} at {moment}/{total} {world.proxy.struck[:90]!r}: {code} {ended}"
        if campaign.until:
            with capsys.disabled():
                sys.stdout.write(f"{line} ({monotonic() - began:.1f} s)\n")
        assert not isinstance(ended, Unexpected), line
        assert code in CODES, line
        assert isinstance(ended, int) or ended.hint, line
        assert monotonic() - began < 30, line
        assert not code or world.pipeline.head() == before, line
        assert settled(world.pipeline.children) == [], line
    world.statements(*VERBS[verb])
    assert world.half_made() == []


@pytest.mark.parametrize(
    ("fault", "words"), [(CUT, "lost the session"), ("53100", "SQLSTATE 53100")]
)
def test_a_run_of_dagster_says_it_in_the_same_words(world: World, fault: str, words: str) -> None:
    world.proxy.seen, world.proxy.fatal, world.proxy.fault = 0, 20, fault
    with dg.DagsterInstance.ephemeral() as instance:
        failure = run_nightly(Settings.from_environment(dotenv=None), instance).failure
    assert isinstance(failure, DatabaseFailed)
    assert words in failure.message
    assert failure.hint
