"""Options that every verb takes, on either side of it: where the variables are, and how much it
says on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import click

from ppr_assets.child_process import GUARD_SHELL
from ppr_assets.cli.shared.console import err
from ppr_assets.cli.shared.context import invocation_of
from ppr_assets.settings import without_secrets


def with_common_options(command: click.Command) -> click.Command:
    """The command with these options at the end of its own; and all that are below it, each of
    which is listed with its whole first sentence."""
    command.params += [option for option in _OPTIONS if option not in command.params]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_common_options(below)
            below.short_help = _first_sentence(str(below.help))
    return command


def _first_sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].partition(".\n")[0].split()).removesuffix(".") + "."


def _env_file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        invocation_of(context).dotenv = path


def _quiet(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked or context.parent is None:
        err.quiet = asked


def _verbose(_context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        _tell_of_programs()


_OPTIONS = (
    click.Option(
        ["--env-file"],
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        is_eager=True,  # before whatever reads a variable
        expose_value=False,
        callback=_env_file,
        help="Read variables from this file instead of ./.env; the environment wins over both.",
    ),
    click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_verbose,
        help="Name on stderr each program that is started, as `+ git fetch …`.",
    ),
    click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_quiet,
        help="Write nothing to stderr but errors.",
    ),
)


@cache
def _tell_of_programs() -> None:
    """Once and for good: Python takes no hook back. No secret is ever in such a line, and one in a
    URL that somebody has typed is left out of it."""

    def tell(event: str, facts: Sequence[Any]) -> None:
        if event == "subprocess.Popen":
            words = [str(word) for word in facts[1]]
            if words[0] != GUARD_SHELL:
                with suppress(OSError):  # nobody listens any more
                    err.print(f"+ {without_secrets(shlex.join(words))}")

    sys.addaudithook(tell)
