"""Restore into the database itself, for a role that may not make another one.

One transaction: all or nothing. What that costs: from its first statement to its last nobody can
read the tables, everything is loaded in one session, and there is no former database to go back
to. Before the commit rows and sequences are compared, objects by name and whether they are valid;
those that only the target has stay.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseFailed, PreconditionFailed, RestoreFailed
from ppr_assets.operations.restoring.load_and_compare import (
    WAY,
    Compared,
    OnDifferences,
    computed_remarks,
)
from ppr_assets.operations.restoring.loading import Loading, OnStage, remarks_of, silent
from ppr_assets.operations.restoring.new_database import encoding_of, set_otherwise
from ppr_assets.operations.restoring.proof_server import ProofServer
from ppr_assets.operations.restoring.rehearsal import (
    Without,
    require_makeable_in_place,
    require_taker,
)
from ppr_assets.operations.restoring.replacing import STRICT, Terms, known_gaps, replaced_note
from ppr_assets.operations.restoring.restore import RestoreOutcome, accepted_noted
from ppr_assets.operations.restoring.serving.guarding import (
    Judged,
    Serving,
    names_read,
    require_akin,
    require_countable,
    require_kept,
    restored,
    serving_in,
)
from ppr_assets.operations.restoring.serving.only_here import require_saved
from ppr_assets.operations.restoring.serving.ordinary import require_ordinary
from ppr_assets.operations.restoring.serving.privileges import again_in_place
from ppr_assets.operations.restoring.serving.target import TO_BE_MADE
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.postgres.compare.content import (
    inserted_differences,
    not_compared,
    rows_beside,
    table_differences,
)
from ppr_assets.postgres.compare.presence import acted, presence_differences
from ppr_assets.postgres.compare.value_content import value_differences
from ppr_assets.postgres.databases.fitness import require_encoding
from ppr_assets.postgres.databases.grants import read_grants
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.load import load_in_transaction
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.statistics import analyze
from ppr_assets.postgres.sessions.connection import connect, require_named
from ppr_assets.postgres.sessions.session import Connection, LoadingSession
from ppr_assets.rules.gate.difference import Difference
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.settings import DatabaseSettings

HINT = (
    "the transaction was rolled back, the database serves as before. Take another dump "
    "(`ppr-assets list` names them), and keep this one for whoever looks into it."
)
"""For whoever has a dump that did not become what it says."""

_SAVED = 'Then, or to go without it: --override "why".'

COST = (
    "in place: nobody could read the tables meanwhile, there is no former database to go back to, "
    "and how objects are defined was not compared, only that they are there by name, and valid"
)


def restore_in_place(
    target: DatabaseSettings,
    found: FoundDump,
    terms: Terms = STRICT,
    *,
    deadline: Deadline,
    on_stage: OnStage = silent,
) -> RestoreOutcome:
    """Replace what ``target`` holds by the dump, in one transaction.

    Raises what :func:`~ppr_assets.operations.restoring.restore.restore` raises; sessions that hold
    locks on the tables are waited for, up to the deadline. As there is nothing to go back to, no
    table that has records may come back without any, and what serves has to be countable.
    """
    require_ordinary(target.dbname)
    loading = Loading.begin(found, deadline, on_stage)
    loading.remarks.extend([*remarks_of(loading.verified.manifest), COST])
    with maintenance(target) as session:
        _require_there(session)
        ground = _require_fit(session, loading, terms.guard)
        loading = loading.without(ground.without.keys)
        with connect(session.settings) as connection:
            require_named(session.settings, connection)
            compared, judged = _replaced(connection, loading, ground, terms)
        loading.remarks.extend(_analyzed(session.settings))
        name = loading.verified.name
        if judged.override or terms.guard.by:
            note = replaced_note(restored(name), terms.guard.by, judged.override)
            loading.remarks.extend(session.note(target.dbname, note))
        loading.remarks.extend(accepted_noted(session, target.dbname, name, compared.accepted))
    return RestoreOutcome.of(target.dbname, loading, compared, judged, former=None)


class _Ground(Struct, frozen=True):
    """What is there before: what serves, what of it is foreign to the dump, in words, and what of
    the dump cannot be made over it."""

    serving: Serving
    foreign: Sequence[str]
    without: Without


def _require_fit(session: Maintenance, loading: Loading, guard: Guard) -> _Ground:
    """Raise what stands in the way before anything is changed.

    In a session of its own: libraries such as PostGIS's remember what is dropped after they were
    called.
    """
    layout = loading.verified.layout
    server, rule = ProofServer("target", session), known_gaps(loading.verified, guard)
    require_taker(server, layout, rule)
    require_encoding(session.connection, session.settings.dbname, encoding_of(loading.verified))
    with connect(session.settings) as looking:
        require_named(session.settings, looking)
        manifest = loading.verified.manifest
        now = serving_in(looking, guard.policy, manifest, beside=layout.made_tables)
        if guard.override is None:
            require_countable(now)
        made = names_read(looking, layout.made_tables, layout.encoding)
        foreign = require_akin(now, made, guard)
        if guard.override is None:
            require_saved(session.settings, now.only_here, then=_SAVED)
        without = require_makeable_in_place(server, looking, loading.plain(), layout, rule)
        return _Ground(now, foreign, without)


def _replaced(
    connection: Connection, loading: Loading, ground: _Ground, terms: Terms
) -> tuple[Compared, Judged]:
    """Load in the open transaction, hold what it has made to the dump and to what serves, and give
    privileges again."""
    verified, remarks = loading.verified, loading.remarks
    before = read_grants(connection)
    load_in_transaction(connection, loading.plain(), verified.layout, deadline=loading.deadline)
    loading.clock.lap("load")
    compared = _held_to_dump(connection, loading, ground, OnDifferences(HINT, WAY, terms.accept))
    connection.execute("SET LOCAL client_encoding = 'UTF8'")  # as it was looked at before
    judged = require_kept(connection, ground.serving, terms.guard, every=True)
    remarks += judged.remarks
    remarks += set_otherwise(connection, verified)
    remarks += computed_remarks(connection, verified)
    remarks += again_in_place(connection, before, wanted=terms.grants)
    loading.clock.lap("compare")
    return compared, judged


def _held_to_dump(
    connection: Connection, loading: Loading, ground: _Ground, judgement: OnDifferences
) -> Compared:
    """Compare what the open transaction has made with the dump, but for how objects are defined.
    Raises :class:`DumpUnproven`."""
    layout = loading.verified.layout
    tables = _read_back(connection, layout, loading.found, loading.deadline)
    rows = [*table_differences(layout.tables, tables)]
    with DumpFile(loading.plain()) as file:
        objects = [*presence_differences(connection, layout, file)]
        loading.remarks.extend(acted(connection, layout))
        rows += value_differences(connection, layout, file)
    uncompared = rows_beside(connection, layout, layout.made_tables)
    rows += inserted_differences(layout, uncompared)
    accepted = judgement.of([*map(Difference, rows), *objects], loading.verified.name)
    loading.remarks.extend(ground.without.remarks)
    loading.remarks.extend(not_compared(layout, uncompared))
    loading.remarks.extend(ground.foreign)
    return Compared(dict(tables), uncompared, accepted)


def _analyzed(target: DatabaseSettings) -> list[str]:
    """Make statistics. The new data serve by now, so what is in the way is only a remark."""
    try:
        with connect(target, autocommit=True) as connection:
            analyze(connection)
    except (DatabaseFailed, RestoreFailed) as error:
        return [f"queries may be slow until ANALYZE is run: {error.message}"]
    return []


def _require_there(session: Maintenance) -> None:
    name = session.settings.dbname
    if not session.exists(name):
        raise PreconditionFailed(
            f"database {name} is not there, and a restore in place makes none",
            hint="leave out --in-place, which makes it." if session.may_create() else TO_BE_MADE,
        )


def _read_back(
    connection: Connection, layout: Layout, found: FoundDump, deadline: Deadline
) -> Mapping[str, TableRecord]:
    """The tables as the open transaction sees them, by table key."""
    tables: dict[str, TableRecord] = {}
    session = LoadingSession(connection, threading.Event())
    reader = Reader(connection, layout, tables, found.spill_folder)
    for key in reader.blocks:
        deadline.require(f"comparing the rows of {key}")
        reader.work(key)(session)
    return tables
