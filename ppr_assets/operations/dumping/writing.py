"""Write one dump to a hidden file: count, judge, dump what was counted, judge its values.

What is written is canonical, and all that the publication policy lets out of the snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets import __version__
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.remote.remote import fetched_tip
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.publishing.gate import judge_at
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.operations.publishing.profile import Profiled, judged_profile
from ppr_assets.operations.publishing.publication import plan_at
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.compare.computed import read_digests
from ppr_assets.postgres.sessions.computing import read_locale, read_settings
from ppr_assets.postgres.snapshot.pg_dump import PgDump, WrittenDump
from ppr_assets.postgres.snapshot.preflight import require_dumpable, require_room
from ppr_assets.postgres.snapshot.snapshot import Snapshot
from ppr_assets.progress import stage
from ppr_assets.rules.finds.judgement import Rise
from ppr_assets.rules.gate.ratchet import Override, Verdict
from ppr_assets.rules.naming import dump_moment, dump_name, parts_folder
from ppr_assets.rules.profile.movements import EarlierNight
from ppr_assets.rules.publication.withholding import Plan, Withheld
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Computing
from ppr_assets.settings import Settings

_NAMED_AHEAD = timedelta(minutes=1)
"""Further ahead is no dump that was named for a later second, but one by another clock."""


class RefusedDump(Struct, frozen=True):
    """The gate said no, and nothing was kept. ``unusual``: what was, in words."""

    verdict: Verdict
    unusual: tuple[str, ...] = ()


class Written(Struct, frozen=True):
    """A dump at ``path`` with the rows that the gate has passed; ``name`` is what it will have.
    ``computing`` is read of one that is to be kept."""

    name: str
    path: Path
    canonical: JudgedDump
    verdict: Verdict
    plan: Plan
    previous: Manifest | None
    tips: Sequence[str]
    profiled: Profiled
    computing: Computing | None = None

    @property
    def unchanged(self) -> Manifest | None:
        """The manifest of the dump before, where this one has the same bytes."""
        same = self.previous and self.previous.sha256 == self.canonical.file.sha256
        return self.previous if same else None

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        return self.plan.withheld(self.verdict.counts, self.canonical.file.withheld)

    @property
    def newly_withheld(self) -> tuple[Withheld, ...]:
        """What the dump before had, or withheld by another rule."""
        before = self.previous.withheld if self.previous else ()
        known = {(one.name, one.rule) for one in before}
        return tuple(one for one in self.withheld if (one.name, one.rule) not in known)

    def described(self, snapshot: Snapshot) -> Manifest:
        """As far as the database and pg_dump tell it."""
        file = self.canonical.file
        return Manifest(
            dump=self.name,
            bytes=file.bytes,
            sha256=file.sha256,
            tables=file.tables,
            snapshot_at=snapshot.taken_at,
            database=snapshot.identity,
            tools={"pg_dump": self.canonical.pg_dump, "ppr_assets": __version__},
            verdict=self.verdict.to_json(),
            override=self.verdict.override,
            previous=self.previous.dump if self.previous else None,
            without_rows=tuple(snapshot.without_rows),
            policy=self.plan.policy,
            withheld=self.withheld,
            profile=file.profile,
            schema=file.schema,
            persons=file.finds.persons,
            movements=self.profiled.largest,
            computing=self.computing,
        )


def write_judged(
    settings: Settings,
    repo: DataRepo,
    snapshot: Snapshot,
    override: Override | None,
    folder: Path,
) -> Written | RefusedDump:
    """Count, judge, and dump what was counted to a hidden file in ``folder``."""
    require_dumpable(snapshot)
    commit = judged_tip(repo)
    verdict = judge_at(repo, commit, snapshot.count(), settings.dump, override)
    if not verdict.passed:
        return RefusedDump(verdict)
    plan = snapshot.with_checks(plan_at(repo, commit, settings.dump, snapshot.relations()))
    plan.require()
    previous = dump_folder(repo, commit).latest_manifest
    room = require_room(snapshot, folder, previous_bytes=previous.bytes if previous else None)
    # What this follows, and names that others took this second, are often on the remote only.
    tips = [tip for tip in (commit, fetched_tip(repo)) if tip]
    name = _free_name(repo, tips, folder)
    path = folder / f".{name}.partial"
    with stage("dumping", room, about=True):
        made = write_canonical(settings, snapshot, verdict.counts, plan, path)
    try:
        withheld = plan.withheld(verdict.counts, made.file.withheld)
        night = EarlierNight(made.file.profile, schema=made.file.schema)
        profiled = judged_profile(repo, commit, night, withheld, settings.dump)
        verdict = verdict.joined(profiled.findings, override)
        if verdict.passed:
            written = Written(name, path, made, verdict, plan, previous, tips, profiled)
            if written.unchanged:
                return written
            return replace(written, computing=_computing(snapshot, plan))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    path.unlink()
    return RefusedDump(verdict, profiled.unusual)


def _computing(snapshot: Snapshot, plan: Plan) -> Computing:
    with snapshot.letting_go():
        settings = read_settings(snapshot.connection)
        locale = read_locale(snapshot.connection)
    digests = read_digests(snapshot.connection, withheld=plan.withholding)
    return Computing(settings, locale, digests.found, tuple(digests.withheld))


def _free_name(repo: DataRepo, tips: Sequence[str], folder: Path) -> str:
    """The name for now; the next free second when a dump of this second is there already, and the
    next after the newest where that one was named like this."""
    taken = {name for tip in tips for name in dump_folder(repo, tip).dumps}
    moment = datetime.now(UTC).replace(microsecond=0)
    newest = max(filter(None, map(dump_moment, taken)), default=None)
    if newest and moment <= newest <= moment + _NAMED_AHEAD:
        moment = newest + timedelta(seconds=1)
    while (name := dump_name(moment)) in taken or any(
        (folder / one).exists() for one in (name, parts_folder(name))
    ):
        moment += timedelta(seconds=1)
    return name


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
