from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.settings import kinds
from ppr_assets.settings.kinds import UnusableValueError


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "Yes", "on"])
def test_these_words_are_true(text: str) -> None:
    assert kinds.boolean(text) is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "NO", "off"])
def test_these_words_are_false(text: str) -> None:
    assert kinds.boolean(text) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.9", "0.9"), (".5", "0.5"), ("1", "1"), ("1.", "1"), ("0.925", "0.925")],
)
def test_a_share_is_the_decimal_that_was_written(text: str, value: str) -> None:
    assert kinds.share(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("90", "For 90 % write 0.9."),
        ("92.5", "For 92.5 % write 0.925."),
        ("100", "For 100 % write 1."),
        ("101", ""),
    ],
)
def test_a_percentage_written_as_such_is_told_its_share(text: str, hint: str) -> None:
    with pytest.raises(UnusableValueError) as caught:
        kinds.share(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[(kinds.boolean, text) for text in ("yes please", "2", "t", "")],
        *[(kinds.share, text) for text in ("-1", "nan", "inf", "abc", "0", "0.0", "9e-1", "1.01")],
        *[(kinds.share, text) for text in ("90%", "0,9", "٩", ".", "1_0")],
        *[(kinds.seconds, text) for text in ("0", "-5", "inf", "nan", "86401", "9" * 400, "5s")],
        *[(kinds.days, text) for text in ("0", "-1", "1.5", "36501", "9" * 30)],
        *[(kinds.count_of_records, text) for text in ("0", "-1", "many", "1e3", "9" * 30)],
        *[(kinds.line, text) for text in ("a\nb", "a\0b", "\x7f")],
        *[(kinds.token, text) for text in ("a b", "a\n", "a\tb")],
        *[(kinds.absolute_folder, text) for text in ("relative", "./x", "C:/x")],
        *[(kinds.folder, text) for text in ("a\nb", "~nobody-of-that-name/x")],
    ],
)
def test_what_cannot_be_used_is_not_read_as_something_else(
    kind: Callable[[str], object], text: str
) -> None:
    with pytest.raises(UnusableValueError):
        kind(text)


@given(st.text())
def test_no_text_breaks_a_kind(text: str) -> None:
    for kind in (
        kinds.boolean,
        kinds.share,
        kinds.seconds,
        kinds.days,
        kinds.count_of_records,
        kinds.token,
        kinds.folder,
        kinds.absolute_folder,
    ):
        try:
            kind(text)
        except UnusableValueError:
            continue


def test_a_folder_may_start_with_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert kinds.folder("~/clone") == Path("/home/someone/clone")


def test_a_relative_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert kinds.folder("clone") == tmp_path / "clone"


def test_a_floor_of_zero_is_shown_the_override() -> None:
    with pytest.raises(UnusableValueError) as caught:
        kinds.count_of_records("0")
    assert "ALLOW_EMPTY_SQL_DUMP=true" in caught.value.hint


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), (".5", 0.5), ("10", 10.0)])
def test_gigabytes_may_be_less_than_one(text: str, value: float) -> None:
    assert kinds.gigabytes(text) == value


@pytest.mark.parametrize("text", ["0", "-1", "5 GB", "1e3", "nan", "inf", "", "1000000"])
def test_a_size_that_nobody_can_mean_is_unusable(text: str) -> None:
    with pytest.raises(UnusableValueError):
        kinds.gigabytes(text)


@pytest.mark.parametrize(
    ("text", "value"), [("95", 95_000_000), ("0.25", 250_000), ("0", None), ("0.", None)]
)
def test_no_megabytes_are_no_limit(text: str, value: int | None) -> None:
    assert kinds.megabytes(text) == value


@pytest.mark.parametrize("text", ["-1", "95 MB", "1e2", "nan", "", "all", "1000000000"])
def test_a_limit_that_nobody_can_mean_is_unusable(text: str) -> None:
    with pytest.raises(UnusableValueError):
        kinds.megabytes(text)


@pytest.mark.parametrize(
    "text", ["", "  ", "two\nlines", "\x1b[31mred", "\x9b31m", "\u202eeoZ", "a\u2028b", "Z\udceb"]
)
def test_a_name_that_others_could_not_read_is_unusable(text: str) -> None:
    with pytest.raises(UnusableValueError):
        kinds.name(text)


def test_names_and_reasons_of_all_scripts_and_of_some_length_can_be_read() -> None:
    for text in ("Zoë O'Hara “Zo” <zoe@example.org>", "नमस्\u200dते", "李小龍", "n" * 100):
        assert kinds.name(f" {text} ") == text
    assert kinds.sentence(" the county\n\n has\u2028closed\t") == "the county has closed"
    assert kinds.sentence("字" * 500) == "字" * 500
    for kind, most in ((kinds.name, 100), (kinds.sentence, 500)):
        with pytest.raises(UnusableValueError):
            kind("n" * (most + 1))
