"""``ppr-assets open``: a published dump in a server of its own, and psql on it."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.cli.shared.chosen_dump import print_stage
from ppr_assets.cli.shared.console import print_lines, progress
from ppr_assets.cli.shared.context import Invocation, bundled, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.local_server import LOCAL
from ppr_assets.deadline import Deadline
from ppr_assets.errors import PreconditionFailed
from ppr_assets.files import Held, held, take
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.loading import limit_seconds
from ppr_assets.operations.restoring.own_server import Opened, open_dump
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres import embedded
from ppr_assets.settings import DataRepoSettings, child_environment

OPENED = "opened"
"""The server's data folder below :data:`LOCAL`; another one than the demo's."""
USERS = "opened.users"
"""Held by each psql on that server."""


class _How(Struct, frozen=True):
    without_extensions: bool
    no_psql: bool
    stop: bool


@click.command(name="open")
@bundled(
    "wanted",
    Wanted,
    click.argument("source", metavar="[URL]", required=False),
    click.argument("dump", metavar="[DUMP]", required=False),
    click.option("--at", metavar="COMMIT", help="As published at this commit."),
)
@bundled(
    "how",
    _How,
    click.option(
        "--without-extensions",
        is_flag=True,
        help="Go without the extensions that this server lacks (PostGIS), and what needs them: "
        "indexes, defaults, columns with their values. The database's comment says what.",
    ),
    click.option(
        "--no-psql",
        is_flag=True,
        help="Print where it is, and leave the server running; so it is without a terminal.",
    ),
    click.option("--stop", is_flag=True, help="Open nothing: stop the server. Its data stay."),
)
@json_option("One JSON object, for programs, and no psql.")
@pass_invocation
def open_(invocation: Invocation, wanted: Wanted, how: _How, as_json: bool) -> None:
    """Restore a published dump into a server of its own, and open psql.

    URL is a data repository's, or the path of a clone; DATA_REPO_URL if not given. No PostgreSQL
    has to be there: the server is the embedded one, and its data lie in .local/opened. Of the
    repository the newest dump alone is fetched, verified, restored and compared. A second time
    the same dump is there at once.

    \b
    Examples:
      ppr-assets open https://github.com/example/HAARRRvest.git
      ppr-assets open https://github.com/example/HAARRRvest.git --no-psql
      ppr-assets open --stop

    \b
    Exit codes:
      0    it was there, and psql has ended; or it is there
      1    the server cannot be started, or cannot hold the dump
      4    damaged, or what was restored differs from the dump
      6    data repository unusable, or there is no such dump
    """
    folder = LOCAL / OPENED
    if how.stop:
        stopped = embedded.stop(folder)
        if as_json:
            print_json({"stopped": stopped})
        else:
            print_lines([("stopped", "it" if stopped else "nothing: no server was running")])
        return
    opened = _opened(invocation.settings.data_repo, wanted, folder, how)
    if as_json:
        print_json(_json(opened))
        return
    print_lines(_report(opened))
    if how.no_psql or not sys.stdin.isatty():
        print_lines([("psql", shlex.join(_psql(opened))), ("stop", "ppr-assets open --stop")])
        return
    _ask(opened, folder)


def _opened(settings: DataRepoSettings, wanted: Wanted, folder: Path, how: _How) -> Opened:
    wanted = replace(wanted, source=wanted.source or settings.url)
    with progress("bringing the newest dump"), found_dump(settings, wanted) as found:
        return open_dump(
            folder,
            found,
            without_extensions=how.without_extensions,
            deadline=Deadline(limit_seconds(found)),
            on_stage=print_stage,
        )


def _ask(opened: Opened, folder: Path) -> None:
    """Run psql. Whoever is the last one to ask stops the server, if it was started for that."""
    with held(LOCAL / USERS, shared=True, wait_seconds=None) as users:
        try:
            _run_psql(opened)
        finally:
            if opened.server.started_here:
                with suppress(Held):  # others ask it still
                    take(users)
                    embedded.stop(folder)


def _report(opened: Opened) -> Iterator[tuple[str, str]]:
    if (made := opened.restored) is None:
        yield "there", f"{opened.dump} from an earlier time, and what was done to it since"
    else:
        yield "restored", f"{opened.dump}: {rows_in_words(made.tables, made.uncompared)}"
        if made.former:
            yield "former", f"{made.former} holds what was there before, until another is opened"
    for remark in opened.remarks:
        yield "remark", remark


def _json(opened: Opened) -> dict[str, Any]:
    made = opened.restored
    return {
        "dump": opened.dump,
        "restored": made is not None,
        "url": _url(opened),
        "rows": {name: table.rows for name, table in made.tables.items()} if made else None,
        "uncompared": dict(sorted(made.uncompared.items())) if made else None,
        "former": made.former if made else None,
        "remarks": list(opened.remarks),
    }


def _url(opened: Opened) -> str:
    return opened.server.url(opened.target.dbname)


def _psql(opened: Opened) -> list[str]:
    return [str(embedded.EMBEDDED_BIN / "psql"), _url(opened)]


def _run_psql(opened: Opened) -> None:
    """Ctrl-C is psql's: it ends a statement there, and not the server under it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run(_psql(opened), env=child_environment({}), check=False)
    finally:
        signal.signal(signal.SIGINT, before)
    if done.returncode != 0:
        raise PreconditionFailed(f"psql ended with exit code {done.returncode}")
