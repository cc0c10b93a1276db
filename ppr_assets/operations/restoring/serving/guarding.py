"""Refuse a restore that would take records away, before anything is replaced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import psycopg
from msgspec import Struct, field

from ppr_assets.errors import Busy, DatabaseUnreachable, GateRefused, NoRecords, PreconditionFailed
from ppr_assets.operations.publishing.gate import policy
from ppr_assets.operations.restoring.serving.only_here import OnlyHere, only_here
from ppr_assets.operations.restoring.serving.target import IN_PLACE_INSTEAD
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.session import Connection, failed
from ppr_assets.postgres.snapshot.records import count_records
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import Guard, judged_tables, shortfalls
from ppr_assets.rules.policy import CORE_TABLES, GatePolicy
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import few
from ppr_assets.settings import DatabaseSettings, DumpSettings

T = TypeVar("T")

_PATIENCE = "SET LOCAL lock_timeout = '5s'"


class Coming(Struct, frozen=True):
    """What comes into the place of what serves, in words: ``name`` it, what was ``done`` then, the
    ``way_out`` for whoever is refused, and what can be done ``instead`` by a role that may make no
    database."""

    name: str
    done: str
    way_out: str
    instead: str


A_RESTORE = Coming(
    "the restore",
    "a dump was restored",
    "nothing was replaced. Is it the right dump (`ppr-assets list`), and whole? `ppr-assets "
    "restore --into NAME` looks at it in a database of its own. To take it all the same: "
    '--override "why".',
    IN_PLACE_INSTEAD,
)


def restored(dump: str) -> str:
    """What was done, where it is to be remembered."""
    return f"`{dump}` was restored"


class Serving(Struct, frozen=True):
    """Records by table of the database that is to be replaced; ``unknown`` says why nobody could
    count them. ``only_here``: what of it the dump leaves out on purpose."""

    counts: Mapping[str, int] = field(default_factory=dict)
    unknown: str = ""
    only_here: tuple[OnlyHere, ...] = ()

    @property
    def brought(self) -> Mapping[str, int]:
        """The records that a dump could bring; of core tables all."""
        left_out = {one.table for one in self.only_here if not one.column} - {*CORE_TABLES}
        return {table: rows for table, rows in self.counts.items() if table not in left_out}


class Judged(Struct, frozen=True):
    """``override`` only where it was needed; ``only_here`` as in :class:`Serving`."""

    remarks: list[str]
    override: Override | None = None
    only_here: tuple[OnlyHere, ...] = ()


def guard_of(settings: DumpSettings, *, for_service: bool, override: Override | None) -> Guard:
    """What the settings let a restore take away, and what a human does this once."""
    by = override.by if override and override.by else settings.operator
    return Guard(policy(settings), for_service, override, by, settings.proof_without)


def serving(settings: DatabaseSettings, guard: Guard, manifest: Manifest | None) -> Serving:
    """Count what serves now, also of what a dump with this ``manifest`` leaves out. It may be
    damaged, locked, or not ours to read, which is said."""
    try:
        with connect(settings) as connection:
            return serving_in(connection, guard.policy, manifest)
    except DatabaseUnreachable as error:
        return Serving(unknown=error.message)
    except psycopg.OperationalError as error:
        return Serving(unknown=" ".join(str(error).split()))


def serving_in(
    connection: Connection,
    policy: GatePolicy,
    manifest: Manifest | None,
    *,
    beside: Collection[str] = (),
) -> Serving:
    """The same in a session that is there, which holds no lock afterwards; ``beside``: tables that
    are to be counted beside those that the ratchet judges."""
    wanted = None if policy.tables is None else {*CORE_TABLES, *policy.tables, *beside}

    def counted() -> Mapping[str, int]:
        counts = count_records(connection, wanted, partitioned=wanted is not None)
        return count_records(connection) if counts.keys().isdisjoint(CORE_TABLES) else counts

    counts, unknown = _asked(connection, counted)
    left_out, unseen = _asked(connection, lambda: only_here(connection, manifest))
    return Serving(counts or {}, unknown or unseen, left_out or ())


def _asked(connection: Connection, ask: Callable[[], T]) -> tuple[T | None, str]:
    """The answer, or why there is none."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(_PATIENCE)
            connection.execute("SET LOCAL row_security = off")
            return ask(), ""
    except (Busy, PreconditionFailed) as error:
        return None, error.message
    except psycopg.Error as error:
        if connection.closed:
            raise
        return None, error.diag.message_primary or " ".join(str(error).split())


