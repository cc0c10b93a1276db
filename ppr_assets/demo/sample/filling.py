"""Filling an empty database with a sample, in one transaction and flat memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import psycopg
from psycopg import sql

from ppr_assets.demo.sample.draw import Draw
from ppr_assets.demo.sample.history import add_history, add_taxonomy
from ppr_assets.demo.sample.organizations import add_organization
from ppr_assets.demo.sample.places import add_location
from ppr_assets.demo.sample.private import add_private
from ppr_assets.demo.sample.services import add_program, add_service
from ppr_assets.demo.sample.tables import SAMPLE_TABLES, Batch, Row
from ppr_assets.demo.sample.vocabulary import Vocabulary
from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.publication.policy import WHOLE, shipped_policy
from ppr_assets.settings import DatabaseSettings

Session = psycopg.Connection[tuple[Any, ...]]

_BATCH = 2_000
"""Organizations whose rows are held at a time: about 15 MB."""


def fill(
    database: DatabaseSettings,
    *,
    organizations: int = 2_500,
    seed: int = 1,
    published_only: bool = False,
) -> Mapping[str, int]:
    """Create the schema and the rows of a sample; returns the rows per table.

    ``published_only``: without what the shipped policy withholds, as somebody has it who restored
    a dump, and without the tables of which nothing is published.

    Everything or nothing is in the database afterwards. About 11,000 organizations make 80 MB of
    dump. Raises :class:`PreconditionFailed` when the database has tables, ``ValueError`` for less
    than one organization.
    """
    if organizations < 1:
        raise ValueError(f"a sample has at least one organization, not {organizations}")
    counts: Counter[str] = Counter()
    with connect(database) as session:
        _require_empty(session, database)
        session.execute(_script("schema.sql"))
        if not published_only:
            session.execute(_script("private.sql"))
        for batch in sample_rows(organizations, seed):
            for table, rows in batch.filled():
                if published_only:
                    rows = published(table, rows)
                if not rows:
                    continue
                _copy(session, table, rows)
                counts[table] += len(rows)
        session.execute(_script("keys.sql"))
    return {table: counts[table] for table in SAMPLE_TABLES if counts[table] or not published_only}


def sample_rows(organizations: int, seed: int) -> Iterator[Batch]:
    """The rows of a sample in batches; a larger sample begins with the rows of a smaller one."""
    words = Vocabulary(seed)
    batch = Batch()
    terms = add_taxonomy(batch, Draw(seed, -2))
    for number in range(organizations):
        _add_family(batch, words, terms, seed, number)
        if (number + 1) % _BATCH == 0:
            yield batch
            batch = Batch()
    yield batch


def _add_family(
    batch: Batch, words: Vocabulary, terms: tuple[str, ...], seed: int, number: int
) -> None:
    """An organization and everything that belongs to it."""
    draw = Draw(seed, number)
    organization = add_organization(batch, draw, words, seed, number)
    locations = [
        add_location(batch, draw, words, organization, first=place == 0)
        for place in range(1 + draw.chance(0.08) + draw.chance(0.03))
    ]
    program = add_program(batch, draw, organization) if draw.chance(0.1) else None
    services = [
        add_service(batch, draw, organization, locations, program)
        for _ in range(1 + draw.chance(0.1) + draw.chance(0.05))
    ]
    keys = {"organization": [organization.id], "location": locations, "service": services}
    add_history(batch, draw, organization, keys, terms)
    add_private(batch, seed, number, locations)


def published(table: str, rows: list[Row]) -> list[Row]:
    """What the shipped policy leaves of them."""
    decided = shipped_policy().tables[table]
    if WHOLE in decided:
        return []
    changed = {
        place: decided[column].text or None
        for place, column in enumerate(SAMPLE_TABLES[table])
        if decided[column].rule != "public"
    }
    return [
        tuple(
            value if value is None else changed.get(place, value) for place, value in enumerate(row)
        )
        for row in rows
    ]


def _require_empty(session: Session, database: DatabaseSettings) -> None:
    found = session.execute(
        "SELECT pg_catalog.count(*), pg_catalog.min(relname) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema'"
        " AND n.nspname !~ '^pg_'"
    ).fetchone()
    if found is not None and found[0]:
        raise PreconditionFailed(
            f"the sample needs an empty database: `{database.describe()}` has {found[0]} tables "
            f"and views, among them `{found[1]}`",
            hint="name a new database; nothing was changed in this one.",
        )


def _script(name: str) -> bytes:
    return resources.files("ppr_assets.demo.sample").joinpath(name).read_bytes()


def _copy(session: Session, table: str, rows: list[tuple[Any, ...]]) -> None:
    into = sql.SQL("COPY public.{} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, SAMPLE_TABLES[table]))
    )
    with session.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
