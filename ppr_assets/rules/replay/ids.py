"""Ids that follow from what a record is: the same record has the same id in every replay."""

from __future__ import annotations

import uuid
from hashlib import sha1

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/For-The-Greater-Good/HAARRRvest")


def record_id(kind: str, scraper: str, *natural_key: str) -> str:
    """The UUIDv5 of a record: its kind (the table), its scraper, and what it is known by there."""
    words = "\x1f".join((kind, scraper, *natural_key))  # no published text holds this character
    return _uuid5(NAMESPACE.bytes, words)


def child_id(kind: str, parent: str, *content: object) -> str:
    """Of what is known by its parent and its content alone: a schedule, a phone, an address."""
    return _uuid5(bytes.fromhex(parent.replace("-", "")), "\x1f".join((kind, *map(repr, content))))


def _uuid5(namespace: bytes, name: str) -> str:
    """As :func:`uuid.uuid5` says it, without an object for each id: a replay makes some ten of each
    file."""
    found = sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"
