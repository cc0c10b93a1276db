"""What is recorded of a commit comes back, and nothing else is taken for that."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.recorded.commit import CommitRecord

RECORD = CommitRecord(
    commit="1f3a",
    date=datetime(2026, 11, 22, 2, tzinfo=UTC),
    author="Ann Lee <ann@example.org>",
    message="Reset the ratchet: mark 200 to 134\n",
    number=3,
    files={".record_count_ratchet": b'{"max_record_count": 134}\n'},
)


def test_it_comes_back_from_its_text() -> None:
    assert CommitRecord.from_json(RECORD.to_json()) == RECORD


@pytest.mark.parametrize("name", ["../README.md", "latest.sql", ""])
def test_only_mark_and_policy_can_be_put_back(name: str) -> None:
    told = json.loads(RECORD.to_json())
    told["files"][name] = "mine"
    with pytest.raises(DumpDamaged) as caught:
        CommitRecord.from_json(json.dumps(told))
    assert caught.value.message == (
        f"the record of a commit cannot be read: files has `{name}`, must have mark and policy "
        "alone"
    )
