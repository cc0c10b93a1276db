"""``ppr-assets init``: what a container runs at its start."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import click
from msgspec.structs import replace

from ppr_assets.cli.dagster.recording import record_replay, record_restore
from ppr_assets.cli.databases.replay_report import became_lines, replay_json
from ppr_assets.cli.shared.chosen_dump import stages
from ppr_assets.cli.shared.console import print_lines, progress
from ppr_assets.cli.shared.context import Invocation, bundled, by_option, pass_invocation
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.override import accept_option, override_option
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.starting.init import initialise
from ppr_assets.operations.starting.roads import WAIT_SECONDS, InitOutcome, InitTerms
from ppr_assets.settings import Settings


@click.command()
@bundled(
    "terms",
    InitTerms,
    click.option(
        "--force",
        is_flag=True,
        help="Restore also over a database that has records; it is kept as the former one.",
    ),
    click.option(
        "--disconnect",
        is_flag=True,
        help="End sessions on the database at the swap. Without it they are a reason to refuse.",
    ),
    click.option(
        "--wait",
        "wait_seconds",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=WAIT_SECONDS,
        show_default=True,
        help="How long to wait for the server to come up.",
    ),
    click.option(
        "--deadline",
        "deadline_seconds",
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        default=None,
        help="Give up when a restore or a replay is not done by then, one of another process too.  "
        "[default: 300, or 300 for each gigabyte of the dump or of the published records]",
    ),
    override_option,
    accept_option,
    by_option,
)
@json_option()
@pass_invocation
def init(invocation: Invocation, terms: InitTerms, *, as_json: bool) -> None:
    """Fill the database from the latest dump, unless it has records.

    For the start of a container: waits for the server, makes the database where it is missing,
    and can be run again or twice at once. Where the latest dump is damaged, missing, without
    records or not what it says once it is restored, an older one is taken, and where none can be,
    the published records are replayed (the last DB_INIT_DAYS_TO_SYNC days that each scraper has)
    into the tables that are there, or else those of the newest dump that can be read. It says which
    road it took, and why not a better one. Of a data repository that is not cloned yet only what
    is needed is fetched. SKIP_DB_INIT=true does nothing but say which of organization, location
    and service are not there. A database counts as having records when one of them has a row;
    where none of them is there, any table.

    \b
    Examples:
      ppr-assets init
      ppr-assets init --wait 300 && exec my-service
      TESTING=true ppr-assets init

    \b
    Exit codes, so that an orchestrator can tell:
      0    restored, replayed, or left alone
      1    the server cannot hold the dump, or loading failed
      3    refused: the dump brings no records, or too few in the place of those
           that serve
      4    the dump is damaged, or what was restored differs
      5    the server did not come up
      6    data repository unusable, or there is no dump yet
      (3, 4 and 6 of the latest dump, where no other road led there either)
      7    busy: try again
    """
    settings = invocation.settings
    if not settings.skip_db_init:
        settings.database.require_password()
    started = monotonic()
    with heard(settings, "init"), progress("waiting for the server, restoring where needed"):
        outcome = initialise(settings, terms)
    seconds = monotonic() - started
    _tell(outcome, as_json=as_json)
    _record(settings, outcome, seconds)


def _tell(outcome: InitOutcome, *, as_json: bool) -> None:
    if as_json:
        print_json(_json(outcome))
    else:
        print_lines(_report(outcome))


def _record(settings: Settings, outcome: InitOutcome, seconds: float) -> None:
    remarks = [*(f"not taken: {better}" for better in outcome.not_taken), *outcome.remarks]
    if outcome.restored is not None:
        record_restore(settings, replace(outcome.restored, remarks=remarks))
    elif outcome.replayed is not None:
        record_replay(settings, replace(outcome.replayed, remarks=remarks), seconds=seconds)


def _json(outcome: InitOutcome) -> dict[str, Any]:
    restored, replayed = outcome.restored, outcome.replayed
    return {
        "status": outcome.status,
        "database": outcome.database,
        "reason": outcome.reason or None,
        "dump": restored.dump if restored else None,
        "rows": {key: one.rows for key, one in restored.tables.items()} if restored else None,
        "former": restored.former if restored else None,
        "accepted": list(restored.accepted.differences) if restored else [],
        "replayed": replay_json(replayed) if replayed else None,
        "not_taken": list(outcome.not_taken),
        "remarks": list(outcome.remarks),
    }


def _report(outcome: InitOutcome) -> Iterator[tuple[str, str]]:
    for better in outcome.not_taken:
        yield "not taken", better
    if outcome.restored is not None:
        restored = outcome.restored
        rows = rows_in_words(restored.tables, restored.uncompared)
        source = f"{restored.dump} of {restored.origin}"
        yield "restored", f"{outcome.database} from {source}: {rows}"
        yield "stages", stages(restored.seconds)
        for difference in restored.accepted.differences:
            yield "accepted", difference
    elif outcome.replayed is not None:
        yield "files", str(outcome.replayed.replayed.accounts)
        yield from became_lines(outcome.replayed)
        return
    else:
        yield "left alone", f"{outcome.database}: {outcome.reason}"
    for remark in outcome.remarks:
        yield "remark", remark
