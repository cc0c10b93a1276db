"""Ids that follow from what a record is: the same record has the same id in every replay."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/For-The-Greater-Good/HAARRRvest")


def record_id(kind: str, scraper: str, *natural_key: str) -> str:
    """The UUIDv5 of a record: its kind (the table), its scraper, and what it is known by there."""
    words = "\x1f".join((kind, scraper, *natural_key))  # no published text holds this character
    return str(uuid.uuid5(NAMESPACE, words))


def child_id(kind: str, parent: str, *content: object) -> str:
    """Of what is known by its parent and its content alone: a schedule, a phone, an address."""
    return str(uuid.uuid5(uuid.UUID(parent), "\x1f".join((kind, *map(repr, content)))))
