"""The first few of many words."""

from ppr_assets.rules.wording import few


def test_the_first_few_and_how_many_there_are_beside() -> None:
    assert few([], 2) == ""
    assert few(["a", "b"], 2) == "a, b"
    assert few(["a", "b", "c"], 2) == "a, b and 1 more"
    assert few([1, 2, 3, 4], 2, between="; ", rest="; {} more tables") == "1; 2; 2 more tables"
