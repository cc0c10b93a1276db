"""Whether a dump's relations, constraints and triggers are there by name, and valid.

For a transaction that is still open, whose objects pg_dump cannot see: it would compare their
definitions as well. Every statement of the dump has succeeded by then, so what is missed is what
somebody else took away again: an event trigger of the target, for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import LiteralString

import psycopg

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.postgres.sessions.session import Connection, failed
from ppr_assets.rules.gate.difference import HOLD_DATA, Difference

_RELATIONS: LiteralString = """
SELECT n.nspname, c.relname, coalesce(i.indisvalid OR c.relkind = 'I', true)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
"""
"""A partitioned index is as valid as its parts are, each of which is looked at."""

_CONSTRAINTS: LiteralString = """
SELECT n.nspname, pg_catalog.concat_ws(' ', coalesce(r.relname, t.typname), c.conname),
  c.convalidated AND coalesce(i.indisvalid OR r.relkind = 'p', true)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
LEFT JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
LEFT JOIN pg_catalog.pg_type t ON t.oid = c.contypid
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid AND c.contype IN ('p', 'u', 'x')
"""

_TRIGGERS: LiteralString = """
SELECT n.nspname, pg_catalog.concat_ws(' ', r.relname, t.tgname), true
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
"""

_EVENT_TRIGGERS: LiteralString = """
SELECT t.evtname::pg_catalog.text, e.extname::pg_catalog.text
FROM pg_catalog.pg_event_trigger t
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
  AND d.objid = t.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE t.evtenabled <> 'D' ORDER BY 1
"""

_QUERIES = (
    (_RELATIONS, ("TABLE", "FOREIGN TABLE", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "INDEX")),
    (_CONSTRAINTS, ("CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT")),
    (_TRIGGERS, ("TRIGGER",)),
)

_SPACES = str.maketrans("\n\r", "  ")
"""As in pg_dump's comments."""


def presence_differences(
    connection: Connection, layout: Layout, file: DumpFile
) -> Iterator[Difference]:
    """Hold what the session sees to the dump, by name. Raises :class:`RestoreFailed`."""
    for query, kinds in _QUERIES:
        found = _by_name(connection, query)
        for entry in layout.entries:
            if entry.kind not in kinds:
                continue
            what = f"{entry.kind.lower()} {entry.schema}.{entry.name}"
            valid = found.get((entry.schema, entry.name))
            if valid is None:
                yield Difference(f"{what} is missing", acceptable=entry.kind not in HOLD_DATA)
            elif not valid and not _need_not_hold(file.read(entry.start, entry.end)):
                yield Difference(f"{what} is not valid", acceptable=True)


def event_triggers(connection: Connection, layout: Layout) -> Sequence[str]:
    """Those that act on what is defined, and belong to no extension of the dump's. Raises
    :class:`RestoreFailed`."""
    try:
        found = connection.execute(_EVENT_TRIGGERS).fetchall()
        return [name for name, extension in found if extension not in layout.extensions]
    except psycopg.Error as error:
        raise failed("the look at event triggers", error) from error


def acted(connection: Connection, layout: Layout) -> Iterator[str]:
    """What a human should know of event triggers that the database had before the dump."""
    own = {entry.name for entry in layout.entries if entry.kind == "EVENT TRIGGER"}
    if others := [name for name in event_triggers(connection, layout) if name not in own]:
        yield (
            f"not compared: what event trigger {', '.join(others)}, which is not in the dump, may "
            "have changed in the definitions of its objects"
        )


def _by_name(connection: Connection, query: LiteralString) -> Mapping[tuple[str, str], bool]:
    try:
        rows = connection.execute(query).fetchall()
    except psycopg.Error as error:
        raise failed("the comparison of the objects", error) from error
    return {
        (schema.translate(_SPACES), name.translate(_SPACES)): valid for schema, name, valid in rows
    }


def _need_not_hold(definition: bytes) -> bool:
    """Whether the dump itself says that rows were not, or are not, held to the constraint."""
    return b" NOT VALID" in definition or b" NOT ENFORCED" in definition
