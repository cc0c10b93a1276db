"""``ppr-assets demo``: one night of the pipeline, told in under a minute, on a world of its own."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace
from rich.markup import escape

from ppr_assets.cli.dagster.home import dagster_instance
from ppr_assets.cli.dagster.run import run_nightly, sensor_tick
from ppr_assets.cli.dagster.run_report import report
from ppr_assets.cli.shared.console import out, progress, size
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.local_server import LOCAL, server_in_use
from ppr_assets.demo import playground as world
from ppr_assets.demo.playground import Playground
from ppr_assets.errors import GateRefused, PprError
from ppr_assets.operations.night import Night
from ppr_assets.operations.published.state import Published, published

if TYPE_CHECKING:
    from dagster import DagsterInstance

ORGANIZATIONS = 2500


@click.command()
@click.option(
    "--organizations",
    type=click.IntRange(min=150),
    default=ORGANIZATIONS,
    show_default=True,
    help="Size of the sample database.",
)
@json_option("One JSON object in place of the story, for programs.")
def demo(organizations: int, as_json: bool) -> None:
    """Show a whole night: dump, guard, commit, push, and a refusal.

    Works in the folder .local/ on an embedded PostgreSQL and a data repository of its own, and
    touches nothing else. It can be run again at once.
    """
    started = monotonic()
    with world.playground_lock(LOCAL), out.capture() if as_json else nullcontext():
        with server_in_use():
            playground = world.open_playground(LOCAL)
            with dagster_instance(playground.settings()) as instance:
                story = _Story(playground, instance)
                story.build(organizations)
                story.dump_after_publishing()
                story.dump_again()
                story.refuse()
                world.fill_database(playground, organizations=organizations)
        state, seconds = (
            published(playground.settings().data_repo, offline=True),
            monotonic() - started,
        )
        _summary(state, seconds)
    if as_json:
        print_json(_json(story, state, seconds))
    else:
        _what_next()


class _Story:
    def __init__(self, playground: Playground, instance: DagsterInstance) -> None:
        self._playground = playground
        self._instance = instance
        self._settings = playground.settings()
        self._cursor: str | None = None
        self.outcomes: list[str] = []
        self.refusal = ""

    def build(self, organizations: int) -> None:
        _chapter(1, "A database, and the repository that its backups go to")
        with progress(f"filling a sample database with {organizations} organizations"):
            records = world.fill_database(self._playground, organizations=organizations)
        _say(
            f"PostgreSQL runs in {LOCAL}/postgres: {organizations} organizations, {records} records"
        )
        commit = world.fresh_data_repository(self._playground)
        _say(f"the data repository is {LOCAL}/data-repo, its remote {LOCAL}/remote.git")
        _say(f"its publisher has just pushed commit {commit[:10]}")

    def dump_after_publishing(self) -> None:
        _chapter(2, "The sensor sees the publishing, the pipeline dumps, commits and pushes")
        tick = sensor_tick(self._settings, self._instance, self._cursor)
        self._cursor = tick.cursor
        if len(tick.run_keys) != 1:
            raise PprError(f"the sensor asks for {tick.run_keys}, must ask for one run")
        _say(f"sensor after_publishing asks for 1 run: {tick.run_keys[0]}")
        self._expect("published", self._run(tick.tags))

    def dump_again(self) -> None:
        _chapter(3, "Again, with nothing changed")
        tick = sensor_tick(self._settings, self._instance, self._cursor)
        if tick.run_keys:
            raise PprError(f"the sensor asks for {tick.run_keys}, must ask for nothing")
        _say(f"sensor after_publishing asks for nothing: {tick.skip_reason}")
        self._expect("unchanged", self._run({}))

    def refuse(self) -> None:
        _chapter(4, "A scraper fails, and a third of the organizations vanish")
        before = self._standing()
        left = world.lose_a_third_of_the_organizations(self._playground)
        _say(f"{left} organizations are left; the nightly run is refused and says:")
        refused = self._run({}, quiet=True).failure
        if not isinstance(refused, GateRefused):
            raise refused or PprError("the gate let a third of the organizations go")
        self.outcomes.append("refused")
        self.refusal = refused.message
        for line in refused.render().splitlines():
            out.print(f"     [bold]{escape(line)}[/bold]", markup=True)
        after = self._standing()
        if after != before:
            raise PprError("a refused dump has changed the data repository")
        _say(f"and nothing moved: HEAD is still {_short(after.head)},")
        _say(f"latest.sql still {after.latest}, the mark still {_mark(after)}")

    def _standing(self) -> Published:
        """What is published, and not when the remote was asked last."""
        found = published(self._settings.data_repo, offline=True)
        return replace(found, view=dataclasses.replace(found.view, fetched_at=None))

    def _run(self, tags: dict[str, str], *, quiet: bool = False) -> Night:
        with progress("the Dagster job nightly_dump runs"):
            night = run_nightly(self._settings, self._instance, tags=tags)
        if not quiet:
            for line in report(night):
                _say(line)
        return night

    def _expect(self, status: str, night: Night) -> None:
        """The story is only told when it is true."""
        if night.failure is not None:
            raise night.failure
        outcome = night.published
        if outcome is None or (outcome.status, outcome.delivery.pushed) != (status, True):
            raise PprError(f"the night has not ended as {status} and pushed, but as {outcome}")
        self.outcomes.append(status)


def _summary(state: Published, seconds: float) -> None:
    out.print("\n[bold]Summary[/bold]", markup=True)
    manifest = state.manifest
    if manifest is not None:
        _say(f"published  {manifest.dump}, {size(manifest.bytes)}")
        _say(f"           {sum(manifest.rows.values())} records in {len(manifest.tables)} tables")
        _say(f"sha256     {manifest.sha256}")
    _say(f"mark       {_mark(state)} organizations; fewer than 90% of them are refused")
    _say(f"runs       3: published, unchanged, refused; {seconds:.0f} s in all")


def _json(story: _Story, state: Published, seconds: float) -> dict[str, Any]:
    manifest = state.manifest
    return {
        "dump": manifest.dump if manifest else None,
        "sha256": manifest.sha256 if manifest else None,
        "rows": dict(manifest.rows) if manifest else None,
        "mark": state.mark.organization if state.mark else None,
        "nights": story.outcomes,
        "refusal": story.refusal,
        "seconds": round(seconds, 1),
    }


def _what_next() -> None:
    out.print("\n[bold]What to type next[/bold]", markup=True)
    program = _as_typed()
    dev = "make dev" if Path("Makefile").is_file() else f"{program} dev"
    for command, why in (
        (dev, "the same in Dagster's UI: lineage, checks, plots"),
        (f"git -C {LOCAL}/data-repo log --stat", "what was published, and from what"),
        (f"less {LOCAL}/data-repo/sql_dumps/latest.sql", "a dump is plain SQL"),
        (f"{program} --env-file {LOCAL}/env list", "the dumps of the repository"),
        (f"{program} doctor", "what your own database still needs"),
    ):
        out.print(f"   {command:<52}  [dim]# {why}[/dim]", markup=True)


def _as_typed() -> str:
    """What starts this program in the reader's folder: its name if PATH has it, else its path."""
    program = Path(sys.argv[0])
    found = shutil.which(program.name)
    if found and Path(found).resolve() == program.resolve():
        return program.name
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def _chapter(number: int, title: str) -> None:
    out.print(f"\n[bold]{number}  {title}[/bold]", markup=True)


def _say(text: str) -> None:
    out.print(f"   {text}")


def _short(commit: str | None) -> str:
    return commit[:10] if commit else "none"


def _mark(state: Published) -> str:
    return str(state.mark.organization) if state.mark else "none"
