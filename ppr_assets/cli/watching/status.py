"""``ppr-assets status``: database, counts, mark and headroom, last dump, pushed or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from ppr_assets.alerts.state import State
from ppr_assets.cli.shared.console import out, progress, size
from ppr_assets.cli.shared.context import Invocation, pass_invocation
from ppr_assets.cli.shared.json_document import json_option, print_json
from ppr_assets.cli.shared.looked_at import lost_marks, offline_option
from ppr_assets.data_repo.history.kept_dumps import SetAside
from ppr_assets.operations.copying.seen import NewestCopy
from ppr_assets.operations.published.state import Published
from ppr_assets.operations.status import Status
from ppr_assets.operations.status import status as ask
from ppr_assets.rules.mark import RESET
from ppr_assets.rules.recorded.trust import Trust
from ppr_assets.rules.wording import few

_SHOWN = 5


@click.command()
@offline_option
@json_option()
@pass_invocation
def status(invocation: Invocation, offline: bool, as_json: bool) -> None:
    """Show where things stand: the database, the gate, the last dump, the remote.

    The dump and the mark are those of `head`: the remote's newest commit, or the clone's where
    that is ahead. Changes nothing. What cannot be learned is reported on stderr after everything
    else was shown, and gives the exit code. `headroom` is how many records a table may lose before
    the gate refuses.

    \b
    Examples:
      ppr-assets status
      ppr-assets status --json | jq .headroom.organization
    """
    with progress("asking the database and the data repository"):
        found = ask(invocation.settings, offline=offline)
    if as_json:
        print_json(found.to_json())
    else:
        for name, text in _facts(found).items():
            out.print(f"{name:<14} {text}", markup=False)
    for error in found.errors[1:]:
        click.echo(error.render(), err=True)
    if found.errors:
        raise found.errors[0]


def _facts(found: Status) -> dict[str, str]:
    facts = {"database": found.database if found.counts else f"{found.database}, not usable now"}
    if found.counts is not None:
        facts["records"] = f"{sum(found.counts.values())} in {len(found.counts)} tables"
        facts["organizations"] = str(found.counts.get("organization", 0))
    if found.verdict is not None:
        facts["gate"] = {"accepted": "would accept", "refused": "would refuse"}.get(
            found.verdict.status, found.verdict.status
        )
        headroom = (f"{table} {records:+}" for table, records in found.verdict.headroom.items())
        facts["headroom"] = ", ".join(headroom)
    if found.repository is not None:
        facts |= _repository_facts(found.repository)
        words = {True: "yes", False: "no", None: "there is no remote, or it did not answer"}
        facts["pushed"] = words[found.pushed]
        for number, remark in enumerate(found.repository.view.remarks):
            facts["remark" + " " * number] = remark
    if found.copies:
        facts["copies"] = f"\n{'':<15}".join(map(_copy, found.copies))
    if found.alerts is not None:
        facts["alerts"] = _alerts(found.alerts)
    return facts


def _copy(newest: NewestCopy) -> str:
    """As the last run that got there has found it."""
    if newest.dump is None or newest.read_at is None:
        return f"{newest.place}: none yet"
    return f"{newest.place}: {newest.dump}, read back {newest.read_at:%Y-%m-%d %H:%M} UTC"


def _alerts(state: State) -> str:
    """What is open, and the channels that are dead; `ppr-assets alert list` says more."""
    told = [f"{key}, since {one.since:%Y-%m-%d}" for key, one in state.known.incidents.items()]
    told = told or ["nothing is open"]
    for name, channel in state.channels.items():
        if channel.error:
            unsent = f", {len(channel.unsent)} unsent" if channel.unsent else ""
            told.append(f"{name} is dead{unsent}: {channel.error.splitlines()[0]}")
    return f"\n{'':<15}".join(told)


def _repository_facts(repository: Published) -> dict[str, str]:
    manifest = repository.manifest
    facts = {
        "mark": _mark(repository),
        "latest": repository.latest or "none yet",
    }
    if manifest is not None:
        if manifest.lacking:
            facts["withheld"] = few(manifest.lacking, _SHOWN)
        facts["dumped"] = f"{manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC, {size(manifest.bytes)}"
    if repository.latest is not None and (remarks := Trust.of(manifest).remarks()):
        facts["but"] = ", ".join(remarks)
    view = repository.view
    facts |= {"head": view.commit or "no commit yet", "looked at": view.describe(datetime.now(UTC))}
    if view.local not in (None, view.commit):
        facts["clone"] = f"behind, at {view.local}: the next run follows"
    if (other := repository.other_files) is not None:
        facts["work tree"] = f"{other.message}: `{other.command}` brings it back"
    if repository.set_aside:
        facts["set aside"] = f"\n{'':<15}".join(_set_aside(repository.set_aside))
    return facts


def _set_aside(some: Sequence[SetAside]) -> Iterator[str]:
    for one in some[:_SHOWN]:
        when = f" on {one.moment[:10]}" if one.moment else ""
        yield f"{', '.join(one.dumps) or 'dumps'}{when}, kept as {one.ref}: {one.reason}"
    if len(some) > _SHOWN:
        yield f"and {len(some) - _SHOWN} more"
    yield "`git update-ref -d REF` in the clone lets go of one"


def _mark(repository: Published) -> str:
    if repository.mark_error is not None:
        return "not known, see below"
    if repository.mark is None:
        return "none yet"
    lost = f", and its file has lost some: {lost_marks(repository.lost)}" if repository.lost else ""
    by = repository.mark.updated_by
    reset = f", by {by}" if RESET in by else ""
    return f"{repository.mark.organization}{reset}{lost}"
