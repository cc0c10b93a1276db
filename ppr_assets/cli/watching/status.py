"""``ppr-assets status``: where things stand, the state first, for people, cron and monitors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from ppr_assets.cli.shared.console import out, print_error, progress
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.cli.watching.status_lines import status_lines
from ppr_assets.errors import PprError, SettingsError
from ppr_assets.operations.condition import Look, condition
from ppr_assets.operations.status import status as ask

_UNITS = ("minutes", "hours", "days")
_LABEL = 14
_NAGIOS = ("ok", "warning", "error")
"""Each at its exit code there."""
_UNKNOWN = 3


def _age(context: click.Context, parameter: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if found is None or not int(found[1]):
        raise click.BadParameter(f"`{text}`, must be such as 26h, 90m or 2d", context, parameter)
    return timedelta(**{next(one for one in _UNITS if one[0] == found[2]): int(found[1])})


@click.command()
@offline_option
@click.option(
    "--max-age",
    metavar="AGE",
    callback=_age,
    help="An error if the last good night is older: 26h, 90m, 2d.",
)
@click.option("--check", is_flag=True, help="One line and the exit codes of Nagios, for monitors.")
@json_option()
@pass_invocation
def status(
    invocation: Invocation, *, offline: bool, max_age: timedelta | None, check: bool, as_json: bool
) -> None:
    """Show where things stand: the database, the gate, the last dump, the remote.

    The first line is the state: `ok`, or `warning: …` and `error: …` with what is wrong. The
    dump and the mark are those of `head`: the remote's newest commit, or the clone's where
    that is ahead. Changes nothing. What cannot be learned is reported on stderr after everything
    else was shown, and gives the exit code. `headroom` is how many records a table may lose before
    the gate refuses. `last good` is the last night that published or found nothing changed.

    \b
    Examples:
      ppr-assets status
      ppr-assets status --max-age 26h || mail -s "backup" board@example.org
      ppr-assets status --check --max-age 26h
      ppr-assets status --json | jq .headroom.organization

    \b
    Exit codes, beside those of all verbs:
      0    shown, whatever the state is; with --max-age: young enough
      1    with --max-age: too old, or no good night is known
      With --check those of Nagios: 0 ok, 1 warning, 2 error, 3 not known
    """
    if check:
        _check(invocation, offline=offline, max_age=max_age, as_json=as_json)
        return
    look = _look(invocation, offline=offline, max_age=max_age)
    if as_json:
        print_json(_json(look))
    else:
        _print(look)
    errors = look.found.errors
    for error in errors[1:]:
        print_error(error)
    if errors:
        raise errors[0]
    if max_age is not None and (why := _too_old(look)):
        raise PprError(why, hint="`ppr-assets dump` makes up for it, or says what is in the way.")


def _look(invocation: Invocation, *, offline: bool, max_age: timedelta | None) -> Look:
    settings = invocation.settings
    with progress("asking the database and the data repository"):
        return Look(ask(settings, offline=offline), settings, datetime.now(UTC), max_age)


def _json(look: Look) -> dict[str, object]:
    found = condition(look)
    age = look.age.total_seconds() if look.age else None
    return {
        "state": found.level,
        "why": list(found.why),
        "good_age_seconds": age,
        **look.found.to_json(),
    }


def _print(look: Look) -> None:
    for label, text in status_lines(look):
        for number, line in enumerate(text.splitlines()):
            out.print(f"{'' if number else label:<{_LABEL}} {line}")


def _too_old(look: Look) -> str:
    return "no good night is known here" if look.age is None else look.too_old


def _check(
    invocation: Invocation, *, offline: bool, max_age: timedelta | None, as_json: bool
) -> None:
    """One line, and the code that monitors know; settings that cannot be read tell nothing."""
    try:
        look = _look(invocation, offline=offline, max_age=max_age)
    except SettingsError as error:
        line, code = f"unknown: {error.message}", _UNKNOWN
        document: dict[str, object] = {"state": "unknown", "why": [error.message]}
    else:
        found, document = condition(look), _json(look)
        line, code = str(found), _NAGIOS.index(found.level)
        if max_age is not None and look.age is None and found.level == "ok":
            line, code = "unknown: no good night is known here", _UNKNOWN
    if as_json:
        print_json(document)
    else:
        out.print("; ".join(map(str.strip, line.splitlines())))
    raise click.exceptions.Exit(code)
