"""The kinds as a whole: told apart, with their sources, and with triggers that miss nothing."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.finds.all_kinds import KINDS
from ppr_assets.rules.finds.keys import KEYS
from ppr_assets_tests import planted
from ppr_assets_tests.places import ROOT

PAGE = ROOT / "docs" / "searched-forms.md"
BY_NAME = {kind.name: kind for kind in KINDS}


def test_each_kind_has_a_name_of_its_own_and_a_source() -> None:
    assert len(BY_NAME) == len(KINDS)
    assert all(kind.source for kind in KINDS)


def test_the_page_of_forms_names_every_kind_and_its_source() -> None:
    lines = [f"| {kind.name} | {kind.source} |" for kind in KINDS]
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert [row for row in rows if not row.startswith(("| what", "| ---"))] == lines


@given(st.sampled_from(sorted(planted.KEYS)), st.integers())
def test_a_key_is_its_own_kind_alone(name: str, seed: int) -> None:
    """What a message calls a Slack token is none of GitHub's."""
    value = planted.KEYS[name](Random(seed)).encode()
    assert [kind.name for kind in KEYS if kind.found(value, "")] == [name]


@pytest.mark.parametrize("name", sorted(planted.KEYS))
def test_a_key_that_is_cut_short_is_none(name: str) -> None:
    value = planted.KEYS[name](Random(1)).encode()
    assert BY_NAME[name].found(value, "")
    assert not BY_NAME[name].found(value[:12], "")


@pytest.mark.parametrize("name", ["AWS access key", "Databricks token", "Twilio key", "npm token"])
def test_a_part_of_a_word_is_no_key(name: str) -> None:
    value = planted.KEYS[name](Random(1)).encode()
    assert not BY_NAME[name].found(b"word" + value, "")
