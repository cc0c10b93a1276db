"""Restore a dump: aside, compared, and only then in the place of the database that serves.

Whatever fails before the swap, the target serves as before and the half-made database is dropped,
now or, after a kill, by the next run. The swap renames two databases in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import RestoreFailed
from ppr_assets.operations.filling import Clock, OnStage, fill, silent, verified_dump
from ppr_assets.operations.made_aside import encoding_of, made_aside, sweep
from ppr_assets.operations.sources import FoundDump
from ppr_assets.operations.target import (
    require_creator,
    require_ordinary,
    require_owner,
    require_unused,
)
from ppr_assets.postgres.databases import former_name, maintenance
from ppr_assets.postgres.databases.fitness import require_encoding, require_server
from ppr_assets.rules.manifest import Manifest, TableRecord
from ppr_assets.settings import DatabaseSettings


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
        require_creator(session)
        require_owner(session)
        if not disconnect:
            require_unused(session, target.dbname)
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
