"""The options by which verbs that look into dumps say which one they mean."""

from __future__ import annotations

import click

from ppr_assets.cli.shared.context import bundled
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.operations.looking.meant import Meant

_AT = (
    "A dump by its name, also a retired one; the latest at a commit; the newest up to the end of a "
    "day or moment (ISO, UTC); or a dump's file. [default: the latest]"
)

_FROM = click.option(
    "--from",
    "source",
    metavar="DIR|URL|FILE",
    help="Another data repository, a place of copies, a folder with dumps, or a dump's own file.",
)

meant_options = bundled(
    "meant",
    Meant,
    click.option("--at", metavar="DUMP|COMMIT|DATE", help=_AT),
    _FROM,
    offline_option,
)
"""``--at --from --offline``; they come to the verb as ``meant``."""

meant_argument = bundled(
    "meant",
    Meant,
    click.argument("at", metavar="[DUMP|COMMIT|DATE]", required=False),
    _FROM,
    offline_option,
)
"""The same with an argument in the place of ``--at``."""
