"""``ppr-assets drill``: restore a dump into a scratch database, compare, and drop it."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import click

from ppr_assets.cli.dagster.recording import mismatch_recorded, record_drill
from ppr_assets.cli.shared.chosen_dump import dump_options, print_stage
from ppr_assets.cli.shared.console import print_lines, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.drill import DrillOutcome
from ppr_assets.operations.restoring.drill import drill as drill_dump
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.loading import proof_seconds, silent
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.incidents import DRILL


@click.command()
@dump_options
@click.option(
    "--where",
    type=click.Choice(["server", "embedded", "elsewhere"]),
    default=None,
    help="The database's own server, an embedded one, or that of PPR_PROOF_HOST. By default what "
    "SQL_DUMP_PROOF says, and the server where that is off.",
)
@json_option("One JSON object, with every table.")
@pass_invocation
def drill(invocation: Invocation, wanted: Wanted, where: str | None, *, as_json: bool) -> None:
    """Prove that a dump restores: into a scratch database, compared, dropped again.

    DUMP is a dump's name or the path of a file; the latest if not given. The scratch database
    stands beside POSTGRES_DB, which is not touched. Where the role may not make one, an embedded
    server takes it. Every table's rows and hash, and every index, constraint and sequence must be
    what the dump says.

    \b
    Examples:
      ppr-assets drill
      ppr-assets drill --from https://github.com/someone/data.git
      ppr-assets drill --json | jq '.tables.organization'

    \b
    Exit codes:
      0    it restores
      1    no scratch database could be made
      4    damaged, not what it says once restored, or restored by no server
      5    database unreachable
      6    data repository unusable, or there is no such dump
      7    busy: another drill is at work
    """
    settings = invocation.settings
    place = ProofPlace.of(settings, where=where)
    told = silent if as_json else print_stage
    started = monotonic()
    with (
        mismatch_recorded(settings, "drill"),
        heard(settings, DRILL),
        progress("restoring into a scratch database"),
        found_dump(settings.data_repo, wanted) as found,
    ):
        fetched = monotonic() - started
        outcome = drill_dump(place, found, deadline=Deadline(proof_seconds(found)), on_stage=told)
        latest = wanted.latest and found.commit is not None
        record_drill(settings, outcome, found.remarks, fetched=fetched, latest=latest)
    _tell(found, outcome, as_json=as_json)


def _tell(found: FoundDump, outcome: DrillOutcome, *, as_json: bool) -> None:
    if as_json:
        print_json(_json(found, outcome))
    else:
        print_lines(_report(found, outcome))


def _report(found: FoundDump, outcome: DrillOutcome) -> Iterator[tuple[str, str]]:
    yield "proven" if outcome.proven else "restores", f"{outcome.dump} from {outcome.origin}"
    yield "restored", f"on {outcome.proof}"
    yield "holds", rows_in_words(outcome.tables, outcome.uncompared)
    for remark in [*found.remarks, *outcome.remarks]:
        yield "remark", remark


def _json(found: FoundDump, outcome: DrillOutcome) -> dict[str, object]:
    """A table is only here when it was found equal: a difference is an error."""
    proof = outcome.proof
    return {
        "dump": outcome.dump,
        "origin": outcome.origin,
        "proven": outcome.proven,
        "where": proof.where,
        "server_version": proof.server_version,
        "at": proof.at.isoformat(),
        "seconds": dict(outcome.seconds),
        "tables": {
            key: {"rows": record.rows, "sha256": record.sha256, "verdict": "equal"}
            for key, record in sorted(outcome.tables.items())
        },
        "uncompared": dict(sorted(outcome.uncompared.items())),
        "remarks": [*found.remarks, *outcome.remarks],
    }
