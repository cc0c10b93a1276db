"""Restore a dump: aside, compared, and only then in the place of the database that serves.

Whatever fails before the swap, the target serves as before and the half-made database is dropped,
now or, after a kill, by the next run. The swap renames two databases in one transaction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseFailed, RestoreFailed, SettingsError
from ppr_assets.operations.restoring.load_and_compare import (
    WAY,
    Compared,
    OnDifferences,
    load_and_compare,
)
from ppr_assets.operations.restoring.loading import Loading, OnStage, silent
from ppr_assets.operations.restoring.new_database import (
    new_database,
    set_as_target,
    sweep,
    twin_maker,
)
from ppr_assets.operations.restoring.rehearsal import Without
from ppr_assets.operations.restoring.replacing import STRICT, Terms, put_in_place, require_fit
from ppr_assets.operations.restoring.serving.guarding import A_RESTORE, Judged, restored
from ppr_assets.operations.restoring.serving.ordinary import require_ordinary
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import stored_bytes
from ppr_assets.postgres.compare.schema_content import Twin
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.rules.gate.difference import Accepted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import DEPENDENTS
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.settings import DatabaseSettings

HINT = (
    "the database serves as before. Take another dump (`ppr-assets list` names them), and keep "
    "this one for whoever looks into it."
)
"""For whoever has a dump that did not become what it says."""


class RestoreOutcome(Struct, frozen=True):
    """``database`` now holds the dump, table by table as ``tables`` says, compared.

    ``bytes`` are those of the dump as it is stored. ``former`` is what the one that it replaced is
    called now, None when there was none or it was dropped. ``accepted`` are differences that a
    human has taken. ``seconds`` by stage: verify, load, compare, swap (nobody could connect).
    ``remarks`` are for a human: what was not copied, that nobody had proven the dump, how it was
    loaded.
    """

    dump: str
    origin: str
    manifest: Manifest | None
    database: str
    former: str | None
    tables: dict[str, TableRecord]
    seconds: dict[str, float]
    remarks: list[str] = field(default_factory=list)
    uncompared: Mapping[str, int] = field(default_factory=dict)
    override: Override | None = None
    accepted: Accepted = field(default_factory=Accepted)
    commit: str | None = None
    bytes: int = 0

    @classmethod
    def of(
        cls, database: str, loading: Loading, compared: Compared, judged: Judged, former: str | None
    ) -> RestoreOutcome:
        return cls(
            dump=loading.verified.name,
            origin=loading.found.origin,
            manifest=loading.verified.manifest,
            database=database,
            former=former,
            tables=compared.tables,
            seconds=loading.clock.laps,
            remarks=loading.remarks,
            uncompared=compared.uncompared,
            override=judged.override,
            accepted=compared.accepted,
            commit=loading.found.commit,
            bytes=stored_bytes(loading.found.path),
        )

    @property
    def rows(self) -> int:
        return sum(record.rows for record in self.tables.values())


def restore(
    target: DatabaseSettings,
    found: FoundDump,
    terms: Terms = STRICT,
    *,
    deadline: Deadline,
    on_stage: OnStage = silent,
) -> RestoreOutcome:
    """Put the dump in the place of ``target``, which need not exist. ``on_stage`` gets each stage
    and its seconds when it is done.

    Raises :class:`SettingsError` for a target that is none, and :class:`DumpDamaged`, before the
    server is touched, :class:`GateRefused` when too few records came back,
    :class:`PreconditionFailed` for a server that cannot hold the dump or a role that may not make
    databases, :class:`Busy` for live sessions and for another restore, :class:`RestoreFailed` when
    loading fails or the deadline passes, and :class:`DumpUnproven` when the restored database is
    not what the dump says.
    """
    require_ordinary(target.dbname)
    _require_way_back(terms)
    loading = Loading.begin(found, deadline, on_stage)
    with maintenance(target) as session, ExitStack() as until:
        left_over = sweep(session)
        without = require_fit(session, loading, terms)
        loading = loading.shortened(without.shortened).without(without.keys)
        with new_database(session, loading.verified) as (new, remarks):
            remarks += [*left_over, *without.remarks]
            loading = replace(loading, remarks=remarks)
            twin = Twin(twin_maker(session, loading.verified, new, until), without.definitions)
            compared = _compared(session, new, loading, twin, terms.accept)
            remarks += accepted_noted(session, new, loading.verified.name, compared.accepted)
            if DEPENDENTS in terms.guard.without:
                remarks += _gaps_noted(session, new, loading.verified.name, without)
            coming = replace(A_RESTORE, done=restored(loading.verified.name))
            judged, former = put_in_place(session, new, loading, terms, coming)
        remarks += _closed(session, until)
    return RestoreOutcome.of(target.dbname, loading, compared, judged, former)


def _require_way_back(terms: Terms) -> None:
    if terms.drop_old and terms.guard.override:
        raise SettingsError(
            "an override and dropping the former database do not go together: that one alone has "
            "what the dump lacks",
            hint="leave out --drop-old; `ppr-assets cleanup` drops it when you are sure.",
        )


def _compared(
    session: Maintenance, new: str, loading: Loading, twin: Twin, accept: Override | None
) -> Compared:
    loading.remarks.extend(set_as_target(session, new, loading.verified))
    return load_and_compare(
        dataclasses.replace(session.settings, dbname=new),
        loading,
        twin=twin,
        judgement=OnDifferences(HINT, WAY, accept),
        analyze=True,
    )


def _closed(session: Maintenance, until: ExitStack) -> list[str]:
    """Drop what was made to compare with; returns in words what is still there. That is no failed
    restore either."""
    try:
        with server_failures(session.settings.describe(), "dropping what was compared with"):
            until.close()
    except (RestoreFailed, DatabaseFailed) as error:
        return [f"a half-made database is still there: {error.message}"]
    return []


def _gaps_noted(session: Maintenance, name: str, dump: str, without: Without) -> list[str]:
    """Say in the database's comment what it lacks, where whoever finds it would miss it."""
    if not without.named:
        return []
    return session.note(name, f"`{dump}` was restored without {', '.join(without.named)}")


def accepted_noted(session: Maintenance, name: str, dump: str, accepted: Accepted) -> list[str]:
    """Say in the database's comment what was taken; returns what was in the way."""
    if not accepted.differences:
        return []
    return session.note(name, accepted.note(dump))
