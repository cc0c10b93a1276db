"""One snapshot as the canonical dump that the publication policy lets out: whole, what was counted,
and without what has the form of a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ppr_assets.errors import DumpDamaged
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.snapshot.pg_dump import PgDump, WrittenDump
from ppr_assets.postgres.snapshot.snapshot import Snapshot
from ppr_assets.rules.finds.judgement import Rise
from ppr_assets.rules.publication.withholding import Plan
from ppr_assets.settings import Settings


class JudgedDump(Struct, frozen=True):
    """``pg_dump``: the version of the one that wrote it. ``rises``: more of what leads to persons
    than was reviewed."""

    file: WrittenDump
    pg_dump: str
    rises: tuple[Rise, ...]


def write_canonical(
    settings: Settings, snapshot: Snapshot, counts: Mapping[str, int], plan: Plan, path: Path
) -> JudgedDump:
    """Dump ``snapshot``, whose rows are ``counts`` by table, to ``path``, which must not exist.

    Raises what :meth:`PgDump.write` raises, :class:`DumpDamaged` for other rows than were counted,
    and :class:`PolicyRefused` where values have the form of a secret; ``path`` is then removed.
    """
    tool = find_tool("pg_dump", snapshot.server_major, sslmode=settings.database.sslmode)
    pg_dump = PgDump(
        tool,
        snapshot.settings,
        stall_seconds=settings.dump.stall_seconds,
        search_path=settings.dump.search_path,
        plan=plan,
    )
    written = pg_dump.write(snapshot.export(), path)
    try:
        snapshot.require_untouched()
        _require_same_rows(written, counts, plan)
        judgement = plan.finds.judge(written.finds)
        judgement.require()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return JudgedDump(written, tool.version, judgement.rises)


def _require_same_rows(written: WrittenDump, counts: Mapping[str, int], plan: Plan) -> None:
    """Rows in the dump are the rows that were counted, table by table, but for what is withheld on
    purpose."""
    rows = {table: record.rows for table, record in written.tables.items()}
    withheld = {*plan.without_rows}
    counts = {table: rows for table, rows in counts.items() if table not in withheld}
    different = [
        f"{table} has {rows.get(table, 0)} rows, {counts.get(table, 0)} were counted"
        for table in sorted(rows.keys() | counts.keys())
        if rows.get(table) != counts.get(table)
    ]
    if different:
        raise DumpDamaged(
            f"the dump is not what was counted: {'; '.join(different[:5])}",
            hint="pg_dump wrote only a part, or something else than asked. Nothing was published.",
        )
