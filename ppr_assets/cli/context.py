"""What every verb is given: where its settings come from."""

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


pass_invocation = click.make_pass_decorator(Invocation)
