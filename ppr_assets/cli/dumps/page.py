"""``ppr-assets page``: the published dumps as a page, with a picture of all nights."""

from __future__ import annotations

from pathlib import Path

import click

from ppr_assets.cli.shared.console import err, out, perhaps_unread
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option, print_view
from ppr_assets.operations.published.page import make_page, write_page
from ppr_assets.rules.naming import PAGE


@click.command()
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write README.md, dumps.svg and index.html into this folder.",
)
@offline_option
@json_option()
@pass_invocation
def page(invocation: Invocation, folder: Path | None, *, offline: bool, as_json: bool) -> None:
    """Make the page of the published dumps: the newest, all that are kept, all nights.

    Each dump's commit renews README.md and dumps.svg beside the dumps, where they are ours, unless
    SQL_DUMP_PAGE is false. This makes them anew of the branch's whole history, for wherever
    somebody wants them, and index.html, which needs nothing beside it. Without --out README.md is
    printed. Commits nothing, and needs no database.

    \b
    Examples:
      ppr-assets page
      ppr-assets page --out /srv/www/dumps

    \b
    Exit codes:
      0    made
      2    another's file is in the way, and was left as it is
      6    data repository unusable
    """
    made = make_page(invocation.settings.data_repo, offline=offline, on_view=print_view)
    for remark in made.remarks:
        err.print(remark)
    if folder is not None:
        write_page(made, folder)
    if as_json:
        paths = {name: str(folder / name) if folder else None for name in made.files}
        print_json({"files": paths, "page": made.files[PAGE], "remarks": list(made.remarks)})
    elif folder is None:
        with perhaps_unread():
            click.echo(made.files[PAGE], nl=False)
    else:
        out.print(f"wrote {', '.join(made.files)} to {folder}")
