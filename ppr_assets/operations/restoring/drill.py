"""A drill: restore a dump into a scratch database, compare, drop it. Only that proves a dump.

The scratch database is made on the database's own server, since that is where it would be needed.
Where the role may not make one, or by wish, an embedded server takes it, or another one that
variables name. Before anything is loaded it is tried what the dump makes, so that what the role
may not make, or the server cannot, is named as a whole, and is not taken for a fault of the dump.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpUnproven, PreconditionFailed, RestoreFailed
from ppr_assets.operations.restoring.load_and_compare import (
    Compared,
    OnDifferences,
    load_and_compare,
)
from ppr_assets.operations.restoring.loading import Loading, OnStage, silent
from ppr_assets.operations.restoring.new_database import new_database, sweep, twin_maker
from ppr_assets.operations.restoring.proof_server import ProofPlace, ProofServer, proof_server
from ppr_assets.operations.restoring.rehearsal import mended, require_makeable
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import stored_bytes
from ppr_assets.postgres.compare.schema_content import Twin
from ppr_assets.postgres.databases.names import PROOF_SCRATCH, SCRATCH
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Proof, TableRecord
from ppr_assets.settings import DatabaseSettings

_HINTS = {
    SCRATCH: "the scratch database was dropped, nothing was replaced. Drill another dump "
    "(`ppr-assets list` names them), and take a new one of what the database holds now: "
    "`ppr-assets dump`.",
    PROOF_SCRATCH: "nothing was published and the new dump was thrown away; the last one stands. "
    "Look at what is named here in the database itself, and at whether the last dump has it, too: "
    "`ppr-assets drill`.",
}
"""For whoever has a dump that did not become what it says."""


class DrillOutcome(Struct, frozen=True):
    """The dump restores: ``tables`` are what the scratch database held, equal to the dump's, and
    ``uncompared`` rows that were only counted. ``bytes`` are those of the dump as it is stored.
    ``seconds`` by stage. ``schema``: see
    :class:`~ppr_assets.postgres.compare.schema_content.ComparedObjects`."""

    dump: str
    origin: str
    manifest: Manifest | None
    proof: Proof
    tables: Mapping[str, TableRecord]
    seconds: Mapping[str, float]
    remarks: list[str] = field(default_factory=list)
    uncompared: Mapping[str, int] = field(default_factory=dict)
    schema: Schema | None = None
    commit: str | None = None
    bytes: int = 0

    @property
    def proven(self) -> bool:
        """Whether all rows that came back were compared, and there were any."""
        return bool(self.tables) and not any(self.uncompared.values())

    @property
    def rows(self) -> int:
        return sum(record.rows for record in self.tables.values())


def drill(
    place: ProofPlace, found: FoundDump, *, deadline: Deadline, on_stage: OnStage = silent
) -> DrillOutcome:
    """Restore the dump into a scratch database and hold it to what the dump says.

    Raises :class:`DumpDamaged`, :class:`Busy` while another drill of the same database runs, and
    :class:`DumpUnproven` when it does not load, when something differs, or when no server can take
    it.
    """
    loading = Loading.begin(found, deadline, on_stage)
    with proof_server(place, found.spill_folder / SCRATCH) as server:
        try:
            return _drill(server, loading, place)
        except PreconditionFailed as error:  # of a restore: here it means that nothing was proven
            raise DumpUnproven(
                f"`{found.name}` was not restored: {error.message}", hint=error.hint
            ) from error


def _drill(server: ProofServer, loading: Loading, place: ProofPlace) -> DrillOutcome:
    left_over = sweep(server.session)
    without = require_makeable(server, loading, place.rule)
    loading = loading.without(without.keys)
    session, verified = server.session, loading.verified
    with ExitStack() as until, new_database(session, verified) as (name, remarks):
        remarks += [*left_over, *without.remarks]
        loading = replace(loading, remarks=remarks)
        twin = Twin(twin_maker(session, verified, name, until), without.definitions)
        compared = _compared(
            server, loading, twin, dataclasses.replace(session.settings, dbname=name), place
        )
        version = session.server_version
    seconds = round(sum(loading.clock.laps.values()), 3)
    return DrillOutcome(
        dump=verified.name,
        origin=loading.found.origin,
        manifest=verified.manifest,
        proof=Proof(server.where, datetime.now(UTC), version, seconds, without.named),
        tables=compared.tables,
        seconds=loading.clock.laps,
        remarks=remarks,
        uncompared=compared.uncompared,
        schema=compared.schema,
        commit=loading.found.commit,
        bytes=stored_bytes(loading.found.path),
    )


def _compared(
    server: ProofServer, loading: Loading, twin: Twin, scratch: DatabaseSettings, place: ProofPlace
) -> Compared:
    """Load into the scratch database and compare. Raises :class:`DumpUnproven`."""
    judgement = OnDifferences(_HINTS[place.scratch])
    try:
        return load_and_compare(scratch, loading, twin=twin, judgement=judgement, analyze=False)
    except RestoreFailed as error:
        mend = mended(error.__cause__, scratch, loading)
        if mend is None:  # is it the server that cannot make it?
            require_makeable(server, loading, place.rule, always=True)
        raise DumpUnproven(
            f"`{loading.verified.name}` did not restore: {error.message}",
            hint=mend
            or "nothing was published or replaced. If the server is well, the dump is to "
            "blame: look at what the message names.",
        ) from error
