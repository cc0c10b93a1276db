"""Where a replay goes: into the empty tables that are there, or into a new database that is made
beside the target and takes its place when it is full, by the very swap of a restore.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DatabaseFailed, NoRecords, PprError, PreconditionFailed, RestoreFailed
from ppr_assets.operations.replaying.gathered import OnLine, unseen
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.replay import (
    ReplayOutcome,
    refused,
    replay,
    with_tables_of,
)
from ppr_assets.operations.replaying.result import judged_result
from ppr_assets.operations.restoring.loading import Loading
from ppr_assets.operations.restoring.new_database import new_database, set_as_target, sweep
from ppr_assets.operations.restoring.own_schema import own_schema
from ppr_assets.operations.restoring.proof_server import ProofServer
from ppr_assets.operations.restoring.rehearsal import require_makeable_in_place, require_taker
from ppr_assets.operations.restoring.replacing import (
    Terms,
    dropped_if_empty,
    put_in_place,
    require_fit,
)
from ppr_assets.operations.restoring.serving.guarding import Coming
from ppr_assets.operations.restoring.serving.target import Target, look_from, require_ordinary
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres.databases.beside import connect_beside, is_beside, may_create
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.load import load_in_transaction, make_definitions
from ppr_assets.postgres.load.work.statistics import analyze
from ppr_assets.postgres.sessions.connection import connect, pinned
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.snapshot.records import (
    count_records,
    missing_tables,
    table_with_records,
)
from ppr_assets.postgres.upsert.materialized import refresh
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.gate.replacement import STANDARD, Guard
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.replay.rows.columns import COLUMNS
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings, Settings

_WAY_OUT = (
    "nothing was replaced. Were all days and scrapers read (--since, --scraper, "
    "DB_INIT_DAYS_TO_SYNC)? `ppr-assets replay --into NAME --schema latest` looks at it in a "
    'database of its own. To take it all the same: --override "why".'
)
_INSTEAD = "an empty database that has the tables is filled without that."


@dataclass(frozen=True)
class RebuildTerms:
    """What a human lets a replay do. ``replace``: take the place of a database that holds records.
    ``schema``: the dump whose tables are made where there are none. ``disconnect`` ends sessions on
    the target, at the swap only. ``strict``: load nothing if a file cannot be used. ``batch``: in
    tables that are there, each in a transaction of its own. ``guard`` is held against what serves
    right before the swap."""

    replace: bool = False
    schema: Wanted | None = None
    disconnect: bool = False
    strict: bool = False
    batch: bool = False
    guard: Guard = STANDARD


CAUTIOUS = RebuildTerms()
"""Into the empty tables of a database that is there, and nowhere else."""


@dataclass(frozen=True)
class RebuildOutcome:
    """``database`` now holds what was ``replayed``, in the tables of ``schema`` (empty: in those
    that were there). ``former`` is what the one that it replaced is called now, None where none is
    kept. ``override`` only where it was needed; ``remarks`` are for a human.
    ``counts``: records by table, of those that the guard's policy judges."""

    replayed: ReplayOutcome
    database: str
    schema: str = ""
    former: str | None = None
    override: Override | None = None
    remarks: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def rebuild(
    settings: Settings,
    target: DatabaseSettings,
    given: Input,
    terms: RebuildTerms = CAUTIOUS,
    *,
    on_line: OnLine = unseen,
) -> RebuildOutcome:
    """Replay what is given into ``target``: in one transaction where its tables are there and
    empty, else into a new database that takes its place.

    Raises :class:`GateRefused` for a target that holds records, unless ``terms`` replace it, and
    when too few would be left; :class:`PreconditionFailed` where nobody has named the tables to be
    made; what finding a dump raises, what :func:`~ppr_assets.operations.replaying.replay.replay`
    and, but for what is compared, :func:`~ppr_assets.operations.restoring.restore.restore` raise.
    """
    require_ordinary(target.dbname)
    with connect_beside(target) as session:
        looked = look_from(session, pinned(target, session))  # the very server, from here on
        target = looked.settings
        aside = may_create(session) and is_beside(session, target.dbname)
    if looked.exists and not terms.replace:
        with connect(target, autocommit=True) as connection:
            missing = missing_tables(connection, CORE_TABLES)
        if not missing or terms.schema is None:
            return _in_place(target, given, terms, on_line)
        if holding := table_with_records(target, CORE_TABLES):
            raise refused(holding, target)
    with _schema(settings, looked, terms) as found:
        if looked.exists and not terms.replace and not aside:
            _make_tables(target, found)
            outcome = _in_place(target, given, replace(terms, schema=None), on_line)
            return replace(outcome, schema=found.name)
        return _beside(target, found, given, terms, on_line)


def _make_tables(target: DatabaseSettings, found: FoundDump) -> None:
    """Make all that the dump defines in the target itself, in one transaction: for a role that may
    make no database. They stay where the replay fails then, and hold no record."""
    loading = Loading.begin(found, Deadline(None))
    with maintenance(target) as session:
        server, layout = ProofServer("target", session), loading.verified.layout
        require_taker(server, layout, ())
        with connect(session.settings) as looking:
            without = require_makeable_in_place(server, looking, loading.plain(), layout, ())
        with connect(session.settings) as connection:
            layout = layout.without(without.keys)
            load_in_transaction(
                connection, loading.plain(), layout, deadline=loading.deadline, rows=False
            )


