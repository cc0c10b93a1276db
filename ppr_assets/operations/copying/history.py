"""What copies tell of the commits that a data repository had, and what of it one lacks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from sys import maxsize

from msgspec.structs import replace

from ppr_assets.copies.contents import Contents
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.message import dump_message
from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.gate.ratchet import mark_told
from ppr_assets.rules.mark import render_mark
from ppr_assets.rules.naming import RATCHET, dump_moment
from ppr_assets.rules.recorded.commit import CommitRecord


def copied_history(there: Contents) -> tuple[list[CommitRecord], list[DumpDamaged]]:
    """The commits of the dumps that lie there, and the decisions between them, in their order; and
    the records that cannot be read. In their place a dump's manifest tells nearly the same of it,
    with nobody's name as its author; nothing does of a decision.
    """
    found: dict[str, CommitRecord] = {}
    damaged: list[DumpDamaged] = []
    for name in there.records:
        try:
            record = there.record(name)
        except DumpDamaged as error:
            damaged.append(DumpDamaged(f"`{name}` at `{there.place.shown}`: {error.message}"))
            continue
        if record.dump is None or record.dump in there.dumps:
            found[record.dump or name] = record
    for before, dump in zip([None, *there.dumps], there.dumps, strict=False):
        if dump not in found and (told := _by_manifest(there, dump)):
            last = found.get(before or "")
            if last is not None and last.date >= told.date:
                told = replace(told, date=last.date, number=last.number)
            found[dump] = told
    return sorted(found.values(), key=_place), damaged


def missing_from(
    repo: DataRepo, commit: str | None, history: Sequence[CommitRecord]
) -> list[CommitRecord]:
    """What came after the newest dump that the folder has at ``commit``; all of it without one."""
    newest = dump_folder(repo, commit).newest
    if newest is None:
        return [*history]
    since = next((_place(one) for one in history if one.dump == newest), None)
    if since is None:
        moment = dump_moment(newest)
        assert moment is not None  # the name is a dump's
        since = moment, maxsize
    return [
        one
        for one in history
        if (one.dump > newest if one.dump is not None else _place(one) > since)
    ]


def _place(record: CommitRecord) -> tuple[datetime, int]:
    """In the order of the commits, also of those of one second."""
    return record.date, record.number


def _by_manifest(there: Contents, dump: str) -> CommitRecord | None:
    try:
        manifest = there.manifest(dump)
    except DumpDamaged:
        return None
    mark = mark_told(manifest.verdict, manifest.counts)
    return CommitRecord(
        commit="",
        date=manifest.snapshot_at,
        author="",
        message=dump_message(manifest, mark.organization),
        number=0,
        files={RATCHET: render_mark(mark).encode()},
        dump=dump,
    )
