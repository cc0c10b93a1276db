"""Where a text may have a form: told at every place where it may, and hardly anywhere else."""

from __future__ import annotations

from random import Random

import hyperscan
import pytest

from ppr_assets.plain_sql.searched_values import Scanner
from ppr_assets.plain_sql.triggers import Hit, Triggers, compile_ahead
from ppr_assets.rules.finds.all_kinds import KINDS
from ppr_assets_tests.planted import KEYS, PERSONS

PLACE = {kind.name: place for place, kind in enumerate(KINDS)}
TEXT = b"Food, on Friday. 0199 is no 3f2a:11 of ours.\n"


@pytest.mark.parametrize("kind", ["Mailgun key", "IPv6 address"])
def test_what_is_digits_alone_is_told_once_in_a_value(kind: str) -> None:
    make = {**KEYS, **PERSONS}[kind]
    for seed in range(9):
        value = make(Random(seed))
        text = TEXT + f"{value}; {value}\n".encode() + TEXT
        hits = [at for at, number in Triggers(KINDS).hits_in_rows(text) if number == PLACE[kind]]
        assert len(hits) == 1
        assert len(TEXT) < hits[0] < len(TEXT) + len(value)


def test_of_many_bytea_only_those_with_a_trigger_are_told() -> None:
    triggers = Triggers(KINDS)
    hashes = [Random(seed).randbytes(32) for seed in range(300)]
    assert not any(map(triggers.hits, hashes))
    rows = [b"7\t\\\\x" + one.hex().encode() + b"\n" for one in hashes]
    assert not triggers.hits_in_rows(b"".join(rows))
    key = KEYS["GitHub token"](Random(1)).encode("utf-16-le").hex().encode()
    ahead = b"".join(rows[:100])
    found = triggers.hits_in_rows(ahead + b"8\t\\\\x" + key + b"\n" + b"".join(rows[100:]))
    assert found == [Hit(len(ahead) + 2, triggers.bytea)]


def test_kinds_that_no_run_of_digits_has_are_searched_for_alone() -> None:
    github = [KINDS[PLACE["GitHub token"]]]
    key = KEYS["GitHub token"](Random(1)).encode()
    hits = Triggers(github).hits_in_rows(b"0123456789abcdef0123456789\t" + key + b"\n")
    assert [hit.number for hit in hits] == [0]


def test_what_was_begun_ahead_is_what_scanners_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[hyperscan.Database] = []
    make = hyperscan.Database

    def made_one() -> hyperscan.Database:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(hyperscan, "Database", made_one)
    kinds = KINDS[:7]
    compile_ahead(kinds)
    assert Scanner(kinds=kinds).finds == Scanner(kinds=kinds).finds
    assert len(made) == 1
