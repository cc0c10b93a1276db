"""What a program reads: with ``--json``, stdout holds one JSON document, however the verb ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ppr_assets.cli.shared.console import perhaps_unread
from ppr_assets.errors import PprError

Verb = TypeVar("Verb", bound=Callable[..., Any])

_KEY = "ppr_assets.json"
"""In the context's notes, which a verb shares with the command line that called it."""
_WANTED, _PRINTED = "wanted", "printed"


def json_option(text: str = "One JSON object, for programs.") -> Callable[[Verb], Verb]:
    """``--json``, which comes to the verb as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, callback=_noted, help=text)


def _noted(context: click.Context, _: click.Parameter, as_json: bool) -> bool:
    if as_json:
        context.meta[_KEY] = _WANTED
    return as_json


def print_json(value: Any) -> None:
    """JSON for a program: never coloured, not even where the environment asks for colour."""
    if (context := click.get_current_context(silent=True)) is not None:
        context.meta[_KEY] = _PRINTED
    with perhaps_unread():
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_failure(context: click.Context, error: PprError) -> None:
    """The document of a verb that failed before it had another; nothing without ``--json``."""
    if context.meta.get(_KEY) == _WANTED:
        print_json({"error": error_json(error)})


def error_json(error: PprError | None) -> dict[str, Any] | None:
    """An expected failure for programs; ``null`` where there was none."""
    if error is None:
        return None
    return {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
