"""Every file read, each with its outcome, and what all of them tell brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from ppr_assets.errors import DumpDamaged, FilesUnaccounted
from ppr_assets.operations.replaying.accounts import Accounts, Line
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.merged import Merged, Merging
from ppr_assets.operations.replaying.read_files import Spool, read_files

OnLine = Callable[[Line], None]


def unseen(_: Line) -> None:
    """For whoever needs no line for each file."""


@contextmanager
def gathered(
    given: Input, *, strict: bool = False, on_line: OnLine = unseen
) -> Iterator[tuple[Accounts, Merged]]:
    """What became of the files, and what they tell. Raises :class:`DumpDamaged` for a rejected file
    where ``strict``, and :class:`FilesUnaccounted` when a file has no outcome."""
    accounts = Accounts(len(given.files))
    with TemporaryFile(prefix="ppr_assets_replay_") as file:  # which has no name on the disk
        merging = Merging(Spool(file))
        for read, organizations in read_files(given.files, given.blob, given.processes):
            line = accounts.add(read)
            on_line(line)
            if strict and line.outcome == "rejected":
                raise DumpDamaged(
                    f"{line.file} cannot be used: {line.reason} at {line.json_path or '$'}",
                    hint="nothing was loaded. Without --strict such files are counted and named.",
                )
            for named, organization in zip(read.named, organizations, strict=True):
                merging.add(named, organization, line.file)
        if not accounts.accounted:
            raise FilesUnaccounted(
                f"{accounts.counted.total()} of {accounts.files} files are accounted for",
                hint="nothing was loaded. Do files come and go there meanwhile?",
            )
        yield accounts, merging.merged()