def names_read(connection: Connection, names: Collection[str], encoding: str) -> frozenset[str]:
    """Names out of a dump in ``encoding``, whose bytes nobody has read yet, as this session has
    those of the server."""
    if encoding in ("UTF8", "SQL_ASCII"):
        return frozenset(names)
    found = connection.execute(
        "SELECT pg_catalog.convert_from(name, %s) "
        "FROM pg_catalog.unnest(%s::pg_catalog.bytea[]) AS name",
        [encoding, [name.encode("utf-8", "surrogateescape") for name in names]],
    )
    return frozenset(name for (name,) in found)


def require_countable(now: Serving) -> None:
    """Raise :class:`GateRefused` where nobody knows what would be lost for good."""
    if now.unknown:
        raise GateRefused(
            f"nobody knows what would be lost: the records that serve cannot be counted: "
            f"{now.unknown}",
            hint="nothing was replaced. A restore that keeps the former database needs no count "
            '(without --in-place, --drop-old); to take it all the same: --override "why".',
        )


def require_akin(now: Serving, made: Collection[str], guard: Guard) -> list[str]:
    """Raise :class:`GateRefused` where a dump that makes the tables ``made`` is none of what serves
    ``now``, which would stand beside what came. Returns what was overridden."""
    core = [table for table in CORE_TABLES if now.counts.get(table)]
    holding = core or [table for table in sorted(now.counts) if now.counts[table]]
    strange = [table for table in holding if table not in made]
    if not strange or not (core or len(strange) == len(holding)):
        return []
    said = f"the dump makes no table {few(strange, 5)}, where records serve"
    if guard.override is None:
        raise GateRefused(f"the dump is not one of this database: {said}", hint=A_RESTORE.way_out)
    return [f"overridden ({guard.override.reason}): {said}"]


def require_kept(
    restored: Connection,
    now: Serving,
    guard: Guard,
    *,
    every: bool = False,
    coming: Coming = A_RESTORE,
) -> Judged:
    """Hold what came back to what serves ``now``. Raises :class:`GateRefused`, and
    :class:`RestoreFailed` where what came back cannot be counted."""
    serves = now.brought
    judged = list(serves) if every else judged_tables(serves, guard.policy)
    try:
        wanted = {*CORE_TABLES, *judged}
        kept = count_records(restored, wanted, partitioned=True, owned=True)
        hollow = _hollow(restored, kept)
    except psycopg.Error as error:
        raise failed("the count of records", error) from error
    findings = [*map(str, shortfalls(serves, kept, guard.policy, every=every))]
    if every and now.only_here:
        findings.append(f"{few(now.only_here, 20)} would be gone")
    empty = hollow if guard.for_service and not findings else ""
    if empty and guard.override is None:
        raise NoRecords(
            f"{coming.name} would give a database without records: {empty}", hint=coming.way_out
        )
    if findings and guard.override is None:
        raise GateRefused(
            f"{coming.name} would take records away: {few(findings, 5, between='; ')}",
            hint=coming.way_out,
        )
    findings += [empty] if empty else []
    remarks = [f"records of what serves were not counted: {now.unknown}"] if now.unknown else []
    if findings:
        assert guard.override is not None
        remarks.append(f"overridden ({guard.override.reason}): {'; '.join(findings)}")
        return Judged(remarks, guard.override, now.only_here)
    return Judged([*remarks, *([hollow] if hollow else [])], only_here=now.only_here)


def _hollow(restored: Connection, core: Mapping[str, int]) -> str:
    """What is said of a database without records; empty where there are any."""
    there = [table for table in CORE_TABLES if table in core]
    if any(core[table] for table in there):
        return ""
    if there:
        return f"no record came back in {', '.join(there)}"
    if any(count_records(restored, owned=True).values()):
        return ""
    return "no table has a record"
