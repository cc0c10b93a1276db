"""From a dump's sections to tasks."""

from __future__ import annotations

from collections.abc import Sequence

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
from ppr_assets.postgres.load.plan.tasks import Plan
from ppr_assets.postgres.load.work.catalog import Catalog
from ppr_assets.postgres.load.work.read_back import Reader
from ppr_assets.postgres.load.work.scheduler import Task


def plan(
    sections: Sections,
    catalog: Catalog,
    file: DumpFile,
    *,
    connections: int,
    analyze: bool,
    reader: Reader | None,
    when_made: WhenMade | None,
) -> Sequence[Task]:
    """Tasks for all that comes when the tables are there, for so many ``connections``.

    ``analyze`` makes statistics of every table that has rows in the dump. ``reader`` has every
    table read when all of its rows and constraints are in. ``when_made`` is called when all
    objects are there, with what raises once the work as a whole is given up.
    """
    so_far = Plan(catalog, file)
    share = sum(block.end - block.start for block in sections.rows) // connections
    plan_rows(so_far, sections.rows, share)
    filled = [block.key for block in sections.rows]
    left = [step for step in sections.after if not planned(so_far, step)]
    rest = [*left, *sections.last]
    queries = any(step.kind == "MATERIALIZED VIEW DATA" for step in rest)
    if analyze and queries:  # which want statistics to be fast
        plan_analyze(so_far, filled)
    so_far.add_in_order("sequences and large objects", sections.aside)
    so_far.add_in_order("what follows the data", rest, after=so_far.tasks)
    made = tuple(so_far.tasks)
    if when_made is not None:
        plan_call(so_far, "looking at the objects", when_made, after=made)
    if reader is not None:
        plan_reading(so_far, reader)
    if analyze:
        if not queries:
            plan_analyze(so_far, filled)
        plan_analyze_made(so_far, after=made)
    return so_far.tasks
