"""What verbs share: where the settings come from, options that belong together, and reasons."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec import Struct

from ppr_assets.cli.shared.console import err
from ppr_assets.rules.wording import shell_word
from ppr_assets.settings import Settings, env_file, kinds

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass
class Invocation:
    """One call of the command line. Settings are read when a verb first needs them, so that
    ``--help`` works with an unusable environment. ``by``: who decides, where --by says so."""

    dotenv: Path
    by: str | None = None

    @cached_property
    def settings(self) -> Settings:
        settings = Settings.from_environment(dotenv=self.dotenv)
        for misspelt in settings.misspelt:
            err.print(f"warning: {misspelt}")
        return settings.signed_by(self.by)

    @property
    def settings_if_read(self) -> Settings | None:
        """What a message about a failure may go by; never a failure of its own."""
        return self.__dict__.get("settings")


pass_invocation = click.make_pass_decorator(Invocation)


def invocation_of(context: click.Context) -> Invocation:
    """The one of this call, made by whoever asks first."""
    found = context.find_object(Invocation)
    if found is None:
        found = context.obj = Invocation(dotenv=env_file())
    return found


def this_command(words: str) -> str:
    """A command to be typed next, which reads the variables that this call has read."""
    context = click.get_current_context(silent=True)
    given = invocation_of(context).dotenv if context else env_file()
    chosen = "" if given == env_file() else f"--env-file {shell_word(str(given))} "
    return f"ppr-assets {chosen}{words}"


def _signed(context: click.Context, parameter: click.Parameter, name: str | None) -> None:
    if name is None:
        return
    try:
        invocation_of(context).by = kinds.name(name)
    except kinds.UnusableValueError as error:
        raise click.BadParameter(f"must be {kinds.name.must_be}", context, parameter) from error


by_option = click.option(
    "--by",
    metavar="NAME",
    is_eager=True,  # before the options that it signs
    expose_value=False,
    callback=_signed,
    help="Who decides. [default: PPR_OPERATOR, else the account as USER@HOST]",
)


def bundled(
    name: str, kind: type[Struct], *options: Callable[[Verb], Verb]
) -> Callable[[Verb], Verb]:
    """Options that belong together, in the order of the help, come to the verb as one value
    ``name``: a ``kind``, whose fields they are."""

    def decorated(verb: Verb) -> Any:
        @wraps(verb)
        def called(*arguments: Any, **given: Any) -> Any:
            own = {one: given.pop(one) for one in kind.__struct_fields__ if one in given}
            return verb(*arguments, **{name: kind(**own)}, **given)

        bundle: Any = called
        for option in reversed(options):
            bundle = option(bundle)
        return bundle

    return decorated


def worded(context: click.Context, parameter: click.Parameter, reason: str | None) -> str | None:
    """The reason on one line. One that nobody could read is refused: it is committed for whoever
    asks later."""
    if reason is None:
        return None
    if not reason.strip():
        raise click.BadParameter("the reason is empty, must be a sentence", context, parameter)
    try:
        return kinds.sentence(reason)
    except kinds.UnusableValueError as error:
        must = f"the reason must be {kinds.sentence.must_be}"
        raise click.BadParameter(must, context, parameter) from error


def a_day(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Days are compared as they are written, so they are written in one way."""
    if value is None or re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value
    raise click.BadParameter(f"`{value}` must be a day like 2026-11-01", param=option)
