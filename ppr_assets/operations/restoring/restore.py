"""Restore a dump: aside, compared, and only then in the place of the database that serves.

Whatever fails before the swap, the target serves as before and the half-made database is dropped,
now or, after a kill, by the next run. The swap renames two databases in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseFailed, RestoreFailed, SettingsError
from ppr_assets.operations.restoring.going_without import Without
from ppr_assets.operations.restoring.guarding import (
    Judged,
    Serving,
    require_countable,
    require_kept,
    serving,
)
from ppr_assets.operations.restoring.load_and_compare import (
    WAY,
    Compared,
    Judgement,
    load_and_compare,
)
from ppr_assets.operations.restoring.loading import Loading, OnStage, silent
from ppr_assets.operations.restoring.new_database import (
    encoding_of,
    new_database,
    set_as_target,
    sweep,
    twin_maker,
)
from ppr_assets.operations.restoring.only_here import kept_in, require_saved
from ppr_assets.operations.restoring.privileges import carried_over
from ppr_assets.operations.restoring.proof_server import ProofServer
from ppr_assets.operations.restoring.rehearsal import require_makeable, require_taker
from ppr_assets.operations.restoring.target import (
    require_creator,
    require_ordinary,
    require_owner,
    require_unused,
)
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.verify import VerifiedDump
from ppr_assets.postgres.compare.schema_content import Twin
from ppr_assets.postgres.databases.fitness import require_encoding
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.databases.names import former_name
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.rules.gate.difference import Accepted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import STANDARD, Guard
from ppr_assets.rules.recorded.manifest import Manifest, TableRecord
from ppr_assets.settings import DatabaseSettings

HINT = (
    "the database serves as before. Take another dump (`ppr-assets list` names them), and keep "
    "this one for whoever looks into it."
)
"""For whoever has a dump that did not become what it says."""

_KEPT = "Without --drop-old the former database keeps it."


@dataclass(frozen=True)
class RestoreOutcome:
    """``database`` now holds the dump, table by table as ``tables`` says, compared.

    ``former`` is what the one that it replaced is called now, None when there was none or it was
    dropped. ``accepted`` are differences that a human has taken. ``seconds`` by stage: verify,
    load, compare, swap (nobody could connect). ``remarks`` are for a human: what was not copied,
    that nobody had proven the dump, how it was loaded.
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
        )

    @property
    def rows(self) -> int:
        return sum(record.rows for record in self.tables.values())


@dataclass(frozen=True)
class Terms:
    """What a human lets a restore do.

    ``guard`` is held against what serves right before the swap. ``disconnect`` ends sessions on the
    target, at the swap only; without it they are a reason to refuse. ``drop_old`` drops the former
    database once the new one serves. ``grants``: privileges of the former database are given again
    before it. ``accept``: differences between objects and their definitions in the dump are taken,
    and recorded.
    """

    guard: Guard = STANDARD
    disconnect: bool = False
    drop_old: bool = False
    grants: bool = False
    accept: Override | None = None


STRICT = Terms()
"""With the settings' defaults: nothing that anybody uses, or may want back, goes."""


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
        without = _require_fit(session, loading, terms)
        loading = loading.without(without.keys)
        with new_database(session, loading.verified) as (new, remarks):
            remarks += [*left_over, *without.remarks]
            loading = replace(loading, remarks=remarks)
            twin = Twin(twin_maker(session, loading.verified, new, until), without.definitions)
            compared = _compared(session, new, loading, twin, terms.accept)
            judged = _made_ready(session, new, loading, terms)
            remarks += accepted_noted(session, new, loading.verified.name, compared.accepted)
            former = session.unused(former_name)
            session.swap(target.dbname, new, former, disconnect=terms.disconnect)
        loading.clock.lap("swap")
        kept = _former(session, former, loading, judged.override, drop=terms.drop_old)
        if kept is not None:
            remarks += kept_in(replace(session.settings, dbname=kept), judged.only_here)
        remarks += _closed(session, until)
    return RestoreOutcome.of(target.dbname, loading, compared, judged, kept)


def _require_way_back(terms: Terms) -> None:
    if terms.drop_old and terms.guard.override:
        raise SettingsError(
            "an override and dropping the former database do not go together: that one alone has "
            "what the dump lacks",
            hint="leave out --drop-old; `ppr-assets cleanup` drops it when you are sure.",
        )


