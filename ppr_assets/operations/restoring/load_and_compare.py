"""Fill an empty database from a dump, and hold what is in it to what the dump says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from ppr_assets.errors import DumpUnproven
from ppr_assets.operations.restoring.loading import Loading, remarks_of
from ppr_assets.plain_sql.verify import VerifiedDump
from ppr_assets.postgres.compare.computed import computed_otherwise, read_digests
from ppr_assets.postgres.compare.content import (
    inserted_differences,
    not_compared,
    read_tables,
    rows_beside,
    table_differences,
)
from ppr_assets.postgres.compare.schema_content import ComparedObjects, Twin, compare_objects
from ppr_assets.postgres.compare.schema_objects import Within
from ppr_assets.postgres.load import Wishes, load
from ppr_assets.postgres.load.work.statistics import analyze as make_statistics
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.session import Connection, open_session
from ppr_assets.rules.gate.difference import Accepted, Difference
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings

_PATIENCE = 3600.0
"""Seconds for a look at one table, where nobody waits for it."""


class Compared(Struct, frozen=True):
    """Tables that are equal to the dump's by number and hash of their rows, and rows that were
    only counted, by table key. ``schema``: see :class:`ComparedObjects`."""

    tables: dict[str, TableRecord]
    uncompared: Mapping[str, int]
    accepted: Accepted
    schema: Schema | None = None


class OnDifferences(Struct, frozen=True):
    """What to do with differences: ``hint`` is the way out for whoever is refused, ``accept`` the
    decision of a human to take those that are acceptable, ``way`` how to decide so."""

    hint: str
    way: str = ""
    accept: Override | None = None

    def of(self, differences: Sequence[Difference], name: str) -> Accepted:
        """What was accepted. Raises :class:`DumpUnproven` with what differs between a restored
        database and its dump ``name``, what nobody may accept first."""
        said = [str(one) for one in sorted(differences, key=lambda one: one.acceptable)]
        acceptable = all(one.acceptable for one in differences)
        if said and not (acceptable and self.accept):
            raise DumpUnproven(
                f"the restored database is not what `{name}` says: "
                f"{few(said, 5, between='; ', rest=' and {} more differences')}",
                hint=" ".join(filter(None, [self.hint, self.way if acceptable else ""])),
            )
        return Accepted(said, self.accept) if said else Accepted()


WAY = (
    "All rows are there: `--accept-differences` (in the Launchpad `accept_differences`) takes the "
    "definitions as they are, and records which."
)


def rows_in_words(tables: Mapping[str, TableRecord], uncompared: Mapping[str, int]) -> str:
    """What was found equal, and what was only counted."""
    rows = sum(record.rows for record in tables.values())
    counted = [key for key, number in uncompared.items() if number]
    said = []
    if rows or (tables and not counted):
        said.append(f"{rows} rows in {len(tables)} tables, compared, as the dump says")
    if counted:
        number = sum(uncompared.values())
        said.append(f"{number} rows in {len(counted)} tables counted, not compared")
    return "; ".join(said) or "no rows came back, so none were compared"


def load_and_compare(
    settings: DatabaseSettings,
    loading: Loading,
    *,
    twin: Twin,
    judgement: OnDifferences,
    analyze: bool,
) -> Compared:
    """Load into the empty database ``settings.dbname``, and hold it to the dump.

    ``twin`` makes another one like it. ``analyze`` also makes the statistics that a database which
    is to serve needs. Raises :class:`RestoreFailed`, and :class:`DumpUnproven` with the differences
    that were not accepted.
    """
    verified, remarks = loading.verified, loading.remarks
    remarks += remarks_of(verified.manifest)
    tables, objects = _loaded(settings, loading, twin, analyze=analyze)
    with open_session(settings, verified.layout.encoding) as session:
        uncompared = rows_beside(session, verified.layout)
    with connect(settings) as connection:
        remarks += computed_remarks(connection, verified)
    loading.clock.lap("compare")
    rows = [
        *table_differences(verified.layout.tables, tables),
        *inserted_differences(verified.layout, uncompared),
    ]
    accepted = judgement.of([*map(Difference, rows), *objects.differences], verified.name)
    remarks += not_compared(verified.layout, uncompared)
    return Compared(dict(tables), uncompared, accepted, objects.schema)


def _loaded(
    settings: DatabaseSettings, loading: Loading, twin: Twin, *, analyze: bool
) -> tuple[Mapping[str, TableRecord], ComparedObjects]:
    """Load; the tables as they were read back, and the objects, looked at meanwhile."""
    layout, spill_folder = loading.verified.layout, loading.found.spill_folder
    dump, deadline = loading.plain(), loading.deadline
    objects: list[ComparedObjects] = []

    def look_at_objects(going_on: Callable[[], None]) -> None:
        compared = compare_objects(
            settings,
            dump,
            layout,
            twin=twin,
            within=Within(spill_folder, deadline, going_on),
        )
        objects.append(compared)
        loading.remarks.extend(compared.remarks)

    wishes = Wishes(analyze=analyze, read_back_in=spill_folder, when_made=look_at_objects)
    report = load(dump, layout, settings, wishes, deadline=deadline)
    loading.clock.lap("load")
    tables = report.tables
    if report.how == "psql":
        loading.remarks.append(f"loaded by one psql in one transaction: {report.reason}")
        if analyze:
            with connect(settings, autocommit=True) as connection:
                make_statistics(connection)
        tables = read_tables(settings, layout, spill_folder=spill_folder, deadline=deadline)
        look_at_objects(lambda: None)
    assert tables is not None, "asked to be read back"
    return tables, objects[-1]


def computed_remarks(connection: Connection, verified: VerifiedDump) -> list[str]:
    """What is computed otherwise here than where the dump is from, as far as it says so."""
    if verified.manifest is None or verified.manifest.computing is None:
        return []
    computing = verified.manifest.computing
    said = []
    if computing.digests:
        now = read_digests(connection, hold_seconds=_PATIENCE)
        said += computed_otherwise(computing.digests, now.found)
    if computing.withheld:
        said.append(
            f"not compared: {few(computing.withheld, 5)}, which may be computed from what the dump "
            "withholds"
        )
    return said
