"""A database rebuilt from published records: every file is accounted for, and the rows follow from
what was told and from nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpDamaged, GateRefused, RestoreFailed, SettingsError
from ppr_assets.operations.replaying.gathered import FileLine, ReplayOutcome, gathered, preview
from ppr_assets.operations.replaying.input import Input, opened_input
from ppr_assets.operations.replaying.published_files import Selection, published_files
from ppr_assets.operations.replaying.replay import replay
from ppr_assets.operations.replaying.terms import RebuildTerms
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.rules.replay.rows.columns import COLUMNS
from ppr_assets.settings import DatabaseSettings, DataRepoSettings
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_postgres import passable_folder
from ppr_assets_tests.records.told import BARE, LOCATION

FRESHTRAK = "freshtrak"


def publish(folder: Path, day: str, scraper: str, number: int, told: dict[str, Any]) -> Path:
    """A file as the publisher writes it."""
    path = folder / "daily" / day / "scrapers" / scraper / f"{number}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    job = {
        "id": f"{day}-{scraper}-{number}",
        "metadata": {"scraper_id": scraper, "content_hash": f"{number:064x}"},
        "created_at": f"{day}T10:00:{number % 60:02}",
    }
    content = {"job_id": job["id"], "job": job, "result": json.dumps(told), "error": None}
    path.write_text(json.dumps(content))
    return path


def named(name: str, **told: Any) -> dict[str, Any]:
    return {**BARE, "name": name, **told}


def emptied(database: DatabaseSettings) -> DatabaseSettings:
    tables = ", ".join(f"public.{table}" for table in COLUMNS)
    with connect(database, autocommit=True) as session:
        session.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return database


@pytest.fixture
def empty(database: DatabaseSettings) -> DatabaseSettings:
    """The sample's tables without their rows."""
    return emptied(database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three scrapers, two days, one pantry that two of them tell of."""
    folder = tmp_path / "data"
    publish(folder, "2025-08-07", FRESHTRAK, 1, named("Hope Pantry", description="Old"))
    publish(folder, "2025-08-08", FRESHTRAK, 2, named("Hope Pantry", description="New"))
    publish(folder, "2025-08-08", "vivery", 3, named("HOPE PANTRY", description=None))
    for number in range(10, 16):
        where = {**LOCATION, "latitude": 30.0 + number, "name": f"Hall {number}"}
        publish(folder, "2025-08-08", "care", number, named(f"Pantry {number}", locations=[where]))
    return folder


def given(*folders: Path, selection: Selection | None = None) -> Input:
    found = [file for folder in folders for file in published_files(folder)]
    return Input((selection or Selection()).of(found), "a test")


def content(settings: DatabaseSettings) -> dict[str, list[str]]:
    """All rows of the tables that a replay fills, as text, sorted."""
    with connect(settings) as session:
        return {
            table: sorted(
                row for (row,) in session.execute(f"SELECT t::text FROM public.{table} AS t")
            )
            for table in COLUMNS
        }


def digest(settings: DatabaseSettings) -> str:
    return hashlib.sha256(json.dumps(content(settings)).encode()).hexdigest()


def test_the_newest_word_wins_and_says_whose_it_is(empty: DatabaseSettings, folder: Path) -> None:
    outcome = replay(empty, given(folder))
    assert outcome.changed["organization"] == 7
    with connect(empty) as session:
        row = session.execute(
            "SELECT description, o.id, created_at::date::text, updated_at::date::text "
            "FROM public.organization AS o WHERE name ILIKE 'hope pantry'"
        ).fetchall()
        scrapers = session.execute(
            "SELECT scraper_id FROM public.organization_source WHERE organization_id = %s "
            "ORDER BY 1",
            [row[0][1]],
        ).fetchall()
        version = session.execute(
            "SELECT data FROM public.record_version WHERE record_id::text = %s", [row[0][1]]
        ).fetchone()
    assert [one[0] for one in row] == ["New"]
    assert scrapers == [(FRESHTRAK,), ("vivery",)]
    assert version is not None
    assert [(one["scraper"], one.get("reason", "")) for one in version[0]["told_by"]] == [
        (FRESHTRAK, ""),
        (FRESHTRAK, "the same scraper told it again"),
        ("vivery", "same name and the address 12 main st"),
    ]
    assert version[0]["word_of"]["description"] == "2025-08-08-freshtrak-2"


def test_neither_order_nor_place_nor_repetition_changes_a_byte(
    empty: DatabaseSettings, folder: Path, tmp_path: Path
) -> None:
    files = given(folder)
    replay(empty, files)
    first = content(empty)
    halves = [tmp_path / "half_a", tmp_path / "half_b"]
    for number, file in enumerate(files.files):
        assert file.path is not None
        there = halves[number % 2] / file.name
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.path, there)
    shuffled = [*files.files]
    random.Random(1).shuffle(shuffled)
    for again in (given(*halves), given(*reversed(halves)), replace(files, files=shuffled)):
        emptied(empty)
        replay(empty, again)
        assert content(empty) == first


def test_the_day_that_a_file_was_published_on_decides_before_the_moment_of_its_job(
    tmp_path: Path,
) -> None:
    older = publish(tmp_path, "2025-08-08", "care", 9, named("Hope Pantry", description="Old"))
    newer = tmp_path / "daily/2025-08-09/scrapers/care/1.json"
    newer.parent.mkdir(parents=True)
    newer.write_text(older.read_text().replace("Old", "New").replace("T10:00", "T09:00"))
    assert described(given(tmp_path)) == "New"


def test_two_files_of_one_job_give_the_same_whichever_is_read_first(tmp_path: Path) -> None:
    told = [
        publish(tmp_path / str(number), "2025-08-08", "care", 1, named("Hope", description=words))
        for number, words in enumerate(("One", "Two"))
    ]
    assert told[0].name == told[1].name
    folders = [tmp_path / "0", tmp_path / "1"]
    assert described(given(*folders)) == described(given(*reversed(folders)))


def described(files: Input) -> str:
    """The description of the one organization that they tell of."""
    with gathered(files) as (_, merged):
        (found,) = (row["description"] for table, row in merged.rows() if table == "organization")
    assert isinstance(found, str)
    return found


def test_attributes_are_loaded_with_their_term_once(
    empty: DatabaseSettings, tmp_path: Path
) -> None:
    told = {"value": "Weekly", "taxonomy_term": {"code": "often", "name": "How often"}}
    for number, name in enumerate(("Hope", "Faith")):
        where = {**LOCATION, "latitude": 30.0 + number, "attributes": [told]}
        publish(tmp_path, "2025-08-08", "care", number, named(name, locations=[where]))
    outcome = replay(empty, given(tmp_path))  # whose terms must be of a taxonomy
    assert (outcome.changed["attribute"], outcome.changed["taxonomy_term"]) == (0, 0)
    assert outcome.no_place["taxonomy_term: rows left out, taxonomy_id must have a value"] == 1
    missing = "no taxonomy_term that attribute_taxonomy_term_id_fkey asks for"
    assert outcome.no_place[f"attribute: rows left out, {missing}"] == 2
    with connect(emptied(empty), autocommit=True) as session:
        session.execute("ALTER TABLE public.taxonomy_term ALTER taxonomy_id DROP NOT NULL")
    changed = replay(empty, given(tmp_path)).changed
    assert (changed["attribute"], changed["taxonomy_term"]) == (2, 1)
    with connect(empty) as session:
        found = session.execute(
            "SELECT attribute.value, term.name, link_entity, location.name FROM public.attribute "
            "JOIN public.taxonomy_term AS term ON term.id = taxonomy_term_id "
            "JOIN public.location ON location.id::text = link_id"
        ).fetchall()
    assert found == [("Weekly", "How often", "location", "Hope Hall")] * 2


@pytest.fixture
def hostile(folder: Path) -> Path:
    at = folder / "daily/2025-08-08/scrapers/freshtrak"
    good = (at / "2.json").read_bytes()
    (at / "cut.json").write_bytes(good[:-30])
    (at / "latin1.json").write_bytes(good.replace(b"New", b"Caf\xe9"))
    (at / "out.json").symlink_to("/etc/hostname")
    (at / "gone.json").symlink_to("nowhere")
    os.mkfifo(at / "pipe.json")
    (at / "folder.json").mkdir()
    with (at / "large.json").open("wb") as file:
        file.truncate(100_000_000)
    publish(folder, "2025-08-08", FRESHTRAK, 20, {"organizations": []})
    (folder / "daily/2025-08-08/summary.json").write_text("{}")
    (folder / "daily/latest").symlink_to("2025-08-08")
    return folder


def test_each_file_is_loaded_empty_or_rejected_and_no_more(
    empty: DatabaseSettings, hostile: Path
) -> None:
    (hostile / "daily/2025-08-09").symlink_to("/etc")
    lines: list[FileLine] = []
    outcome = replay(empty, given(hostile), on_line=lines.append)
    assert outcome.accounts.accounted
    assert len(lines) == outcome.accounts.files == 17
    assert dict(outcome.accounts.by_outcome) == {"loaded": 9, "empty": 1, "rejected": 7}
    rejected = {line.file.rsplit("/", 1)[1]: line.reason for line in lines if line.reason}
    assert outcome.accounts.by_reason["rejected", "cut off: Unterminated string"] == 1
    assert rejected == {
        "cut.json": "cut off: Unterminated string starting at at line 1, column 251",
        "latin1.json": "not UTF-8 at byte 301",
        "out.json": "a symbolic link",
        "gone.json": "a symbolic link",
        "2025-08-09": "a symbolic link",
        "pipe.json": "not a regular file",
        "large.json": "more than 8 MB",
        "20.json": "no organization in the result",
    }


def test_what_may_not_be_read_is_rejected_and_a_folder_is_told_like_a_file() -> None:
    folder = passable_folder()
    folder.chmod(0o755)
    for number in (1, 2):
        publish(folder, "2025-08-08", "care", number, named("Pantry")).chmod(0o400)
    closed = publish(folder, "2025-08-09", "care", 3, named("Pantry")).parent
    (folder / "daily/2025-08-08/scrapers/care/1.json").chmod(0o444)
    closed.chmod(0o700)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        else:
            (folder / "daily/2025-08-08/scrapers/care/2.json").chmod(0)
            closed.chmod(0)
        lines: list[FileLine] = []
        outcome = preview(given(folder), on_line=lines.append)
    finally:
        if root:
            os.seteuid(0)
        closed.chmod(0o700)
        shutil.rmtree(folder)
    assert outcome.accounts.accounted
    assert [(line.file, line.outcome, line.reason) for line in lines] == [
        ("daily/2025-08-09/scrapers/care", "rejected", "Permission denied"),
        ("daily/2025-08-08/scrapers/care/1.json", "loaded", ""),
        ("daily/2025-08-08/scrapers/care/2.json", "rejected", "Permission denied"),
    ]


def test_strict_loads_nothing_where_a_file_cannot_be_used(
    empty: DatabaseSettings, hostile: Path
) -> None:
    with pytest.raises(DumpDamaged, match=r"cut\.json cannot be used: cut off.* at ") as told:
        replay(empty, given(hostile), RebuildTerms(strict=True))
    assert told.value.hint == (
        "nothing was loaded. Without --strict such files are counted and named."
    )
    assert content(empty)["organization"] == []


def test_what_holds_records_is_left_alone(database: DatabaseSettings, folder: Path) -> None:
    before = digest(database)
    with pytest.raises(GateRefused, match="has records, a replay needs an empty one"):
        replay(database, given(folder))
    assert digest(database) == before


def test_a_preview_tells_what_would_be_one_and_loads_nothing(folder: Path) -> None:
    assert preview(given(folder)) == ReplayOutcome(
        preview(given(folder)).accounts, (1, 1), origin="a test"
    )


def test_a_commit_gives_what_its_files_give(folder: Path, tmp_path: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Publish")
    shutil.rmtree(folder / "daily")
    settings = DataRepoSettings(path=folder, url=None)
    for wanted in (Wanted(at="HEAD"), Wanted(source=folder.as_uri())):
        with opened_input(settings, (), wanted, Selection()) as found:
            outcome = preview(found)
        assert dict(outcome.accounts.by_outcome) == {"loaded": 9}


def test_what_is_no_file_in_a_commit_is_told_as_such(folder: Path) -> None:
    at = folder / "daily/2025-08-08/scrapers/freshtrak"
    (at / "out.json").symlink_to("/etc/hostname")
    with (at / "large.json").open("wb") as file:
        file.truncate(9_000_000)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    entry = f"160000,{'1' * 40},daily/2025-08-08/scrapers/freshtrak/other.json"
    git(folder, "update-index", "--add", "--cacheinfo", entry)
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Publish")
    lines: list[FileLine] = []
    settings = DataRepoSettings(path=folder, url=None)
    with opened_input(settings, (), Wanted(at="HEAD"), Selection()) as found:
        preview(found, on_line=lines.append)
    assert {line.file.rsplit("/", 1)[1]: line.reason for line in lines if line.reason} == {
        "out.json": "a symbolic link",
        "large.json": "more than 8 MB",
        "other.json": "not a regular file",
    }


def test_no_name_of_a_scraper_hides_its_files(folder: Path) -> None:
    for scraper in ("data", "latest", "sqlite"):
        publish(folder, "2025-08-08", scraper, 40, named("Pantry"))
    found = {one.scraper for one in published_files(folder)}
    assert {"data", "latest", "sqlite"} <= found


def test_records_that_came_while_files_were_read_are_not_replayed_over(
    empty: DatabaseSettings, folder: Path
) -> None:
    def somebody_writes(_: FileLine) -> None:
        with connect(empty, autocommit=True) as session:
            session.execute(
                "INSERT INTO public.organization (id, name, description) "
                "VALUES (gen_random_uuid()::text, 'Somebody', '') ON CONFLICT DO NOTHING"
            )

    with pytest.raises(GateRefused, match=r"table organization .* has records"):
        replay(empty, given(folder), on_line=somebody_writes)
    assert content(empty)["location"] == []


def test_a_replay_that_is_not_done_in_time_is_cancelled_and_leaves_nothing(
    empty: DatabaseSettings, folder: Path
) -> None:
    slow = (
        "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_catalog.pg_sleep(600); RETURN NEW; END'",
        "CREATE TRIGGER slow BEFORE INSERT ON public.location EXECUTE FUNCTION public.slow()",
    )
    with connect(empty, autocommit=True) as session:
        for statement in slow:
            session.execute(statement)
    began = time.monotonic()
    with pytest.raises(RestoreFailed) as late:
        replay(empty, given(folder), RebuildTerms(deadline=Deadline(2)))
    assert late.value.message == (
        "not done within the deadline of 2 s: replaying published records"
    )
    assert time.monotonic() - began < 60
    assert content(empty)["organization"] == []


def test_the_last_days_that_each_scraper_has_are_taken(folder: Path) -> None:
    def days(selection: Selection) -> list[tuple[str | None, str | None]]:
        found = selection.of(published_files(folder))
        return sorted({(one.day, one.scraper) for one in found}, key=str)

    publish(folder, "2024-01-01", "seldom", 30, named("Seldom"))
    assert ("2024-01-01", "seldom") in days(Selection(days=1))
    assert ("2025-08-07", FRESHTRAK) not in days(Selection(days=1))
    assert ("2025-08-07", FRESHTRAK) in days(Selection(days=2))
    assert days(Selection(days=1, since="2025-08-07", until="2025-08-07")) == [
        ("2025-08-07", FRESHTRAK)
    ]
    assert days(Selection(scrapers=["care"])) == [("2025-08-08", "care")]
    assert days(Selection(patterns=["*/vivery/*"])) == [("2025-08-08", "vivery")]


def test_nothing_to_read_is_said(folder: Path) -> None:
    settings = DataRepoSettings(path=folder, url=None)
    with (
        pytest.raises(SettingsError, match="none of 9 published files is to be replayed"),
        opened_input(settings, [folder], Wanted(), Selection(since="2030-01-01")),
    ):
        pass
    with (
        pytest.raises(SettingsError, match="is not there"),
        opened_input(settings, [folder / "gone"], Wanted(), Selection()),
    ):
        pass


def test_a_killed_replay_leaves_nothing(empty: DatabaseSettings, folder: Path) -> None:
    """Killed when the first rows are in: the server takes the transaction back."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ppr_assets.operations.replaying import replay as module\n"
        "from ppr_assets.operations.replaying.input import Input\n"
        "from ppr_assets.operations.replaying.published_files import Selection, published_files\n"
        "from ppr_assets.postgres.upsert.staging import Staging\n"
        "from ppr_assets.settings import DatabaseSettings, Secret\n"
        "upsert = Staging._upsert\n"
        "def killed(self, table):\n"
        "    changed = upsert(self, table)\n"
        "    if table == 'location' and changed:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return changed\n"
        "Staging._upsert = killed\n"
        "host, port, user, name, folder = sys.argv[1:]\n"
        "secret = Secret(os.environ['PASSWORD'])\n"
        "target = DatabaseSettings(\n"
        "    host=host, port=int(port), user=user, dbname=name, password=secret\n"
        ")\n"
        "files = Selection().of(published_files(Path(folder)))\n"
        "module.replay(target, Input(files, 'a test'))\n"
    )
    words = [empty.host, str(empty.port), empty.user, empty.dbname, str(folder)]
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env={**os.environ, "PASSWORD": empty.require_password().reveal()},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert all(not rows for rows in content(empty).values())
    assert replay(empty, given(folder)).changed["organization"] == 7