def _require_fit(session: Maintenance, loading: Loading, terms: Terms) -> Without:
    """Raise what stands in the way before anything is made; what to go without."""
    server, rule = ProofServer("target", session), known_gaps(loading.verified, terms.guard)
    target = session.settings.dbname
    require_taker(server, loading.verified.layout, rule)
    require_encoding(session.connection, target, encoding_of(loading.verified))
    require_creator(session)
    require_owner(session)
    if not terms.disconnect:
        require_unused(session, target)
    if terms.drop_old:
        _serving(session, loading, terms.guard, strict=True)
    return require_makeable(server, loading, rule)


def _compared(
    session: Maintenance, new: str, loading: Loading, twin: Twin, accept: Override | None
) -> Compared:
    loading.remarks.extend(set_as_target(session, new, loading.verified))
    return load_and_compare(
        replace(session.settings, dbname=new),
        loading,
        twin=twin,
        judgement=Judgement(HINT, WAY, accept),
        analyze=True,
    )


def _made_ready(session: Maintenance, new: str, loading: Loading, terms: Terms) -> Judged:
    """Hold the new database to what serves, and give it what it takes over from that."""
    target = session.settings
    now = _serving(session, loading, terms.guard, strict=terms.drop_old)
    with connect(replace(target, dbname=new)) as restored:
        judged = require_kept(restored, now, terms.guard)
    loading.remarks.extend(judged.remarks)
    if session.holds_anything(target.dbname):
        aside = replace(target, dbname=new)
        loading.remarks.extend(carried_over(session, aside, wanted=terms.grants))
    loading.deadline.require("putting the new database in place")
    if session.exists(target.dbname):
        session.copy_limit(target.dbname, new)
    return judged


def _former(
    session: Maintenance, name: str, loading: Loading, override: Override | None, *, drop: bool
) -> str | None:
    """What is to be done to the database that was replaced; its name where it is kept. The new one
    serves by now, so what fails here makes no failed restore."""
    note = override_note(loading.verified.name, override) if override else None
    try:
        with server_failures(session.settings.describe(), "looking at the former database"):
            return _left(session, name, note, loading.remarks, drop=drop)
    except (RestoreFailed, DatabaseFailed) as error:
        loading.remarks.append(f"the former database is still there: {error.message}")
        return name


def _closed(session: Maintenance, until: ExitStack) -> list[str]:
    """Drop what was made to compare with; returns in words what is still there. That is no failed
    restore either."""
    try:
        with server_failures(session.settings.describe(), "dropping what was compared with"):
            until.close()
    except (RestoreFailed, DatabaseFailed) as error:
        return [f"a half-made database is still there: {error.message}"]
    return []


def _left(
    session: Maintenance, name: str, note: str | None, remarks: list[str], *, drop: bool
) -> str | None:
    """Say what stays with the database that was replaced, and drop it if that is wanted. It may
    have come while the new one was filled, and was kept like any other then."""
    kept = name if session.exists(name) else None
    if kept and (slots := session.replication_slots(kept)):
        remarks.append(
            f"replication slots stay with the former database ({', '.join(slots)}): who "
            "follows them gets nothing of the new one, and they go when it is dropped"
        )
    if kept and (subscriptions := session.subscriptions(kept)):
        remarks.append(
            f"subscriptions stay with the former database ({', '.join(subscriptions)}), which goes "
            "on following by them and cannot be dropped while it does; the new one follows nothing"
        )
    if note:
        remarks += session.note(kept or session.settings.dbname, note)
    if not (kept and drop):
        return kept
    session.drop(kept)
    return None


def _serving(session: Maintenance, loading: Loading, guard: Guard, *, strict: bool) -> Serving:
    """Count what serves; ``strict``: nothing will be left to go back to, so that what the dump
    leaves out would be gone."""
    target = session.settings
    if not session.holds_anything(target.dbname):
        return Serving()
    now = serving(target, guard, loading.verified.manifest)
    if strict:
        require_countable(now)
        require_saved(
            target, now.only_here, then="Without --drop-old the former database keeps it."
        )
    return now


def known_gaps(verified: VerifiedDump, guard: Guard) -> Sequence[str]:
    """What to go without where it cannot be made: what a rule names, and what the dump was proven
    without."""
    proof = verified.manifest.proof if verified.manifest else None
    return [*guard.without, *(proof.without if proof else ())]


def override_note(dump: str, override: Override) -> str:
    """What the database's comment says from then on."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: `{dump}` was restored in its place although "
        f"records are missing in it, by an override ({override.source}): {override.reason}"
    )


def accepted_noted(session: Maintenance, name: str, dump: str, accepted: Accepted) -> list[str]:
    """Say in the database's comment what was taken; returns what was in the way."""
    if not accepted.differences:
        return []
    return session.note(name, accepted.note(dump, datetime.now(UTC)))
