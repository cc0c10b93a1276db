"""The list of verbs, and what helps who has not typed one of them."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import click
import pytest

from ppr_assets.cli import VERBS, cli


@pytest.mark.parametrize("columns", [60, 80])
def test_the_list_of_verbs_has_every_sentence_as_a_whole(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = io.StringIO()
    with redirect_stdout(shown):
        cli.main(["--help"], standalone_mode=False)
    text = shown.getvalue()
    assert text.count("...") == 1  # ARGS
    told = " ".join(text.split())
    assert [verb for verb, (_, says) in VERBS.items() if f" {verb} {says} " not in told] == []
    assert max(map(len, text.splitlines())) <= columns


def test_a_verb_that_is_not_there_names_the_one_that_may_have_been_meant() -> None:
    with pytest.raises(click.UsageError) as told:
        cli.main(["clenup"], standalone_mode=False)
    assert told.value.format_message() == "No such command 'clenup'. Did you mean 'cleanup'?"
