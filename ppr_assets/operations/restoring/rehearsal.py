"""Find out, before anything is loaded, what of a dump cannot be made, and go without it or say why.

The role may not, the server cannot, or the database itself is to be mended: three reasons that want
three answers, and none of them is a fault of the dump.

Nothing is left out by itself but what nobody misses: a comment for which one has to own an
extension, a schema that is there already, no rows for a table that the role may not fill. All else
needs a rule that somebody has set, and is recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import psycopg
from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.errors import PreconditionFailed, RestoreFailed
from ppr_assets.operations.restoring.loading import Loading
from ppr_assets.operations.restoring.new_database import new_database, set_as_target
from ppr_assets.operations.restoring.proof_server import ProofServer
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.entries import Key
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.plain_sql.tables.shortened import Shortened
from ppr_assets.postgres.compare.schema_content import definitions_in
from ppr_assets.postgres.compare.schema_objects import Objects, Within
from ppr_assets.postgres.databases.fitness import missing_extensions, require_server
from ppr_assets.postgres.rehearsal.beside_database import make_what_is_beside
from ppr_assets.postgres.rehearsal.in_place import refused_in_place
from ppr_assets.postgres.rehearsal.rehearsal import RefusedObject, rehearse
from ppr_assets.postgres.rehearsal.remedies import remedies
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.postgres.snapshot.mending import mending
from ppr_assets.rules.gate.replacement import DEPENDENTS
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings

_LET_BY = "SQL_DUMP_PROOF_WITHOUT"
"""Who usually says what may be gone without."""
ON_REQUEST = "--without-extensions"
"""Who says so of what needs them as well."""

_NAMED = frozenset({"INDEX", "CONSTRAINT", "FK CONSTRAINT"})
"""Kinds of objects that a refused row is reported with by name."""

_HOLDING_ROWS = frozenset({"TABLE", "SEQUENCE", "SCHEMA", "TABLE DATA", "MATERIALIZED VIEW"})


class Without(Struct, frozen=True):
    """``keys`` of entries that are not made. ``named``: what a rule has let go, for the record;
    ``remarks`` are for a human. ``definitions``: what the dump's statements gave where they were
    tried, and all of them were taken. ``shortened``: tables that are made without a part."""

    keys: frozenset[Key] = frozenset()
    named: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    definitions: Objects | None = None
    shortened: Shortened = field(default_factory=Shortened)


def require_makeable(
    server: ProofServer,
    loading: Loading,
    rule: Sequence[str],
    *,
    always: bool = False,
    unmade: bool = False,
) -> Without:
    """What the dump has to be loaded without, by ``rule``; tried in a database of its own.

    A superuser may make everything, so it is tried for that one only if there is a ``rule``, or
    ``always``, which is for those who load nothing afterwards. ``unmade``: tell also of what can be
    made nowhere, which loading does as well.
    Raises :class:`PreconditionFailed` naming what is in the way.
    """
    session, verified = server.session, loading.verified
    require_taker(server, verified.layout, rule)
    dump = loading.plain()
    if server.where == "embedded":
        make_what_is_beside(session.connection, dump, verified.layout)
    if not (always or rule or not session.is_superuser):
        return Without()
    with new_database(session, verified) as (name, _):
        scratch = dataclasses.replace(session.settings, dbname=name)
        set_as_target(session, name, verified)
        refused, shortened = rehearse(
            scratch,
            dump,
            verified.layout,
            deadline=loading.deadline,
            shorten=DEPENDENTS in rule,
        )
        without, obstacles = _going_without(refused, rule)
        if any(unmade or one.reason in ("role", "server") for one in obstacles):
            broken = [one.error for one in obstacles if one.reason == "database"]
            hints = filter(None, (mended(error, scratch, loading) for error in broken))
            raise _in_the_way(server, obstacles, hints)
        if not refused and not always:
            without = replace(without, definitions=_definitions(scratch, loading))
    return replace(without, shortened=shortened)


def _definitions(scratch: DatabaseSettings, loading: Loading) -> Objects | None:
    """What has been made, to compare with later, when it would cost a database of its own."""
    layout = loading.verified.layout
    if layout.unrecognised:  # not all of it was tried
        return None
    try:
        within = Within(loading.found.spill_folder, loading.deadline)
        return definitions_in(scratch, layout, within)
    except RestoreFailed:  # then it fails again, and is told, where it is needed
        return None


def require_makeable_in_place(
    server: ProofServer,
    connection: Connection,
    dump: PlainDump,
    layout: Layout,
    rule: Sequence[str],
) -> Without:
    """The same for a restore over what is there, in the transaction open on ``connection``: what an
    administrator has made there is used."""
    without, obstacles = _going_without(refused_in_place(connection, dump, layout), rule)
    if any(one.reason == "role" for one in obstacles):
        raise _in_the_way(server, obstacles, [], database=connection.info.dbname)
    return without


def mended(cause: BaseException | None, scratch: DatabaseSettings, loading: Loading) -> str | None:
    """What to do where loading ``scratch`` has shown that the database itself is to be mended."""
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        return None
    dump = loading.plain()

    def definition(name: str) -> str:
        with DumpFile(dump) as file:
            for entry in loading.verified.layout.entries:
                if entry.kind in _NAMED and f" {entry.name}".endswith(f" {name}"):
                    return file.read(entry.start, entry.end).decode("utf-8", "replace")
        return ""

    with connect(scratch, autocommit=True) as connection:
        return mending(cause, connection, definition)


def require_taker(server: ProofServer, layout: Layout, rule: Sequence[str]) -> None:
    """Raise :class:`PreconditionFailed` where the server is a standby, too old for the dump, or
    lacks an extension."""
    connection = server.session.connection
    named = [name for name in layout.extensions if _covers(rule, "EXTENSION", name)]
    layout = layout.without(frozenset(("EXTENSION", "-", name) for name in named))
    lacking = missing_extensions(connection, layout)
    if lacking and server.where == "embedded":
        raise PreconditionFailed(
            f"it needs the extension {', '.join(lacking)}, which the embedded server lacks",
            hint=f"{server.ways_out}. {server.by_rule([f'extension {name}' for name in lacking])}",
        )
    require_server(connection, layout)


def _in_the_way(
    server: ProofServer,
    obstacles: Sequence[RefusedObject],
    mends: Iterable[str],
    *,
    database: str = "",
) -> PreconditionFailed:
    role = server.session.settings.user
    obstacles = [
        one for one in obstacles if (one.kind, one.reason) != ("TABLE DATA", "needs another")
    ]
    said = []
    for reason, begin in (
        ("role", f"role {role} may not make"),
        ("server", f"{server.described} cannot make"),
        ("database", "nowhere can be made"),
        ("needs another", "without that there is no"),
    ):
        if some := [one for one in obstacles if one.reason == reason]:
            said.append(f"{begin} {few(some, 8)}")
    hints = [*dict.fromkeys(mends)]
    if any(one.reason in ("role", "server") for one in obstacles):
        hints += [f"{sentence}." for sentence in remedies(obstacles, role, database=database)]
        hints.append(f"{server.ways_out}.")
        if not any(one.kind in _HOLDING_ROWS or one.reason == "database" for one in obstacles):
            hints.append(server.by_rule([one.what.partition("(")[0] for one in obstacles]))
    if not hints:
        hints = ["nothing was published or replaced; look at what is named here in the database."]
    return PreconditionFailed("; ".join(said), hint=" ".join(hints))


def _going_without(
    refused: Sequence[RefusedObject], rule: Sequence[str]
) -> tuple[Without, list[RefusedObject]]:
    """What can be gone without, and what stands in the way. With :data:`DEPENDENTS` in the
    ``rule``, what needs something that goes, goes too, rows included."""
    nobody_misses = [one for one in refused if _is_free(one)]
    let_go = [one for one in refused if one not in nobody_misses and _is_named(one, rule)]
    gone = {one.name for one in let_go if one.kind == "EXTENSION"}
    rest = [one for one in refused if one not in nobody_misses and one not in let_go]
    rows = [one for one in rest if gone and one.kind == "TABLE DATA"]
    let_go += rows
    comments = [one for one in nobody_misses if one.kind == "COMMENT" and one.reason == "role"]
    let_by = ON_REQUEST if DEPENDENTS in rule else _LET_BY
    return (
        Without(
            frozenset((one.kind, one.schema, one.name) for one in (*nobody_misses, *let_go)),
            tuple(one.what for one in let_go),
            tuple(
                [f"not set, which only an owner may: {one.what}" for one in comments]
                + [f"left out, as {let_by} lets it: {one}" for one in let_go]
            ),
        ),
        [one for one in rest if one not in rows],
    )


def _covers(rule: Sequence[str], kind: str, name: str) -> bool:
    """Whether one of the rule's items names this kind, or this object; functions also without
    their arguments."""
    names = {f"{kind} {name}".lower(), f"{kind} {name.partition('(')[0]}".lower(), kind.lower()}
    return any(item.lower() in names for item in rule)


def _is_free(one: RefusedObject) -> bool:
    if one.kind == "COMMENT":
        return one.reason in ("role", "needs another")
    no_rows = one.kind == "TABLE DATA" and one.reason == "role" and not one.rows
    return one.reason == "there" or no_rows


def _is_named(one: RefusedObject, rule: Sequence[str]) -> bool:
    if one.reason == "needs another" and DEPENDENTS in rule:
        return True
    return one.reason != "database" and _covers(rule, one.kind, one.name)
