"""Where a replay goes: into the empty tables that are there, or into tables made for it."""

from __future__ import annotations

from msgspec.structs import replace

from ppr_assets.errors import DatabaseFailed, NoRecords, RestoreFailed
from ppr_assets.operations.replaying.gathered import OnLine, unseen
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.replay import (
    brought_up_to_date,
    judged_result,
    not_publishable,
    refused,
    replay,
)
from ppr_assets.operations.replaying.terms import (
    CAUTIOUS,
    NOT_REPLACED,
    RebuildOutcome,
    RebuildTerms,
)
from ppr_assets.operations.restoring.serving.ordinary import require_ordinary
from ppr_assets.operations.restoring.serving.target import look_from
from ppr_assets.postgres.databases.beside import connect_beside, is_beside, may_create
from ppr_assets.postgres.sessions.connection import connect, pinned
from ppr_assets.postgres.snapshot.records import missing_tables, table_with_records
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.settings import DatabaseSettings, Settings


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
    # Half of what a restore is made of, which filling tables that are there does without.
    from ppr_assets.operations.replaying.made_tables import fill_beside, make_tables, tables_of

    with tables_of(settings, looked, terms) as found:
        if looked.exists and not terms.replace and not aside:
            make_tables(target, found, terms.deadline)
            outcome = _in_place(target, given, replace(terms, schema=None), on_line)
            return replace(outcome, schema=found.name)
        return fill_beside(target, found, given, terms, on_line)


def _in_place(
    target: DatabaseSettings, given: Input, terms: RebuildTerms, on_line: OnLine
) -> RebuildOutcome:
    replayed = replay(target, given, terms, on_line=on_line)
    remarks = []
    verdict = judged_result(target, terms.guard.policy)
    if terms.guard.for_service and not any(verdict.counts.get(one) for one in CORE_TABLES):
        raise NoRecords(
            f"the replay gives a database without records: {replayed.accounts} of {given.origin}",
            hint=NOT_REPLACED,
        )
    if terms.schema is not None:
        remarks.append("the tables that are there were filled, so --schema made none")
    try:  # the rows serve by now, so what is in the way is no failure
        remarks += brought_up_to_date(target)
    except (DatabaseFailed, RestoreFailed) as error:
        remarks.append(f"queries may be slow until ANALYZE is run: {error.message}")
    remarks += not_publishable(verdict)
    return RebuildOutcome(replayed, target.dbname, remarks=remarks, counts=verdict.counts)
