"""What verbs print fits a terminal of sixty columns, and is whole."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ppr_assets.cli.shared.narrow import fitted, table_lines
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name

ROWS = [
    ("dump", "size", "remarks"),
    ("pantry_pirate_radio_2026-11-29_14-22-41.sql", "2.1 MiB", "latest, 3 tables withheld"),
    ("pantry_pirate_radio_2026-11-28_14-22-41.sql", "", ""),
]
ONE_LINE = "pantry_pirate_radio_2026-11-29_14-22-41.sql  2.1 MiB  latest, 3 tables withheld"


def test_without_a_width_and_with_enough_of_it_a_row_is_a_line() -> None:
    for columns in (0, 79):
        assert [*table_lines(ROWS, {1}, columns)][1] == ONE_LINE


def test_the_last_cell_is_wrapped_below_itself_where_there_is_room() -> None:
    assert [*table_lines(ROWS, {1}, 76)][1].splitlines() == [
        "pantry_pirate_radio_2026-11-29_14-22-41.sql  2.1 MiB  latest, 3 tables",
        f"{'':54}withheld",
    ]


def test_else_each_row_has_lines_of_its_own_under_its_name() -> None:
    assert "\n".join(table_lines(ROWS, {1}, 60)).splitlines() == [
        "dump, size, remarks",
        "pantry_pirate_radio_2026-11-29_14-22-41.sql",
        "  size 2.1 MiB",
        "  latest, 3 tables withheld",
        "pantry_pirate_radio_2026-11-28_14-22-41.sql",
    ]


def test_a_first_column_without_a_name_stands_before_the_one_that_has() -> None:
    rows = [("", "dump", "kept by"), ("keep", "a" * 30, "the rule for last, and for each week")]
    assert "\n".join(table_lines(rows, (), 40)).splitlines() == [
        "dump, kept by",
        "keep  " + "a" * 30,
        "  the rule for last, and for each week",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ok", ["ok"]),
        ("withheld   a without b, c", ["withheld   a without", "           b, c"]),
        ("one line of words that goes on", ["one line of words", "  that goes on"]),
        ("head  " + "f" * 30, ["head  " + "f" * 30]),
        ("[green]ok [/green]  settings", ["[green]ok [/green]  settings"]),
        ("[green]ok [/green]  a  set of these", ["[green]ok [/green]  a  set of these"]),
        (
            "[green]ok [/green]  a  set of them all",
            ["[green]ok [/green]  a  set of them", "        all"],
        ),
        (
            "2026  at ten  a_name_of_13  1 row",
            ["2026  at ten", "      a_name_of_13", "      1 row"],
        ),
    ],
)
def test_a_line_goes_on_where_it_began_after_its_labels(line: str, expected: list[str]) -> None:
    assert fitted(line, 20).splitlines() == expected
    assert fitted(line, 0) == line


def test_a_word_that_never_fits_pushes_no_other_over_the_edge() -> None:
    text = f"ok   dagster          home /{'long' * 16}, storage on /{'short' * 8} (it answers)"
    too_wide = [line for line in fitted(text, 60).split("\n") if len(line) > 60]
    assert too_wide == [f"     /{'long' * 16},"]


VERBS = (
    "list",
    "list --history",
    "status",
    "doctor",
    "ratchet show",
    "policy show",
    "policy show organization",
    "policy check",
    "alert list",
    "prune --dry-run",
    "diff",
    "audit",
    "verify",
    "cleanup --dry-run",
)


def test_no_line_of_a_verb_is_wider_than_a_narrow_terminal_and_nothing_is_cut(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    wait_for_a_later_name(pipeline.latest())
    pipeline.execute("DELETE FROM organization WHERE id IN (SELECT min(id) FROM organization)")
    pipeline.night("a decision that is worth a longer sentence than there is room for on a line")
    for verb in VERBS:  # how much of the disk is free is another number each time
        wide, narrow = (
            ppr_assets(*verb.split(), PPR_ALERT_URLS="http://127.0.0.1:9", **columns)
            for columns in ({}, {"COLUMNS": "60"})
        )
        assert (wide.code, narrow.code) == (0, 0), narrow.err
        too_wide = [one for one in narrow.out.splitlines() if len(one) > 60]
        assert [one for one in too_wide if max(map(len, one.split())) < 58] == [], verb
        # how many seconds ago something was is another number each time as well
        steady = "".join(line for line in wide.out.splitlines(True) if " free" not in line)
        missing = Counter(re.sub(r"\b\d+ s\b", "", steady).split()) - Counter(
            narrow.out.replace(",\n", "\n").split()
        )
        assert [word for word in missing if word.strip(",") not in narrow.out] == [], verb
