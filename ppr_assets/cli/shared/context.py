"""What verbs share: where the settings come from, and that a reason says something."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from ppr_assets.settings import Settings


@dataclass(frozen=True)
class Invocation:
    """One call of the command line. Settings are read when a verb first needs them, so that
    ``--help`` works with an unusable environment."""

    dotenv: Path

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_environment(dotenv=self.dotenv)

    @property
    def settings_if_read(self) -> Settings | None:
        """What a message about a failure may go by; never a failure of its own."""
        return self.__dict__.get("settings")


pass_invocation = click.make_pass_decorator(Invocation)


def worded(context: click.Context, parameter: click.Parameter, reason: str | None) -> str | None:
    """Refuse a reason without a word in it: it would be committed for whoever asks later."""
    if reason is not None and not reason.strip():
        raise click.BadParameter("the reason is empty, must be a sentence", context, parameter)
    return reason