def _in_place(
    target: DatabaseSettings, given: Input, terms: RebuildTerms, on_line: OnLine
) -> RebuildOutcome:
    replayed = replay(target, given, strict=terms.strict, batch=terms.batch, on_line=on_line)
    remarks = []
    verdict = judged_result(target, terms.guard.policy)
    if terms.guard.for_service and not any(verdict.counts.get(one) for one in CORE_TABLES):
        raise NoRecords(
            f"the replay gives a database without records: {replayed.accounts} of {given.origin}",
            hint=_WAY_OUT,
        )
    if terms.schema is not None:
        remarks.append("the tables that are there were filled, so --schema made none")
    try:  # the rows serve by now, so what is in the way is no failure
        remarks += _brought_up_to_date(target)
    except (DatabaseFailed, RestoreFailed) as error:
        remarks.append(f"queries may be slow until ANALYZE is run: {error.message}")
    remarks += _not_publishable(verdict)
    return RebuildOutcome(replayed, target.dbname, remarks=remarks, counts=verdict.counts)


def _brought_up_to_date(target: DatabaseSettings) -> Sequence[str]:
    """What follows from the rows: materialized views and statistics. Returns remarks."""
    with (
        server_failures(target.describe(), "bringing views and statistics up to date"),
        connect(target, autocommit=True) as connection,
    ):
        stale = refresh(connection)
        analyze(connection)
    return stale


@contextmanager
def _schema(settings: Settings, looked: Target, terms: RebuildTerms) -> Iterator[FoundDump]:
    """The dump whose tables are made: the one that was named, else of the database that serves."""
    if terms.schema is not None:
        with found_dump(settings.data_repo, terms.schema) as found:
            yield found
    elif looked.exists:
        with own_schema(settings.dump, looked.settings) as found:
            yield found
    else:
        raise PreconditionFailed(
            f"database {looked.settings.dbname} is not there, and nobody has said which tables it "
            "is to have",
            hint=with_tables_of(looked.settings),
        )


def _beside(
    target: DatabaseSettings,
    found: FoundDump,
    given: Input,
    terms: RebuildTerms,
    on_line: OnLine,
) -> RebuildOutcome:
    loading = Loading.begin(found, Deadline(None))
    files = f"{len(given.files)} published files of {given.origin}"
    coming = Coming("the replay", f"{files} were replayed", _WAY_OUT, _INSTEAD)
    allowed = Terms(terms.guard, disconnect=terms.disconnect, grants=True)
    with maintenance(target) as session:
        left_over = sweep(session)
        without = require_fit(session, loading, allowed, coming)
        loading = loading.without(without.keys)
        with new_database(session, loading.verified) as (new, remarks):
            remarks += [*left_over, *without.remarks]
            loading = replace(loading, remarks=remarks)
            filled = with_tables(session, new, loading)
            replayed = replay(filled, given, strict=terms.strict, on_line=on_line)
            remarks += _brought_up_to_date(filled)
            verdict = judged_result(filled, terms.guard.policy)
            remarks += _not_publishable(verdict)
            # What a dump withholds is none of the replay's: all rows stay with the former database.
            bare = replace(loading, verified=replace(loading.verified, manifest=None))
            judged, former = put_in_place(session, new, bare, allowed, coming)
    if former and not terms.replace:
        former = _kept(target, former, remarks)
    remarks += _not_told(loading, replace(target, dbname=former) if former else None)
    name = found.name if terms.schema else "the database that it replaces"
    return RebuildOutcome(
        replayed, target.dbname, name, former, judged.override, remarks, verdict.counts
    )


def _not_told(loading: Loading, former: DatabaseSettings | None) -> Sequence[str]:
    """Rows of tables that no record tells of, such as those in which migrations keep where they
    are: an application may ask for them."""
    if former is None:
        source = f"`{loading.verified.name}`"
        rows = {key: table.rows for key, table in loading.verified.layout.tables.items()}
    else:
        source = former.dbname
        try:
            with connect(former) as connection:
                rows = {**count_records(connection, skip=COLUMNS)}
        except (PprError, psycopg.Error):  # it was only for this remark
            return [f"nobody counted what else {source} has that no record tells of"]
    missing = [f"{rows[key]} of {key}" for key in sorted(rows) if rows[key] and key not in COLUMNS]
    if not missing:
        return []
    return [f"no published record tells of rows that {source} has: {few(missing, 12)}"]


def _kept(target: DatabaseSettings, former: str, remarks: list[str]) -> str | None:
    """Drop a former database in which nothing was; its name where it stays."""
    why = dropped_if_empty(target, former)
    if why is None:
        return None
    remarks.append(f"the former database is kept: {why}")
    return former


def _not_publishable(verdict: Verdict) -> Sequence[str]:
    """That a night would refuse what came, before it does."""
    if verdict.status == "accepted":
        return []
    return [f"a dump of it would not be published: {verdict.message}"]


def with_tables(session: Maintenance, new: str, loading: Loading) -> DatabaseSettings:
    """Make all that the dump defines in the database ``new``, and none of its rows."""
    loading.remarks.extend(set_as_target(session, new, loading.verified))
    filled = replace(session.settings, dbname=new)
    layout = loading.verified.layout
    make_definitions(
        loading.plain(), layout, filled, deadline=loading.deadline, going_on=lambda: None
    )
    with connect(filled, autocommit=True) as connection:
        if missing := missing_tables(connection, CORE_TABLES):
            raise PreconditionFailed(
                f"`{loading.verified.name}` makes no table {', '.join(missing)}",
                hint="nothing was changed. --schema takes a dump of the application's database.",
            )
    return filled
