"""A finished run in a few lines, in the order in which things were done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppr_assets.cli.dagster.run import FinishedRun
from ppr_assets.cli.shared.console import size

Facts = Mapping[str, Any]
_VERDICTS = {
    "accepted": "the gate accepted them",
    "refused": "the gate refused them",
    "overridden": "the gate would refuse them, and is overridden",
}


def report(run: FinishedRun) -> Iterator[str]:
    """One line for each asset that the run made, and the run's id."""
    for asset, line in (
        ("record_count", _counted),
        ("sql_dump", _dumped),
        ("data_repo_commit", _published),
    ):
        if facts := run.assets.get(asset):
            yield from line(facts).splitlines()
    yield f"run        {run.run_id}"


def _counted(facts: Facts) -> str:
    records = sum(rows for name, rows in facts.items() if name.startswith("rows/"))
    return (
        f"counted    {facts['dagster/row_count']} organizations, {records} records; "
        f"{_VERDICTS[facts['verdict']]}{_overridden(facts)}"
    )


def _overridden(facts: Facts) -> str:
    """The human's reason, on the terminal as in the commit."""
    return f": {facts['override']}" if "override" in facts else ""


def _dumped(facts: Facts) -> str:
    if facts["status"] == "unchanged":
        return f"unchanged  since {facts['dump']}: that dump still stands, no commit is made"
    return (
        f"dumped     {facts['dump']}, {size(facts['bytes'])}, "
        f"sha256 {facts['sha256'][:12]}…, in {facts['seconds']:.1f} s\n"
        f"proven     {_proof(facts['proof'])}"
        + (f"\nremark     {facts['without_rows']}" if "without_rows" in facts else "")
    )


def _proof(proof: str) -> str:
    return "no: SQL_DUMP_PROOF is off" if proof == "off" else f"restored and equal ({proof})"


def _published(facts: Facts) -> str:
    word = "published" if facts["status"] == "published" else "stands in"
    if not facts["pushed"] and facts["status"] == "published":
        word = "committed"
    commit = facts["commit"].rsplit("/", 1)[-1][:10]
    sent = f" ({size(facts['push_bytes'])})" if facts.get("push_bytes") else ""
    where = "which the remote has" if facts["pushed"] else "kept in the clone, not pushed"
    return f"{word:<10} commit {commit}, {where}{sent}{_retired(facts)}{_set_aside(facts)}"


def _retired(facts: Facts) -> str:
    """What the keep rules took out of the folder, on a line of its own."""
    count = facts.get("dumps_retired")
    if not count:
        return ""
    noun = "dump" if count == 1 else "dumps"
    return f"\nretired    {count} {noun} into the history, {facts['dumps_kept']} stay"


def _set_aside(facts: Facts) -> str:
    """What had waited in the clone and could not go along."""
    return f"\nset aside  {facts['set_aside']}" if facts.get("set_aside") else ""
