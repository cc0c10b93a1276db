"""What a dump withholds and the database to be replaced has: named before it goes, and saved."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import GateRefused
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.restoring.serving.guarding import guard_of
from ppr_assets.operations.restoring.serving.only_here import ROWS_FILE, VALUES_FILE
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import SampleDatabase
from ppr_assets_tests.fix_restore import Target
from ppr_assets_tests.places import ROOT

pytestmark = pytest.mark.usefixtures("strict_policy")

ODD = '"Who\'s ""in""; $HOME"'
POLICY = """
["\\"Who's \\"\\"in\\"\\"; $HOME\\""]
"*" = "structure"

[visits]
id = "public"
who = { rule = "replaced", text = "somebody" }
"50% Note" = "null"
"""
THINGS = f"""
CREATE SEQUENCE "Ticket No.";
CREATE TABLE {ODD} (name text, ticket int DEFAULT nextval('"Ticket No."'));
INSERT INTO {ODD} VALUES ('Pat'), ('Kim');
CREATE TABLE visits (id int PRIMARY KEY, who text NOT NULL, "50% Note" text);
INSERT INTO visits VALUES (1, 'Pat', 'came by'), (2, 'Kim', NULL), (3, 'somebody', NULL);
"""
WITHHELD = {
    "change_audit": "SELECT * FROM change_audit ORDER BY id",
    "odd": f"SELECT * FROM {ODD} ORDER BY 1",
    "visits": "SELECT * FROM visits ORDER BY id",
}


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    return sample_database(private=True)


@pytest.fixture
def found(pipeline: Pipeline, tmp_path: Path) -> FoundDump:
    """A dump that also withholds what has names that a shell, SQL and COPY could trip over."""
    pipeline.execute(THINGS)
    commit_files(pipeline.clone, "Decide what is published", {f"sql_dumps/{PUBLICATION}": POLICY})
    return last_night(pipeline, tmp_path)


def last_night(pipeline: Pipeline, tmp_path: Path) -> FoundDump:
    manifest = pipeline.night()[1].manifest
    return FoundDump(manifest.dump, pipeline.dumps / manifest.dump, manifest, None, tmp_path)


@pytest.fixture
def private(pipeline: Pipeline, found: FoundDump) -> dict[str, list[tuple[object, ...]]]:
    return private_in(pipeline.settings.database)


def private_in(settings: DatabaseSettings) -> dict[str, list[tuple[object, ...]]]:
    with connect(settings) as session:
        return {name: session.execute(query).fetchall() for name, query in WITHHELD.items()}


def aside(pipeline: Pipeline, found: FoundDump, terms: Terms) -> RestoreOutcome:
    """By a role that may make databases."""
    target = replace(pipeline.settings.database, user="postgres")
    return restore(target, found, terms, deadline=Deadline(60))


def in_place(pipeline: Pipeline, found: FoundDump, terms: Terms) -> RestoreOutcome:
    return restore_in_place(pipeline.settings.database, found, terms, deadline=Deadline(60))


def content(settings: DatabaseSettings) -> str:
    return Target(settings).content()


def run(command: str, folder: Path, **variables: str) -> None:
    """As somebody pastes it into a shell."""
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, **variables, "PATH": f"{EMBEDDED_BIN}:{os.environ['PATH']}"},
        check=True,
    )


def commands(said: str) -> list[str]:
    return [one for one in re.findall(r"`([^`]+)`", said) if one.startswith("pg_dump ")]


@pytest.mark.parametrize(
    ("way", "terms", "then"),
    [
        (in_place, Terms(), 'Then, or to go without it: --override "why".'),
        (aside, Terms(drop_old=True), "Without --drop-old the former database keeps it."),
    ],
)
def test_what_would_be_gone_is_named_before_anything_is_loaded(
    way: Callable[[Pipeline, FoundDump, Terms], RestoreOutcome],
    terms: Terms,
    then: str,
    pipeline: Pipeline,
    found: FoundDump,
    private: dict[str, list[tuple[object, ...]]],
    tmp_path: Path,
) -> None:
    with pytest.raises(GateRefused) as refused:
        way(pipeline, found, terms)
    name = pipeline.settings.database.dbname
    assert refused.value.message.startswith(
        "the restore would take away what the dump withholds and only database "
        f"{name} has: 2 rows of {ODD}, {len(private['change_audit'])} rows of change_audit, "
    )
    assert '1 values of visits."50% Note", 2 values of visits.who' in refused.value.message
    assert refused.value.message.endswith("; a copy of that is needed first")
    assert refused.value.hint.endswith(then)
    assert private_in(pipeline.settings.database) == private
    for command in commands(refused.value.hint):
        run(command, tmp_path)
    rows, values = ((tmp_path / name).read_text() for name in (ROWS_FILE, VALUES_FILE))
    assert "\nPat\t1\n" in rows and "setval('public.\"Ticket No.\"', 2, true)" in rows
    assert "\n1\tPat\tcame by\n" in values


def test_what_was_saved_comes_back_as_the_guide_says(pipeline: Pipeline, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "restore.md").read_text()
    settings = pipeline.settings.database
    found, everything = last_night(pipeline, tmp_path), content(settings)
    with pytest.raises(GateRefused) as refused:
        in_place(pipeline, found, Terms())
    said = refused.value.render()
    for have, there in ((settings.dbname, "pantry_pirate_radio"), (settings.host, "db")):
        said = said.replace(have, there)
    assert f"\nerror: {said}\n" in guide

    for command in commands(refused.value.hint):
        run(command, tmp_path)
    agreed = Guard(override=Override("saved, ticket 214", "command line"))
    outcome = in_place(pipeline, found, Terms(guard=agreed))
    assert outcome.override == agreed.override
    assert any(
        one.startswith("overridden (saved, ticket 214): 22 rows of change_audit, 4 rows of data_")
        for one in outcome.remarks
    )
    assert content(settings) != everything
    by_hand = guide.split("```\npsql -v ON_ERROR_STOP=1 -1 -f withheld_rows.sql\n")[1].split("```")[
        0
    ]
    address = {"PGHOST": settings.host, "PGUSER": settings.user, "PGDATABASE": settings.dbname}
    run(f"psql -v ON_ERROR_STOP=1 -1 -f withheld_rows.sql\n{by_hand}", tmp_path, **address)
    assert content(settings) == everything


def test_after_a_swap_the_former_database_has_it_and_is_named(
    pipeline: Pipeline, found: FoundDump, private: dict[str, list[tuple[object, ...]]]
) -> None:
    """Whichever tables the ratchet judges: those that are withheld are not missed."""
    pipeline.gate(ratchet_tables=None)
    guard = guard_of(pipeline.settings.dump, for_service=True, override=None)
    outcome = aside(pipeline, found, Terms(guard))
    assert outcome.former is not None
    former = replace(pipeline.settings.database, dbname=outcome.former)
    assert private_in(former) == private
    (said,) = (one for one in outcome.remarks if one.startswith("only the former database has "))
    assert f"what the dump withholds: 2 rows of {ODD}, {len(private['change_audit'])} rows " in said
    assert all(outcome.former in command for command in commands(said))
    assert said.endswith("`ppr-assets cleanup` drops it with that database")


def test_what_the_dump_has_put_there_is_nothing_that_would_be_lost(
    pipeline: Pipeline, found: FoundDump
) -> None:
    """The text that replaces a value, and what nobody could read, is not a value."""
    agreed = Guard(override=Override("to have it as published", "command line"))
    in_place(pipeline, found, Terms(guard=agreed))
    assert in_place(pipeline, found, Terms()).override is None
