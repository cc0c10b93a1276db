"""A replay where the tables are not there yet: they are made in the target, or in a new database
beside it that takes its place when it is full, by the very swap of a restore."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import PprError, PreconditionFailed
from ppr_assets.operations.replaying.gathered import OnLine
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.replay import (
    brought_up_to_date,
    judged_result,
    not_publishable,
    replay,
    with_tables_of,
)
from ppr_assets.operations.replaying.terms import NOT_REPLACED, RebuildOutcome, RebuildTerms
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
from ppr_assets.operations.restoring.serving.target import Target
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.load import load_in_transaction, make_definitions
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.snapshot.records import count_records, missing_tables
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.replay.rows.columns import COLUMNS
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings, Settings

_INSTEAD = "an empty database that has the tables is filled without that."


@contextmanager
def tables_of(settings: Settings, looked: Target, terms: RebuildTerms) -> Iterator[FoundDump]:
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


def make_tables(target: DatabaseSettings, found: FoundDump, deadline: Deadline) -> None:
    """Make all that the dump defines in the target itself, in one transaction: for a role that may
    make no database. They stay where the replay fails then, and hold no record."""
    loading = Loading.begin(found, deadline)
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


def fill_beside(
    target: DatabaseSettings,
    found: FoundDump,
    given: Input,
    terms: RebuildTerms,
    on_line: OnLine,
) -> RebuildOutcome:
    loading = Loading.begin(found, terms.deadline)
    files = f"{len(given.files)} published files of {given.origin}"
    coming = Coming("the replay", f"{files} were replayed", NOT_REPLACED, _INSTEAD)
    allowed = Terms(terms.guard, disconnect=terms.disconnect, grants=True)
    with maintenance(target) as session:
        left_over = sweep(session)
        without = require_fit(session, loading, allowed, coming)
        loading = loading.without(without.keys)
        with new_database(session, loading.verified) as (new, remarks):
            remarks += [*left_over, *without.remarks]
            loading = replace(loading, remarks=remarks)
            filled = with_tables(session, new, loading)
            replayed = replay(filled, given, replace(terms, batch=False), on_line=on_line)
            remarks += brought_up_to_date(filled)
            verdict = judged_result(filled, terms.guard.policy)
            remarks += not_publishable(verdict)
            # What a dump withholds is none of the replay's: all rows stay with the former database.
            bare = replace(loading, verified=replace(loading.verified, manifest=None))
            judged, former = put_in_place(session, new, bare, allowed, coming)
    if former and not terms.replace:
        former = _kept(target, former, remarks)
    remarks += _not_told(loading, dataclasses.replace(target, dbname=former) if former else None)
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


def with_tables(session: Maintenance, new: str, loading: Loading) -> DatabaseSettings:
    """Make all that the dump defines in the database ``new``, and none of its rows."""
    loading.remarks.extend(set_as_target(session, new, loading.verified))
    filled = dataclasses.replace(session.settings, dbname=new)
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
