"""Restore a dump: aside, compared, and only then in the place of the database that serves.

Whatever fails before the swap, the target serves as before and the half-made database is dropped,
now or, after a kill, by the next run. The swap renames two databases in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import Busy, PprError, PreconditionFailed, RestoreFailed
from ppr_assets.operations.filling import Clock, OnStage, fill, silent, verified_dump
from ppr_assets.operations.sources import FoundDump
from ppr_assets.operations.target import require_ordinary
from ppr_assets.operations.verify import VerifiedDump
from ppr_assets.postgres.databases import Maintenance, former_name, maintenance, restoring_name
from ppr_assets.postgres.databases.fitness import (
    collation_for,
    collation_of,
    require_encoding,
    require_server,
)
from ppr_assets.rules.manifest import Manifest, TableRecord
from ppr_assets.settings import DatabaseSettings

TO_BE_MADE = (
    "a role that may has to make it first (CREATE DATABASE … OWNER …), to be filled in place then; "
    "or ALTER ROLE … CREATEDB lets this one restore it."
)
"""What to do where the target is missing, and the role may not make it."""


@dataclass(frozen=True)
class RestoreOutcome:
    """``database`` now holds the dump, table by table as ``tables`` says, compared.

    ``former`` is what the one that it replaced is called now, None when there was none or it was
    dropped. ``seconds`` by stage: verify, load, compare, swap (nobody could connect). ``remarks``
    are for a human: what was not copied, that nobody had proven the dump, how it was loaded.
    """

    dump: str
    origin: str
    manifest: Manifest | None
    database: str
    former: str | None
    tables: dict[str, TableRecord]
    seconds: dict[str, float]
    remarks: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(record.rows for record in self.tables.values())


def restore(
    target: DatabaseSettings,
    found: FoundDump,
    *,
    disconnect: bool = False,
    drop_old: bool = False,
    deadline: Deadline,
    on_stage: OnStage = silent,
) -> RestoreOutcome:
    """Put the dump in the place of ``target``, which need not exist.

    ``disconnect`` ends sessions on the target, at the swap only; without it they are a reason to
    refuse. ``drop_old`` drops the former database once the new one serves. ``on_stage`` is told
    each stage and its seconds as it is done.

    Raises :class:`SettingsError` for a target that is none, and :class:`DumpDamaged`, before the
    server is touched, :class:`PreconditionFailed` for a
    server that cannot hold the dump or a role that may not make databases, :class:`Busy` for live
    sessions and for another restore, :class:`RestoreFailed` when loading fails or the deadline
    passes, and :class:`DumpUnproven` when the restored database is not what the dump says.
    """
    require_ordinary(target.dbname)
    clock = Clock(on_stage)
    verified = verified_dump(found)
    clock.lap("verify")
    with maintenance(target) as session:
        left_over = sweep(session)
        require_server(session.connection, verified.layout)
        require_encoding(session.connection, target.dbname, encoding_of(verified))
        _require_creator(session)
        _require_owner(session)
        if not disconnect:
            _require_unused(session, target.dbname)
        with made_aside(session, verified) as (new, remarks):
            remarks += left_over
            exists = session.exists(target.dbname)
            if exists:  # before the load: how money is written, for one, is a database's setting
                remarks += session.copy_settings(target.dbname, new)
            aside = replace(target, dbname=new)
            tables = fill(aside, found, verified, deadline, clock, remarks, analyze=True)
            deadline.require("putting the new database in place")
            if exists:
                session.copy_limit(target.dbname, new)
            former = session.unused(former_name)
            session.swap(target.dbname, new, former, disconnect=disconnect)
        clock.lap("swap")
        # It may have come while the new one was filled, and was kept like any other then.
        kept = former if session.exists(former) else None
        if kept and (slots := session.replication_slots(kept)):
            remarks.append(
                f"replication slots stay with the former database ({', '.join(slots)}): who "
                "follows them gets nothing of the new one, and they go when it is dropped"
            )
        if kept and drop_old:
            try:
                session.drop(kept)
                kept = None
            except RestoreFailed as error:  # the new one serves: that is no failed restore
                remarks.append(f"the former database is still there: {error.message}")
    return RestoreOutcome(
        dump=verified.name,
        origin=found.origin,
        manifest=verified.manifest,
        database=target.dbname,
        former=kept,
        tables=tables,
        seconds=clock.laps,
        remarks=remarks,
    )


@contextmanager
def made_aside(session: Maintenance, verified: VerifiedDump) -> Iterator[tuple[str, list[str]]]:
    """An empty database beside the target, as the target is or as the dump needs it; dropped if
    it is still there in the end."""
    target = session.settings.dbname
    name = session.unused(restoring_name)
    remarks: list[str] = []
    wanted = verified.manifest.database.collation if verified.manifest else ""
    try:
        if session.exists(target):
            session.create(name, like=target)
        else:
            encoding = encoding_of(verified)
            collation = collation_for(session.connection, encoding, wanted)
            session.create(name, encoding=encoding, collation=collation)
            if collation is not None and not wanted:
                remarks.append(
                    f"texts are sorted by the collation {collation} here: the server's own is not "
                    f"for texts in {encoding}"
                )
        have = collation_of(session.connection, name)
        if wanted and have != wanted:
            remarks.append(
                f"texts are sorted by the collation {have} here, by {wanted} where the dump is from"
            )
        yield name, remarks
    except PprError as error:
        try:
            session.drop(name)
        except RestoreFailed as left:  # what went wrong before it says more
            error.hint += f" A half-made database is still there: {left.message}."
        raise
    except BaseException:
        session.drop(name)
        raise
    session.drop(name)


def encoding_of(verified: VerifiedDump) -> str:
    """Of the database that was dumped; a dump without a manifest names that of its own text."""
    described = verified.manifest.database.encoding if verified.manifest else ""
    return described or verified.layout.encoding


def sweep(session: Maintenance) -> list[str]:
    """Drop what killed restores of the same target have left half made.

    Returns what could not be dropped, in words: it may belong to another role, and is in nobody's
    way.
    """
    remarks = []
    for left in session.leftovers(session.settings.dbname):
        if left.kind == "restoring":
            try:
                session.drop(left.name)
            except RestoreFailed as error:
                remarks.append(f"a half-made database is still there: {error.message}")
    return remarks


def _require_creator(session: Maintenance) -> None:
    if not session.is_beside():
        raise PreconditionFailed(
            f"role {session.settings.user} may enter neither database postgres nor template1, and "
            "one of them is needed to put another in place",
            hint="GRANT CONNECT ON DATABASE postgres lets the restore happen aside; --in-place "
            "replaces the tables in one transaction instead, during which nobody can read them.",
        )
    if not session.may_create():
        raise PreconditionFailed(
            f"role {session.settings.user} may not create databases",
            hint="ALTER ROLE … CREATEDB lets the restore happen aside; --in-place replaces the "
            "tables in one transaction instead, during which nobody can read them."
            if session.exists(session.settings.dbname)
            else TO_BE_MADE,
        )


def _require_owner(session: Maintenance) -> None:
    """Only the owner may rename a database, and what is made like it belongs to that role too."""
    name, role = session.settings.dbname, session.settings.user
    if owner := session.foreign_owner(name):
        raise PreconditionFailed(
            f"database {name} belongs to role {owner}, role {role} cannot replace it",
            hint=f"restore as {owner}, or GRANT {owner} TO {role}; nothing was changed.",
        )


def _require_unused(session: Maintenance, name: str) -> None:
    live: Sequence[object] = session.sessions(name)
    if live:
        raise Busy(
            f"busy: database {name} is in use: {'; '.join(map(str, live[:5]))}"
            + (f" and {len(live) - 5} more" if len(live) > 5 else ""),
            hint="end them, or have them ended at the swap with --disconnect; nothing was changed.",
        )
