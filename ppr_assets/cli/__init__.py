"""The command line: one module per verb, data to stdout, logs and errors to stderr.

Exit codes are those of :mod:`ppr_assets.errors`; 2 is also what a wrong argument gives.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ppr_assets.cli.context import Invocation
from ppr_assets.cli.demo import demo
from ppr_assets.cli.dev import dev
from ppr_assets.cli.doctor import doctor
from ppr_assets.cli.dump import dump
from ppr_assets.cli.list import list_dumps
from ppr_assets.cli.ratchet import ratchet
from ppr_assets.cli.status import status
from ppr_assets.errors import Cancelled, PprError

EPILOG = """\b
Exit codes:
  0    done, or nothing to do      5    database unreachable
  1    error                       6    data repository unusable, or push rejected
  2    usage or settings           7    busy: another run holds the lock
  3    refused by the gate         130  cancelled
  4    dump damaged or unproven
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=None,
    help="Read variables from this file instead of ./.env; the environment wins over both.",
)
@click.version_option(package_name="ppr-assets")
@click.pass_context
def cli(context: click.Context, env_file: Path | None) -> None:
    """Back up Pantry Pirate Radio's database into its data repository.

    No bad dump is ever published, no good one is ever lost, and anyone can see why.

    Start with `ppr-assets doctor`, which looks at everything a dump needs, or with
    `ppr-assets demo`, which shows a whole night on a database of its own.
    """
    context.obj = Invocation(dotenv=env_file or Path(".env"))


for verb in (dump, list_dumps, status, doctor, ratchet, demo, dev):
    cli.add_command(verb)


def main() -> None:
    """Entry point of ``ppr-assets``: an expected failure is its text and its exit code."""
    try:
        cli.main(standalone_mode=False)
    except PprError as error:
        click.echo(error.render(), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled; nothing was published", err=True)
        sys.exit(Cancelled.exit_code)
