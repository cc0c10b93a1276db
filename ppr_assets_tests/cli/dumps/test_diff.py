"""``ppr-assets diff`` as somebody types it who wonders what a night has changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.operations.replaying.test_replay import named, publish

UNDER_OTHER_IDS = """
UPDATE organization SET id = md5(id), name = upper(name);
UPDATE service SET id = md5(id), organization_id = md5(organization_id);
UPDATE location SET id = md5(id), organization_id = md5(organization_id);
UPDATE address SET location_id = md5(location_id)
"""
"""What a replay does to ids; nothing that is published is lost by it."""


def test_a_diff_shows_counts_examples_and_the_schema(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    first = pipeline.latest()
    alone = ppr_assets.installed("diff")
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
    older = pipeline.latest()
    shown = ppr_assets("diff", FORCE_COLOR="")
    assert (shown.code, shown.beside) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == f"{first} → {pipeline.latest()}"
    assert lines[1].split() == ["table", "before", "after", "added", "removed", "changed", "key"]
    assert lines[2].split() == ["taxonomy", "1", "1", "0", "0", "1", "id"]
    assert lines[3].startswith("taxonomy  ~ id=")
    assert lines[3].endswith(" → [bold]new[/bold]")
    assert lines[4:] == ["added INDEX public.by_name", "1 of 26 tables differ"]

    assert ppr_assets("diff", "--stat").out.splitlines()[3:] == [
        "1 objects of the schema differ",
        "1 of 26 tables differ",
    ]
    pipeline.execute("UPDATE organization SET description = repeat('long ', 20)")
    pipeline.night()
    focused = ppr_assets("diff", "--table", "organization").out.splitlines()
    assert focused[2].split() == ["organization", "200", "200", "0", "0", "200", "id"]
    assert len(focused) == 3 + 50 + 1
    assert all("long " * 20 in line for line in focused[3:53])
    assert focused[-1] == "1 of 1 tables differ"
    misspelt = ppr_assets("diff", "--table", "organisation")
    assert (misspelt.code, misspelt.out) == (2, "")
    assert misspelt.err.endswith(
        f"neither {older} nor {pipeline.latest()} has rows of a table organisation\n"
        "HINT: did you mean organization?\n"
    )
    days = ppr_assets("diff", "--since", "2025-08-01")
    assert (days.code, "say which days --replay reads" in days.err) == (2, True)

    told = json.loads(ppr_assets("diff", first, older, "--json").out)
    assert (told["before"], told["after"]) == (first, older)
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


def test_a_database_is_held_to_a_dump_as_it_would_be_published(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    pipeline.night()
    first, before = pipeline.latest(), pipeline.picture()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    same = ppr_assets("diff", "--database", TMPDIR=str(temporary))
    database = f"database {pipeline.settings.database.dbname}"
    assert same.out.splitlines() == [
        f"{first} → {database}",
        "nothing changed",
        "0 of 26 tables differ",
    ]
    count = {table: pipeline.count(table) for table in ("organization", "location", "service")}
    pipeline.administer("SET session_replication_role = replica;" + UNDER_OTHER_IDS)
    pipeline.execute("UPDATE organization_source SET updated_by = 'jane@example.org'")
    shown = ppr_assets("diff", first, "--database", pipeline.settings.database.dbname)
    assert shown.code == 0
    assert shown.out.splitlines()[6:9] == [
        f"location: {count['location']} of {count['location']} that were removed came again "
        "under another id, by place, and name or address",
        f"organization: {count['organization']} of {count['organization']} that were removed came "
        "again under another id, by name",
        f"service: {count['service']} of {count['service']} that were removed came again under "
        "another id, by organization and name",
    ]
    assert "jane" not in shown.out  # which the policy withholds
    named = ppr_assets("diff", first, first, "--database")
    assert named.code == 2
    assert "B is one: a dump, --database or --replay" in named.err
    gone = ppr_assets("diff", "--database", "nowhere")
    assert gone.code == 5
    assert list(temporary.rglob("*.sql")) == []
    assert pipeline.picture() == before


def test_a_replay_is_held_to_a_dump_and_leaves_nothing(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    pipeline.execute("ALTER TABLE location ADD verified_by text DEFAULT 'somebody'")
    name, website = "The Pantry of St. Anne, Inc.", "https://anne.example.net"
    pipeline.execute(
        "UPDATE organization SET name = %s WHERE id = (SELECT min(id) FROM organization)", name
    )
    pipeline.night()
    day = tmp_path / "records"
    publish(day, "2025-08-08", "care", 1, named("PANTRY of Saint Anne", website=website))
    (day / "daily/2025-08-08/scrapers/care/9.json").write_text("{")
    before = pipeline.picture()
    shown = ppr_assets("diff", "--replay", str(day))
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[0] == f"{pipeline.latest()} → a replay of `{day}`"
    rows = {line.split()[0]: line.split() for line in lines[1:20]}
    assert rows["organization"][1:6] == ["200", "1", "1", "200", "0"]
    at = lines.index("2 files: 1 loaded, 0 empty, 1 rejected")
    assert lines[at + 1] == (
        "no replay brings back what people have changed or verified by hand, the history of "
        "merges, nor what was never published"
    )
    assert re.match(r"rows of tables that only the dump fills: .*\d+ metadata", lines[at + 2])
    assert lines[at + 3] == (
        "organization: 1 of 200 that were removed came again under another id, by name"
    )
    assert lines[at + 4] == (
        f"location: {pipeline.count('location')} removed or changed rows had been verified"
    )
    assert not any(line.startswith(("added ", "removed ", "changed ")) for line in lines)

    told = json.loads(ppr_assets("diff", "--replay", str(day), "--json").out)
    assert told["replayed"] == {"files": 2, "loaded": 1, "empty": 0, "rejected": 1}
    twice = ("--replay", str(day), "--replay", str(day), "--since", "2999-01-01")
    none = ppr_assets("diff", *twice)
    assert (none.code, none.out) == (2, "")
    published = ppr_assets("diff", "--replay").out.splitlines()[0]
    assert published == f"{pipeline.latest()} → a replay of commit {pipeline.head()[:10]}"
    with connect(pipeline.settings.database) as session:
        left = session.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s",
            [f"{pipeline.settings.database.dbname}%"],
        ).fetchall()
    assert left == [(pipeline.settings.database.dbname,)]
    assert pipeline.picture() == before
