"""A drill: restore a dump into a scratch database, compare, drop it. Only that proves a dump.

The scratch database is made on the database's own server, since that is where it would be needed.
Where the role may not make one, or by wish, an embedded server takes it, if it has the extensions
that the dump needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpUnproven, PreconditionFailed, RestoreFailed
from ppr_assets.operations.filling import Clock, Judgement, OnStage, fill, silent, verified_dump
from ppr_assets.operations.made_aside import made_aside, sweep, twin_of
from ppr_assets.operations.scratch import scratch_folder
from ppr_assets.operations.sources import FoundDump
from ppr_assets.operations.verify import VerifiedDump
from ppr_assets.postgres import embedded
from ppr_assets.postgres.databases import Maintenance, maintenance
from ppr_assets.postgres.databases.fitness import missing_extensions, require_server
from ppr_assets.rules.manifest import Manifest, Proof, TableRecord
from ppr_assets.settings import DatabaseSettings

SCRATCH = "drill"
"""What the name of a scratch database has after that of the database whose dump it is."""

PROOF_SCRATCH = "proof"
"""The same in a night's run, which must not wait for a drill."""

_HINTS = {
    SCRATCH: "the scratch database was dropped, nothing was replaced. Drill another dump "
    "(`ppr-assets list` names them), and take a new one of what the database holds now: "
    "`ppr-assets dump`.",
    PROOF_SCRATCH: "nothing was published and the new dump was thrown away; the last one stands. "
    "Look at what is named here in the database itself, and at whether the last dump has it, too: "
    "`ppr-assets drill`.",
}
"""For whoever has a dump that did not become what it says."""

_SERVER = "postgres"


@dataclass(frozen=True)
class DrillOutcome:
    """The dump restores: ``tables`` are what the scratch database held, equal to the dump's, and
    ``uncompared`` rows that were only counted. ``seconds`` by stage."""

    dump: str
    origin: str
    manifest: Manifest | None
    proof: Proof
    tables: Mapping[str, TableRecord]
    seconds: Mapping[str, float]
    remarks: list[str] = field(default_factory=list)
    uncompared: Mapping[str, int] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Whether all rows that came back were compared, and there were any."""
        return bool(self.tables) and not any(self.uncompared.values())

    @property
    def rows(self) -> int:
        return sum(record.rows for record in self.tables.values())


def drill(
    database: DatabaseSettings,
    found: FoundDump,
    *,
    where: str,
    deadline: Deadline,
    scratch: str = SCRATCH,
    on_stage: OnStage = silent,
) -> DrillOutcome:
    """Restore the dump into a scratch database and hold it to what the dump says.

    ``where`` is ``server`` or ``embedded``; ``scratch`` is what the scratch database's name has
    after that of ``database``. Raises :class:`DumpDamaged`, :class:`Busy` while another drill of
    the same database runs, and :class:`DumpUnproven` when it does not load, when something differs,
    or when no server can take it.
    """
    clock = Clock(on_stage)
    verified = verified_dump(found)
    clock.lap("verify")
    if where == "server":
        # Beside the target by name as well, so that an operator knows what it belongs to.
        named = replace(database, dbname=f"{database.dbname}_{scratch}")
        with maintenance(named, home=database.dbname) as session:
            if session.may_create():
                _require_taker(session, verified)
                return _drill(session, found, verified, "server", deadline, clock, _HINTS[scratch])
    return _embedded(found, verified, where, deadline, clock, _HINTS[scratch])


def _drill(
    session: Maintenance,
    found: FoundDump,
    verified: VerifiedDump,
    where: str,
    deadline: Deadline,
    clock: Clock,
    hint: str,
) -> DrillOutcome:
    left_over = sweep(session)
    with made_aside(session, verified) as (name, remarks):
        remarks += left_over
        scratch = replace(session.settings, dbname=name)
        try:
            twin = twin_of(session, verified, name)
            filled = fill(
                scratch,
                found,
                verified,
                deadline,
                clock,
                remarks,
                twin=twin,
                judgement=Judgement(hint),
                analyze=False,
            )
        except RestoreFailed as error:
            raise DumpUnproven(
                f"`{verified.name}` did not restore: {error.message}",
                hint="nothing was published or replaced. If the server is well, the dump is to "
                "blame: look at what the message names.",
            ) from error
        version = session.server_version
    return DrillOutcome(
        dump=verified.name,
        origin=found.origin,
        manifest=verified.manifest,
        proof=Proof(where, datetime.now(UTC), version, round(sum(clock.laps.values()), 3)),
        tables=filled.tables,
        seconds=clock.laps,
        remarks=remarks,
        uncompared=filled.uncompared,
    )


def _embedded(
    found: FoundDump,
    verified: VerifiedDump,
    where: str,
    deadline: Deadline,
    clock: Clock,
    hint: str,
) -> DrillOutcome:
    with scratch_folder(found.spill_folder / SCRATCH) as folder:
        server = embedded.start(folder / _SERVER)
        with maintenance(server.database_settings(SCRATCH)) as session:
            if missing := missing_extensions(session.connection, verified.layout):
                raise DumpUnproven(
                    f"`{verified.name}` was not restored: it needs the extension "
                    f"{', '.join(missing)}, which the embedded server lacks",
                    hint="let the role make scratch databases on its own server (ALTER ROLE … "
                    "CREATEDB, with SQL_DUMP_PROOF=server); SQL_DUMP_PROOF=off publishes unproven "
                    "dumps, and records that."
                    if where == "server"
                    else "SQL_DUMP_PROOF=server restores it beside the database itself.",
                )
            _require_taker(session, verified)
            return _drill(session, found, verified, "embedded", deadline, clock, hint)


def _require_taker(session: Maintenance, verified: VerifiedDump) -> None:
    """Raise :class:`DumpUnproven` where the server is too old for the dump, or lacks an extension:
    for a restore that is a reason to refuse, for a drill it means that nothing was proven."""
    try:
        require_server(session.connection, verified.layout)
    except PreconditionFailed as error:
        raise DumpUnproven(
            f"`{verified.name}` was not restored: {error.message}", hint=error.hint
        ) from error
