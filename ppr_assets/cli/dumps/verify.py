"""``ppr-assets verify``: is a dump whole, and what its manifest says?"""

from __future__ import annotations

import click

from ppr_assets.cli.shared.chosen_dump import dump_options
from ppr_assets.cli.shared.console import out, progress, size
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import print_view
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.operations.verify_all import Checked, verify_dumps


@click.command()
@dump_options
@click.option("--all", "every", is_flag=True, help="Every dump that is there, newest first.")
@json_option("A JSON array, for programs.")
@pass_invocation
def verify(invocation: Invocation, wanted: Wanted, *, every: bool, as_json: bool) -> None:
    """Verify a dump: is the file whole, and is it what its manifest says?

    DUMP is a dump's name or the path of a file; the latest if not given. Its size, SHA-256, every
    table's rows and the SQL's structure are looked at, which psql does not do: it restores half a
    dump without a word. Needs no database. `ppr-assets drill` shows that a dump restores;
    this only says whether its manifest does: `proven`, or else `whole`. A file without a manifest
    beside it is held to the published dump that has its bytes, where the clone knows one.

    \b
    Examples:
      ppr-assets verify
      ppr-assets verify --all
      ppr-assets verify --all --json | jq -r '.[] | select(.proven | not) | .dump'
      ppr-assets verify downloaded.sql
      ppr-assets verify --from s3://pantry-backups/dumps --all

    \b
    Exit codes:
      0    whole
      1    a place of copies cannot be used
      4    damaged: the first thing wrong, its byte offset and what to do; or
           whole as committed, and other files lie in the work tree
      6    data repository unusable, or there is no such dump
    """
    if every and wanted.dump is not None:
        raise click.UsageError("--all verifies every dump, so no DUMP can be named")
    results: list[Checked] = []
    with progress("verifying"):
        found = verify_dumps(invocation.settings.data_repo, wanted, every=every, on_view=print_view)
        for checked in found:
            results.append(checked)
            if not as_json:
                out.print(_line(checked, alone=not every))
    if as_json:
        print_json([checked.to_json() for checked in results])
    damages = [checked.error for checked in results if checked.error is not None]
    if damages:
        raise damages[0]


def _line(checked: Checked, *, alone: bool) -> str:
    """What is wrong with the only one is said where the verb ends."""
    verified = checked.verified
    if verified is None:
        return f"{checked.name}  DAMAGED" + ("" if alone else f": {checked.error}")
    tables = verified.layout.tables
    return (
        f"{checked.name}  {size(verified.layout.bytes):>9}  {len(tables)} tables  "
        f"{checked.rows} rows  {_proof(checked)}; read from {checked.read_from}"
    )


def _proof(checked: Checked) -> str:
    proof = checked.proof
    if proof is not None and proof.proven:
        return f"proven on {proof}{_as_published(checked)}"
    if checked.verified is not None and checked.verified.manifest is None:
        return "; ".join(filter(None, ["whole, unproven: no manifest", checked.unmatched]))
    why = "published without a restore" if proof else "its manifest tells none"
    return f"whole, unproven: {why}{_as_published(checked)}"


def _as_published(checked: Checked) -> str:
    return f", published as {checked.published_as}" if checked.published_as else ""
