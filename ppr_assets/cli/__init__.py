"""The command line: a module for each verb, data to stdout, logs and errors to stderr.

The verbs stand in rooms named after what a person has to do; what several of them need is in
``shared`` and ``dagster``. Here is what all of them go through.

Exit codes are those of :mod:`ppr_assets.errors`; 2 is also what a wrong argument gives.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import select
import signal
import sys
import warnings
from importlib import import_module
from types import FrameType
from typing import Any

import click
from click.exceptions import NoSuchCommand

from ppr_assets.cli.shared.common_options import with_common_options
from ppr_assets.cli.shared.console import (
    escape_what_cannot_be_written,
    open_closed_streams,
    perhaps_unread,
    print_error,
)
from ppr_assets.cli.shared.context import invocation_of
from ppr_assets.cli.shared.json_document import print_failure
from ppr_assets.errors import Cancelled
from ppr_assets.failures import in_words, with_story

EXIT_CODES = """\b
Exit codes:
  0    done, or unchanged
  1    error
  2    usage or settings
  3    refused by the gate
  4    dump damaged or unproven
  5    database unreachable, or failing
  6    data repository unusable, or push rejected
  7    busy: another run holds the lock, or others a table
  8    refused by the publication policy
  130  cancelled
"""


VERBS = {
    "dump": ("dumps", "Dump the database, guarded, and publish it in the data repository."),
    "list": ("dumps", "List the published dumps, newest first."),
    "status": (
        "watching",
        "Show where things stand: the database, the gate, the last dump, the remote.",
    ),
    "doctor": (
        "watching",
        "Look at everything that a dump needs, and say what to do where something is missing.",
    ),
    "look": (
        "watching",
        "Look at what others get, and at what is staged or pending here.",
    ),
    "metrics": ("watching", "Write what `status` knows as Prometheus reads it."),
    "verify": ("dumps", "Verify a dump: is the file whole, and is it what its manifest says?"),
    "audit": ("dumps", "Audit published dumps: does everything that is recorded of them hold?"),
    "diff": (
        "dumps",
        "Show what changed from dump A to dump B: rows, table by table, and the schema.",
    ),
    "history": ("looking", "Follow one record through all published nights."),
    "export": (
        "looking",
        "Write a dump as SQLite, CSV or Parquet, without a server.",
    ),
    "query": ("looking", "Ask a dump in SQL, without a server."),
    "replay": ("databases", "Rebuild a database from the published records."),
    "restore": ("databases", "Restore a dump in the place of the database."),
    "drill": (
        "databases",
        "Prove that a dump restores: into a scratch database, compared, dropped again.",
    ),
    "page": (
        "dumps",
        "Make the page of the published dumps: the newest, all that are kept, all nights.",
    ),
    "prune": ("dumps", "Apply the keep rules to the folder of dumps, in a commit of its own."),
    "rebuild": ("dumps", "Build the dump folder of a data repository anew out of copies."),
    "cleanup": ("databases", "Drop what restores have left beside the database."),
    "init": ("databases", "Fill the database from the latest dump, unless it has records."),
    "ratchet": ("deciding", "Show the mark that dumps are held against, or set it on purpose."),
    "policy": (
        "deciding",
        "Show what is published and what is withheld, or decide on what is new.",
    ),
    "alert": ("watching", "Show what is open, or try whether alerts get through."),
    "open": ("local", "Restore a published dump into a server of its own, and open psql."),
    "demo": ("local", "Show a whole night: dump, guard, commit, push, and a refusal."),
    "dev": ("local", "Open Dagster's UI; one Ctrl-C stops everything that this has started."),
}
"""Each is a module of its room, with a command of that name in it, and the first sentence of that
one's help, so that a list of all verbs loads none."""


class _Verbs(click.Group):
    """Imports a verb when it is asked for: what the demo needs does not concern a night's dump."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*VERBS]  # `list` is a verb here

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        room, _sentence = VERBS[cmd_name]
        module = import_module(f"{__name__}.{room}.{cmd_name}")
        found = (value for value in vars(module).values() if isinstance(value, click.Command))
        return with_common_options(next(one for one in found if one.name == cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """With the verbs that may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            raise NoSuchCommand(error.command_name, possibilities=VERBS, ctx=ctx) from None

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Sentences as a whole, on as many lines as they need."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, sentence) for verb, (_, sentence) in VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """With an error's words: only here is it known which data repository was meant."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            settings = ctx.obj.settings_if_read if ctx.obj else None
            told = in_words(error, settings)
            print_failure(ctx, told)
            if told is error:
                raise
            raise told from told.__cause__


@click.group(
    cls=_Verbs, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="ppr-assets")
@click.pass_context
def cli(context: click.Context) -> None:
    """Back up Pantry Pirate Radio's database into its data repository.

    No bad dump is ever published, no good one is ever lost, and anyone can see why.

    Start with `ppr-assets doctor`, which looks at everything a dump needs, or with
    `ppr-assets demo`, which shows a whole night on a database of its own. Every variable is
    explained in the README; facts go to stdout, errors and progress to stderr.
    """
    invocation_of(context)


with_common_options(cli)


def main() -> None:
    """Entry point of ``ppr-assets``: an expected failure is its text and its exit code."""
    _interrupt_on_signals()
    open_closed_streams()
    escape_what_cannot_be_written()
    # Importing Dagster makes some hundred thousand objects, none of them garbage, nor worth to be
    # looked through once more when the process ends.
    gc.set_threshold(1_000_000, 50, 50)
    atexit.register(gc.freeze)
    _silence_libraries()
    try:
        # Without standalone mode click hands the code of an `Exit` back, and None from a verb.
        code = cli.main(standalone_mode=False)
        with perhaps_unread():
            sys.stdout.flush()  # a full disk is to be heard of here
        sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        sys.exit(Cancelled.exit_code)
    except Exception as error:  # noqa: BLE001 - the last one, and it ends
        if isinstance(error.__cause__ or error, BrokenPipeError) and _nobody_reads():
            _leave_unwritten()
            click.echo("whoever read the output has closed it before its end", err=True)
            sys.exit(1)
        told = with_story(in_words(error))
        _leave_unwritten()
        print_error(told)
        sys.exit(told.exit_code)


def _interrupt_on_signals() -> None:
    """Make a service manager's SIGTERM and a lost terminal's SIGHUP do what Ctrl-C does.

    SIGINT is set as well: a shell starts ``command &`` with it ignored. A SIGHUP that ``nohup``
    has switched off stays off.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Pass it on as SIGINT, whose handler changes: during a run it is Dagster's."""
    signal.raise_signal(signal.SIGINT)


def _nobody_reads() -> bool:
    """Whether stdout is a pipe whose reader has gone, as with `| head`: an error on Linux, a
    hang-up on macOS, which says so only where it is asked whether one may write."""
    look = select.poll()
    look.register(sys.stdout.fileno(), select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in look.poll(0))


def _leave_unwritten() -> None:
    """Let what stdout did not take go, which Python would try once more, and complain of."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _silence_libraries() -> None:
    """Keep remarks of libraries off the terminal: what matters is said by a verb, in its words.

    With no handler at the root, a library's first warning would install one for everybody.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
