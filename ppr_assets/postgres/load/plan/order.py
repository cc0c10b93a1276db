"""From a dump's sections to tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.sections import Sections
from ppr_assets.postgres.load.plan.constraints import planned
from ppr_assets.postgres.load.plan.rows import plan_rows
from ppr_assets.postgres.load.plan.spare_time import (
    WhenMade,
    plan_analyze,
    plan_analyze_made,
    plan_call,
    plan_reading,
)
from ppr_assets.postgres.load.plan.tasks import LoadPlan
from ppr_assets.postgres.load.work.catalog import Catalog
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Task, default_connections


class Wishes(Struct, frozen=True):
    """What is to be done with the rows on the way, and over how many sessions.

    ``analyze`` makes statistics of every table that has rows in the dump. ``read_back_in``, a
    folder to sort in, has every table read when all of its rows and constraints are in.
    ``when_made`` is called from another thread when all objects are there, while rows may still be
    read; it is given a function that raises once the work as a whole is given up.
    """

    connections: int = field(default_factory=default_connections)
    analyze: bool = False
    read_back_in: Path | None = None
    when_made: WhenMade | None = None


def plan(
    sections: Sections,
    catalog: Catalog,
    file: DumpFile,
    wishes: Wishes,
    reader: Reader | None,
) -> Sequence[Task]:
    """Tasks for all that comes when the tables are there; ``reader`` is what reads them back."""
    so_far = LoadPlan(catalog, file)
    share = sum(block.end - block.start for block in sections.rows) // wishes.connections
    plan_rows(so_far, sections.rows, share)
    filled = [block.key for block in sections.rows]
    left = [step for step in sections.after if not planned(so_far, step)]
    rest = [*left, *sections.last]
    queries = any(step.kind == "MATERIALIZED VIEW DATA" for step in rest)
    if wishes.analyze and queries:  # which want statistics to be fast
        plan_analyze(so_far, filled)
    so_far.add_in_order("sequences and large objects", sections.aside)
    so_far.add_in_order("what follows the data", rest, after=so_far.tasks)
    made = tuple(so_far.tasks)
    if wishes.when_made is not None:
        plan_call(so_far, "looking at the objects", wishes.when_made, after=made)
    if reader is not None:
        plan_reading(so_far, reader)
    if wishes.analyze:
        if not queries:
            plan_analyze(so_far, filled)
        plan_analyze_made(so_far, after=made)
    return so_far.tasks
