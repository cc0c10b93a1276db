"""A new database, filled from wherever, in the place of the target: fit to be made, held to what
serves, given what it takes over from that, and swapped in by a rename.

Whatever fails before the swap, the target serves as before. The swap renames two databases in one
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import Struct

from ppr_assets.errors import Busy, DatabaseFailed, PreconditionFailed, RestoreFailed
from ppr_assets.operations.restoring.loading import Loading
from ppr_assets.operations.restoring.new_database import encoding_of
from ppr_assets.operations.restoring.proof_server import ProofServer
from ppr_assets.operations.restoring.rehearsal import Without, require_makeable, require_taker
from ppr_assets.operations.restoring.serving.guarding import (
    A_RESTORE,
    Coming,
    Judged,
    Serving,
    require_countable,
    require_kept,
    serving,
)
from ppr_assets.operations.restoring.serving.only_here import kept_in, require_saved
from ppr_assets.operations.restoring.serving.privileges import carried_over
from ppr_assets.operations.restoring.serving.target import (
    require_creator,
    require_owner,
    require_unused,
)
from ppr_assets.plain_sql.verify import VerifiedDump
from ppr_assets.postgres.databases.fitness import require_encoding
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.databases.names import former_name
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.snapshot.records import table_with_records
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import STANDARD, Guard
from ppr_assets.settings import DatabaseSettings

_KEPT = "Without --drop-old the former database keeps it."


class Terms(Struct, frozen=True):
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


def require_fit(
    session: Maintenance, loading: Loading, terms: Terms, coming: Coming = A_RESTORE
) -> Without:
    """Raise what stands in the way before anything is made; what to go without."""
    server, rule = ProofServer("target", session), known_gaps(loading.verified, terms.guard)
    target = session.settings.dbname
    require_taker(server, loading.verified.layout, rule)
    require_encoding(session.connection, target, encoding_of(loading.verified))
    require_creator(session, instead=coming.instead)
    require_owner(session)
    if not terms.disconnect:
        require_unused(session, target)
    if terms.drop_old:
        _serving(session, loading, terms.guard, strict=True)
    return require_makeable(server, loading, rule)


def put_in_place(
    session: Maintenance, new: str, loading: Loading, terms: Terms, coming: Coming
) -> tuple[Judged, str | None]:
    """Hold the database ``new`` to what serves, and swap it in; what was judged, and what the
    former database is called now, None where there is none any more.

    Raises :class:`GateRefused` when too few records would be left, and :class:`Busy` for sessions
    on the target. What fails after the swap is a remark.
    """
    target = session.settings
    judged = _made_ready(session, new, loading, terms, coming)
    former, replaced = session.unused(former_name), session.exists(target.dbname)
    session.swap(target.dbname, new, former, disconnect=terms.disconnect)
    loading.clock.lap("swap")
    told = judged.override or (replaced and terms.guard.by)
    note = replaced_note(coming.done, terms.guard.by, judged.override) if told else None
    kept = _former(session, former, loading, note, drop=terms.drop_old)
    if kept is not None:
        loading.remarks.extend(kept_in(replace(target, dbname=kept), judged.only_here))
    return judged, kept


def _made_ready(
    session: Maintenance, new: str, loading: Loading, terms: Terms, coming: Coming
) -> Judged:
    """Hold the new database to what serves, and give it what it takes over from that."""
    target = session.settings
    now = _serving(session, loading, terms.guard, strict=terms.drop_old)
    with connect(replace(target, dbname=new)) as restored:
        judged = require_kept(restored, now, terms.guard, coming=coming)
    loading.remarks.extend(judged.remarks)
    if session.holds_anything(target.dbname):
        aside = replace(target, dbname=new)
        loading.remarks.extend(carried_over(session, aside, wanted=terms.grants))
    loading.deadline.require("putting the new database in place")
    if session.exists(target.dbname):
        session.copy_limit(target.dbname, new)
    return judged


def _former(
    session: Maintenance, name: str, loading: Loading, note: str | None, *, drop: bool
) -> str | None:
    """What is to be done to the database that was replaced; its name where it is kept. The new one
    serves by now, so what fails here makes no failed restore."""
    try:
        with server_failures(session.settings.describe(), "looking at the former database"):
            return _left(session, name, note, loading.remarks, drop=drop)
    except (RestoreFailed, DatabaseFailed) as error:
        loading.remarks.append(f"the former database is still there: {error.message}")
        return name


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


def dropped_if_empty(target: DatabaseSettings, former: str) -> str | None:
    """Drop the database that was replaced if nothing is in it; else why it is still there.

    Looked at again, and at every table: somebody may have written between the first look and the
    swap. The new database serves by now, so what is in the way here is not a failure.
    """
    try:
        found = table_with_records(replace(target, dbname=former))
        if found is not None:
            return f"table {found} has rows"
        with maintenance(target) as session:
            session.drop_unused(former)
    except (PreconditionFailed, Busy) as error:
        return error.message
    return None


def _serving(session: Maintenance, loading: Loading, guard: Guard, *, strict: bool) -> Serving:
    """Count what serves; ``strict``: nothing will be left to go back to, so that what the dump
    leaves out would be gone."""
    target = session.settings
    if not (guard.held and session.holds_anything(target.dbname)):
        return Serving()
    now = serving(target, guard, loading.verified.manifest)
    if strict:
        require_countable(now)
        require_saved(target, now.only_here, then=_KEPT)
    return now


def known_gaps(verified: VerifiedDump, guard: Guard) -> Sequence[str]:
    """What to go without where it cannot be made: what a rule names, and what the dump was proven
    without."""
    proof = verified.manifest.proof if verified.manifest else None
    return [*guard.without, *(proof.without if proof else ())]


def replaced_note(done: str, by: str, override: Override | None = None) -> str:
    """What the database's comment says from then on."""
    why = (
        f"although records are missing in it, by an override ({override.whence}): {override.reason}"
        if override
        else f"by {by}"
    )
    return f"{done} in its place {why}"
