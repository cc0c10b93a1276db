"""How far long work is: what is noted of it."""

from __future__ import annotations

from ppr_assets.progress import counted, current, is_watched, stage, watched


def test_bytes_are_counted_once_they_were_worked_on_for_the_stage_that_goes_on() -> None:
    assert current() is None
    with stage("loading rows", 30) as loading:
        for chunk in counted([b"x" * 10, b"x" * 20]):
            assert loading.done == (0 if len(chunk) == 10 else 10)
        assert loading.done == 30
        with stage("comparing rows") as within:
            assert current() is within
            assert [*counted([b"12345"])] == [b"12345"]
        assert (within.done, loading.done) == (5, 30)
        assert current() is loading
    assert current() is None
    assert [*counted([b"nobody asks"])] == [b"nobody asks"]


def test_programs_are_asked_how_far_they_are_only_while_somebody_looks_on() -> None:
    assert not is_watched()
    with watched(), watched():
        assert is_watched()
    assert not is_watched()
