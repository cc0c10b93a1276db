"""The server on which dumps are tried, and a session there that makes scratch databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from msgspec import Struct

from ppr_assets.errors import PreconditionFailed
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.postgres.databases.maintenance import Maintenance, maintenance
from ppr_assets.postgres.databases.names import SCRATCH
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.settings import DatabaseSettings, Settings

_SERVER = "postgres"


class ProofPlace(Struct, frozen=True):
    """Where dumps of ``database`` are tried: on its own ``server``, on an ``embedded`` one, or
    ``elsewhere``, which is then given. ``scratch`` is what the scratch database's name has after
    that of ``database``. ``rule``: kinds or objects to go without where they cannot be made."""

    database: DatabaseSettings
    where: str
    elsewhere: DatabaseSettings | None = None
    scratch: str = SCRATCH
    rule: Sequence[str] = ()

    @classmethod
    def of(
        cls, settings: Settings, *, where: str | None = None, scratch: str = SCRATCH
    ) -> ProofPlace:
        """``where``, or what SQL_DUMP_PROOF says; where that is off, a drill wants a server in any
        case. Raises :class:`SettingsError` where no server elsewhere is named."""
        dump = settings.dump
        place = where or ("server" if dump.proof == "off" else dump.proof)
        elsewhere = dump.require_proof_server() if place == "elsewhere" else None
        return cls(settings.database, place, elsewhere, scratch, dump.proof_without)


class ProofServer(Struct, frozen=True):
    """``where`` it is: ``server`` (the database's own), ``embedded`` or ``elsewhere``; ``target``
    is that of a restore. ``instead``: embedded only because the role may not make databases on its
    own server."""

    where: str
    session: Maintenance
    instead: bool = False

    @property
    def described(self) -> str:
        version = self.session.server_version
        if self.where == "embedded":
            return f"the embedded server (PostgreSQL {version})"
        settings = self.session.settings
        if self.where == "target":
            return f"this server (PostgreSQL {version})"
        if self.where == "elsewhere":
            return f"the server of PPR_PROOF_HOST ({settings.host}, PostgreSQL {version})"
        return f"the database's own server (PostgreSQL {version})"

    @property
    def ways_out(self) -> str:
        """Other servers that a dump can be proven on, for hints."""
        elsewhere = (
            "SQL_DUMP_PROOF=elsewhere with PPR_PROOF_HOST, _USER and _PASSWORD proves dumps on "
            "another server of yours, whose role may"
        )
        if self.where == "target":
            return "Or restore as a role that may, or to another server"
        if self.where == "server":
            return f"SQL_DUMP_PROOF=embedded proves dumps on an embedded server, {elsewhere}"
        if self.where == "elsewhere":
            return "Give PPR_PROOF_USER what it lacks, or name another server in PPR_PROOF_HOST"
        own = "let the role make scratch databases on its own server (`ALTER ROLE … CREATEDB`)"
        if not self.instead:
            own = "SQL_DUMP_PROOF=server proves dumps beside the database itself"
        return f"{own[0].upper()}{own[1:]}; {elsewhere}"

    def by_rule(self, objects: Sequence[str]) -> str:
        """How to go on without them, for hints."""
        names = ", ".join(dict.fromkeys(objects))
        setting = f'To go without on purpose, set SQL_DUMP_PROOF_WITHOUT="{names}"'
        if self.where == "target":
            return f"{setting}; nothing was changed."
        return (
            f"{setting}: dumps are proven but for that then, and say so. SQL_DUMP_PROOF=off "
            "publishes unproven dumps, and records that."
        )


@contextmanager
def proof_server(place: ProofPlace, folder: Path) -> Iterator[ProofServer]:
    """A session with the server of ``place``. An embedded one works in ``folder``, and ends with
    this.

    Raises :class:`Busy` while another one has the same scratch database, and
    :class:`PreconditionFailed` where the role elsewhere may make none.
    """
    database, where, elsewhere = place.database, place.where, place.elsewhere
    # Beside the target by name as well, so that an operator knows what it belongs to.
    name = f"{database.dbname}_{place.scratch}"
    if where == "server":
        with maintenance(replace(database, dbname=name), home=database.dbname) as session:
            if session.may_create():
                yield ProofServer(where, session)
                return
    if where == "elsewhere" and elsewhere is not None:
        with maintenance(replace(elsewhere, dbname=name), home=elsewhere.dbname) as session:
            if not session.may_create():
                raise PreconditionFailed(
                    f"role {elsewhere.user} of PPR_PROOF_USER may not create databases on "
                    f"{elsewhere.host}, and dumps are proven in one",
                    hint=f"ALTER ROLE {quote_identifier(elsewhere.user)} CREATEDB; or name another "
                    "role, or another server.",
                )
            yield ProofServer(where, session)
            return
    from ppr_assets.postgres import embedded  # most proofs run on a server that is there

    with scratch_folder(folder) as empty:
        server = embedded.start(empty / _SERVER)
        with maintenance(server.database_settings(place.scratch)) as session:
            yield ProofServer("embedded", session, instead=where == "server")
