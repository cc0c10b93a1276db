"""What is about people and not about food: who corrected or uploaded something, and from where.

Drawn from sources of its own, so that what is published does not depend on it. Names, addresses
and keys are made up: example.org's, and addresses that are kept for documentation (RFC 5737).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ppr_assets.demo.sample.draw import Draw
from ppr_assets.demo.sample.tables import Batch

_SOURCES = -1000
"""The source of the first organization; those of the following ones are below."""

EDITORS = ("pat.sample", "robin.sample", "key-of-the-county", "kim@helpers.example.org")
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "chat bridge 2.1")
_FIELDS = ("name", "description", "longitude", "phone")


def editor_of(number: int) -> str | None:
    """Who corrected the sources of organization ``number`` by hand; nobody did so most often."""
    return EDITORS[number // 9 % len(EDITORS)] if number % 9 == 4 else None


def add_private(batch: Batch, seed: int, number: int, locations: Sequence[str]) -> None:
    """Rows of the tables that no dump holds, for some of the organizations."""
    draw = Draw(seed, _SOURCES - number)
    _, moment = draw.moments()
    if (editor := editor_of(number)) is not None:
        field = draw.pick(_FIELDS)
        batch.add(
            "change_audit", draw.identifier(), locations[0], "update", json.dumps([field]),
            json.dumps({field: None}), json.dumps({field: "corrected"}), editor,
            f"203.0.113.{draw.below(256)}", draw.pick(_AGENTS),
            json.dumps({"chat_user_id": f"U{draw.below(10**9):09}"}), moment,
        )  # fmt: skip
    if number % 50 == 7:
        batch.add(
            "data_upload", draw.identifier(), f"pantries-{number}.csv", draw.digest(),
            1 + draw.below(400), draw.pick(EDITORS), moment,
        )  # fmt: skip
    if number % 30 == 11:
        row = {"id": locations[0], "updated_by": draw.pick(EDITORS)}
        batch.add(
            "reconciler_constraint_violations", "location_pkey", "location", "INSERT",
            json.dumps(row), moment,
        )  # fmt: skip
