"""``ppr-assets metrics``: the status as numbers, for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ppr_assets.cli.shared.console import err, perhaps_unread
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.errors import SettingsError
from ppr_assets.operations.condition import Look
from ppr_assets.operations.status import status as ask

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_EVERY_SECONDS = 60.0


def _address(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[str, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d{1,5})", text)
    if found is None or not int(found[2]) < 65_536:
        raise click.BadParameter(
            f"`{text}`, must be an address of this machine such as 127.0.0.1:9464",
            context,
            parameter,
        )
    return found[1].strip("[]"), int(found[2])


@click.command()
@click.option(
    "--out",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Replace this file whole, as node_exporter's textfile collector wants it (.prom).",
)
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    callback=_address,
    help="Serve them at http://ADDRESS:PORT/metrics until Ctrl-C, on this machine alone.",
)
@offline_option
@json_option("A JSON array of the samples, for programs.")
@pass_invocation
def metrics(
    invocation: Invocation,
    *,
    file: Path | None,
    listen: tuple[str, int] | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Write what `status` knows as Prometheus reads it.

    To stdout, or by --out into a file for node_exporter, which cron can renew; or --listen serves
    it, which asks anew once a minute at most. Whatever cannot be learned has no sample, and
    `ppr_assets_look_errors` counts it. No label has a secret. Changes nothing.

    \b
    Examples:
      ppr-assets metrics
      ppr-assets metrics --out /var/lib/node_exporter/ppr_assets.prom
      ppr-assets metrics --listen 127.0.0.1:9464
    """
    if file and listen:
        raise click.UsageError("--out writes once, --listen serves: give one of them")
    if as_json and (file or listen):
        raise click.UsageError("--out and --listen are for Prometheus, --json is not: give one")
    from prometheus_client import generate_latest, write_to_textfile

    if listen:
        _serve(invocation, *listen, offline=offline)
    elif file:
        _require_folder_of(file)
        write_to_textfile(str(file), _registry(invocation, offline=offline))
    elif as_json:
        print_json([*_samples(_registry(invocation, offline=offline))])
    else:
        text = generate_latest(_registry(invocation, offline=offline)).decode()
        with perhaps_unread():
            click.echo(text, nl=False)


def _require_folder_of(file: Path) -> None:
    if not file.absolute().parent.is_dir():
        raise SettingsError(
            f"there is no folder `{file.parent}`, --out needs one",
            hint="make it, or name the one that node_exporter reads "
            "(`--collector.textfile.directory`).",
        )


def _registry(invocation: Invocation, *, offline: bool) -> CollectorRegistry:
    from ppr_assets.operations.metrics import metrics as registry_of

    settings = invocation.settings
    return registry_of(Look(ask(settings, offline=offline), settings, datetime.now(UTC)))


def _samples(registry: CollectorRegistry) -> Iterator[dict[str, Any]]:
    for family in registry.collect():
        for one in family.samples:
            yield {"metric": one.name, "labels": one.labels, "value": one.value}


def _serve(invocation: Invocation, host: str, port: int, *, offline: bool) -> None:
    from ppr_assets.cli.watching.metrics_server import serve

    invocation.settings.database.require_password()
    try:
        with serve(
            host, port, lambda: _registry(invocation, offline=offline), every=_EVERY_SECONDS
        ) as server:
            err.print(f"serving http://{host}:{server.server_port}/metrics")
            server.serve_forever()
    except OSError as error:
        raise SettingsError(
            f"nothing can listen at {host}:{port}: {error.strerror}",
            hint="choose another port with --listen.",
        ) from error
