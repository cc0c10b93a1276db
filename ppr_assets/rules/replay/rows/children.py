"""The rows of what hangs on a record, and has its id from its parent and its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ppr_assets.rules.replay.ids import child_id, record_id
from ppr_assets.rules.replay.record import Attribute, Contact, Phone, Term, content
from ppr_assets.rules.replay.rows.columns import Row, columns_of


def reached_by(
    parent: str, here: Mapping[str, str], phones: Iterable[Phone], contacts: Iterable[Contact]
) -> Iterator[Row]:
    for phone in phones:
        row = child("phone", parent, phone, here)
        yield row
        for language in phone.languages:
            yield child("language", row[1]["id"], language, {"phone_id": row[1]["id"]})
    for contact in contacts:
        row = child("contact", parent, contact, here)
        yield row
        yield from reached_by(row[1]["id"], {"contact_id": row[1]["id"]}, contact.phones, ())


def attributes(parent: str, table: str, told: Iterable[Attribute]) -> Iterator[Row]:
    """With the terms that they are values of; one of the same words is one, whoever told it."""
    for one in told:
        term = term_id(one.term)
        yield "taxonomy_term", {**columns_of(one.term), "id": term}
        here = {"link_id": parent, "link_entity": table, "taxonomy_term_id": term}
        yield child("attribute", parent, one, here)


def term_id(term: Term) -> str:
    return record_id("taxonomy_term", "", *map(repr, content(term)))


def child(table: str, parent: str, record: Any, here: Mapping[str, str]) -> Row:
    own = child_id(table, parent, *content(record))
    return table, {**columns_of(record), "id": own, **here}
