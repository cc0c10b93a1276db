"""``ppr-assets rebuild``: a lost or rewritten dump folder, made again out of copies."""

from __future__ import annotations

from typing import Any

import click

from ppr_assets.cli.shared.console import err, out, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import error_json, json_option, print_json
from ppr_assets.data_repo.git.errors import scrub
from ppr_assets.errors import DumpDamaged, SettingsError
from ppr_assets.operations.copying.rebuild import RebuiltFolder
from ppr_assets.operations.copying.rebuild import rebuild as rebuild_from
from ppr_assets.operations.sources.copy import place_of_copies
from ppr_assets.rules.wording import plural
from ppr_assets.settings import CopyUrl, DataRepoSettings


@click.command()
@click.option(
    "--from",
    "source",
    metavar="URL|DIR",
    required=True,
    help="The place of copies: s3://, gs://, az://, rclone:REMOTE:PATH, or its folder.",
)
@json_option()
@pass_invocation
def rebuild(invocation: Invocation, source: str, *, as_json: bool) -> None:
    """Build the dump folder of a data repository anew out of copies.

    For a data repository that was deleted, or forced back to an older commit. What the branch
    still has stays. Behind it come the dumps that it lacks, oldest first, each with its manifest,
    in a commit with the words, author, date, mark and policy of the one that had published it; and
    what was decided between them. It is pushed where PUBLISHER_PUSH_ENABLED is true. Records of
    others (their files beside the dump folder) are in no copy. Needs no database.

    Without a repository at DATA_REPO_PATH, one is made: cloned from DATA_REPO_URL, which may be
    empty, or new. Where any clone still has the history that was lost, push that instead.

    \b
    Examples:
      ppr-assets rebuild --from s3://pantry-backups/dumps

    \b
    Exit codes:
      0    rebuilt, or nothing was missing
      1    the place of copies cannot be used
      4    rebuilt, but without copies or decisions that are damaged
      6    data repository unusable, no copy there, or push rejected (the
           commits are kept)
      7    busy: another run is at work
    """
    settings = invocation.settings
    place = _place(settings.data_repo, source)
    with progress("rebuilding"):
        outcome = rebuild_from(settings, place)
    if as_json:
        print_json(_json(outcome))
    else:
        out.print(_summary(outcome))
    for damaged in outcome.damaged:
        err.print(damaged.message)
    _require_whole(outcome)


def _require_whole(outcome: RebuiltFolder) -> None:
    if outcome.delivery.failure is not None:
        raise outcome.delivery.failure
    if outcome.damaged:
        raise DumpDamaged(
            f"{len(outcome.damaged)} of the copies could not be used",
            hint="what could is there; another place of copies may have them whole.",
        )


def _place(settings: DataRepoSettings, source: str) -> CopyUrl:
    place = place_of_copies(settings, source)
    if place is None:
        raise SettingsError(
            f"`{scrub(source)}` is not a place of copies",
            hint="a folder must have copies (`….sql.zst`) in it; another data repository is "
            "cloned, by DATA_REPO_URL.",
        )
    return place


def _json(outcome: RebuiltFolder) -> dict[str, Any]:
    return {
        "dumps": list(outcome.dumps),
        "decisions": outcome.decisions,
        "damaged": [error.message for error in outcome.damaged],
        "commit": outcome.commit,
        "pushed": outcome.delivery.pushed,
        "error": error_json(outcome.delivery.failure),
    }


def _summary(outcome: RebuiltFolder) -> str:
    if outcome.commit is None:
        return "nothing to rebuild: the branch has all that the copies tell of"
    pushed = outcome.delivery.pushed
    where = "which the remote has" if pushed else "kept in the clone, not pushed"
    told = f"rebuilt {plural(len(outcome.dumps), 'dump')}"
    newest = f", the newest {max(outcome.dumps)}" if outcome.dumps else ""
    decisions = f", {outcome.decisions} decisions" if outcome.decisions else ""
    return f"{told}{newest}{decisions}; commit {outcome.commit[:10]}, {where}"
