"""``ppr-assets diff`` as somebody types it who wonders what a night has changed."""

from __future__ import annotations

import json

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline


def test_a_diff_shows_counts_examples_and_the_schema(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    first = pipeline.latest()
    alone = ppr_assets("diff")
    assert (alone.code, alone.out) == (6, "")
    assert alone.err.endswith(
        f"there is no dump from before {first} to compare it with\nHINT: name two: "
        "`ppr-assets list` shows them; a commit stands for its latest dump.\n"
    )
    assert ppr_assets("diff", first).out.splitlines()[1:] == [
        "nothing changed",
        "0 of 26 tables differ",
    ]

    pipeline.execute("UPDATE taxonomy SET name = '[bold]new[/bold]'")
    pipeline.execute("CREATE INDEX by_name ON taxonomy (name)")
    pipeline.night()
    shown = ppr_assets("diff", FORCE_COLOR="")
    assert (shown.code, shown.beside) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == f"{first} → {pipeline.latest()}"
    assert lines[1].split() == ["table", "before", "after", "added", "removed", "changed", "key"]
    assert lines[2].split() == ["taxonomy", "1", "1", "0", "0", "1", "id"]
    assert lines[3].startswith("taxonomy  ~ id=")
    assert lines[3].endswith(" → [bold]new[/bold]")
    assert lines[4:] == ["added INDEX public.by_name", "1 of 26 tables differ"]

    told = json.loads(ppr_assets("diff", "--json").out)
    assert (told["before"], told["after"]) == (first, pipeline.latest())
    assert told["unchanged_tables"] == 25
    (table,) = told["tables"]
    assert (table["table"], table["changed"], table["key"]) == ("taxonomy", 1, ["id"])
    assert table["examples"][0]["after"]["name"] == "[bold]new[/bold]"
    assert told["schema"] == [
        {"how": "added", "kind": "INDEX", "schema": "public", "name": "by_name"}
    ]
    missing = ppr_assets("diff", "pantry_pirate_radio_2001-01-01_00-00-00")
    assert missing.code == 6
    assert missing.error.startswith("there is no dump `pantry_pirate_radio_2001-01-01_00-00-00` in")
