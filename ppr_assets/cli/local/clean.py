"""What ``make clean`` runs before it removes ``.local``; not a verb.

    python -m ppr_assets.cli.local.clean

The folder's server is stopped. Ends with 0 where nothing is lost that cannot be made again.
"""

from __future__ import annotations

import sys

import click

from ppr_assets.cli.shared.local_server import LOCAL, SERVER
from ppr_assets.demo.foreign import foreign
from ppr_assets.errors import Busy, PprError
from ppr_assets.failures import in_words
from ppr_assets.files import Held, held
from ppr_assets.postgres import embedded
from ppr_assets.rules.wording import few

_SHOWN = 5


def stop_and_look() -> None:
    """Raises :class:`Busy` while somebody works in ``.local``, and :class:`PprError` where it holds
    anything but the demo's."""
    if not LOCAL.is_dir():
        return
    try:
        with held(LOCAL / "users"):
            try:
                found = [*foreign(LOCAL)]
            finally:
                embedded.stop(LOCAL / SERVER)
    except Held:
        raise Busy(
            f"busy: a demo, `make dev` or a dump works in `{LOCAL}`", hint="end it first."
        ) from None
    if found:
        raise PprError(
            f"`{LOCAL}` holds more than the demo's, so nothing was removed: {few(found, _SHOWN)}",
            hint="a database `dagster` there is the history of real runs. Keep it with "
            f"`mv {LOCAL} SOMEWHERE`; `rm -r {LOCAL}` lets it go for good.",
        )


def main() -> None:
    try:
        stop_and_look()
    except Exception as error:  # noqa: BLE001 - the last one, and it ends
        told = in_words(error)
        click.echo(told.render(), err=True)
        sys.exit(told.exit_code)


if __name__ == "__main__":
    main()
