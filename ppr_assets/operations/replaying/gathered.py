"""Every file read, each with its outcome, and what all of them tell brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryFile

from msgspec import Struct, field

from ppr_assets.errors import DumpDamaged, FilesUnaccounted
from ppr_assets.operations.replaying.accounts import Accounts, FileLine
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.merged import MergedRecords, Merging
from ppr_assets.operations.replaying.read_files import Spool, read_files


class ReplayOutcome(Struct, frozen=True):
    """``changed``: rows by table that were inserted or brought up to date; empty where nothing was
    loaded. ``no_place`` and ``filled``: what the database's tables had no place for, and which
    columns took a value that nobody told, by name and how often. ``merged``: how many tellings of
    organizations and of locations were counted to another one's. ``origin``: where the
    files are from."""

    accounts: Accounts
    merged: tuple[int, int]
    changed: Mapping[str, int] = field(default_factory=dict)
    no_place: Mapping[str, int] = field(default_factory=dict)
    filled: Mapping[str, int] = field(default_factory=dict)
    origin: str = ""


OnLine = Callable[[FileLine], None]


def unseen(_: FileLine) -> None:
    """For whoever needs no line for each file."""


@contextmanager
def gathered(
    given: Input, *, strict: bool = False, on_line: OnLine = unseen
) -> Iterator[tuple[Accounts, MergedRecords]]:
    """What became of the files, and what they tell. Raises :class:`DumpDamaged` for a rejected file
    where ``strict``, and :class:`FilesUnaccounted` when a file has no outcome."""
    accounts = Accounts(len(given.files))
    with TemporaryFile(prefix="ppr_assets_replay_") as file:  # which has no name on the disk
        merging = Merging(Spool(file))
        for published, read in read_files(given.files, given.blob, given.processes):
            line = accounts.add(published, read)
            on_line(line)
            if strict and line.outcome == "rejected":
                raise DumpDamaged(
                    f"{line.file} cannot be used: {line.reason} at {line.json_path or '$'}",
                    hint="nothing was loaded. Without --strict such files are counted and named.",
                )
            merging.add(read, line.file)
        if not accounts.accounted:
            raise FilesUnaccounted(
                f"{accounts.counted.total()} of {accounts.files} files are accounted for",
                hint="nothing was loaded. Do files come and go there meanwhile?",
            )
        yield accounts, merging.merged()


def preview(given: Input, *, strict: bool = False, on_line: OnLine = unseen) -> ReplayOutcome:
    """The same without a server: what is given is read and decided, and goes nowhere."""
    with gathered(given, strict=strict, on_line=on_line) as (accounts, merged):
        return ReplayOutcome(accounts, counts(merged), origin=given.origin)


def counts(merged: MergedRecords) -> tuple[int, int]:
    decided = merged.everything
    return len(decided.organizations.decisions), len(decided.locations.decisions)
