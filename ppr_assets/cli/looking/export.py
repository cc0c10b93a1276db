"""``ppr-assets export``: a dump as other files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ppr_assets.cli.looking.meant_dump import meant_argument
from ppr_assets.cli.shared.console import out, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import print_view, print_withheld
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.looking.export import to_csv, to_sqlite
from ppr_assets.operations.looking.meant import Meant, meant_dump
from ppr_assets.operations.looking.parquet import to_parquet
from ppr_assets.operations.looking.published_tables import PublishedTables, todays_policy

_FORMS = {
    name: (end, write)
    for name, end, write in (
        ("sqlite", ".db", to_sqlite),
        ("csv", "_csv", to_csv),
        ("parquet", "_parquet", to_parquet),
    )
}
"""By name: what its files end in, and what writes them."""


@click.command()
@click.argument("form", metavar="sqlite|csv|parquet", type=click.Choice([*_FORMS]))
@meant_argument
@click.option(
    "--out",
    "target",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The file, for CSV and Parquet the folder. [default: the dump's name, here]",
)
@json_option()
@pass_invocation
def export(
    invocation: Invocation, form: str, meant: Meant, target: Path | None, *, as_json: bool
) -> None:
    """Write a dump as SQLite, CSV or Parquet, without a server.

    The dump is the latest, or what is named, as --at of `ppr-assets query` takes it. It is verified
    first. SQLite has primary and foreign keys, indexes on these, and full-text search on names and
    descriptions; the .metadata.json beside it tells Datasette what tables and columns are. Parquet
    needs DuckDB, which `pip install 'ppr-assets[parquet]'` brings. The publication policy of today
    is applied: what an older dump holds beyond it is left out, and stderr says so. No file is
    replaced.

    \b
    Examples:
      ppr-assets export sqlite
      ppr-assets export sqlite 2026-11-01 --out november.db
      ppr-assets export csv --out tables

    \b
    Exit codes:
      0    written
      1    the file is there already, or cannot be written
      4    the dump is damaged
      6    data repository unusable, or there is no such dump
      8    the policy cannot be read
    """
    settings = invocation.settings
    with progress("exporting"), meant_dump(settings.data_repo, meant, print_view) as found:
        elsewhere = found.commit is None or meant.source is not None
        policy = todays_policy(settings, elsewhere=elsewhere, offline=meant.offline)
        with dump_tables(found) as dump:
            tables = PublishedTables(dump, policy)
            files = _write(tables, found.name, form, target)
    withheld, written = tables.said(), [*map(str, files)]
    print_withheld(withheld)
    if as_json:
        print_json({"dump": found.name, "files": written, "withheld": withheld, "error": None})
    else:
        for file in written:
            out.print(file)


def _write(tables: PublishedTables, dump: str, form: str, target: Path | None) -> Sequence[Path]:
    end, write = _FORMS[form]
    stem = dump.removesuffix(".gz").removesuffix(".sql")
    return write(tables, dump, target or Path(f"{stem}{end}"))
