"""From published records to a proven dump: over a sample of all shapes, and over the real one."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.as_dump import database_as_dump
from ppr_assets.operations.replaying.gathered import ReplayOutcome
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.read_files import reading_processes
from ppr_assets.operations.replaying.replay import replay
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline, settled
from ppr_assets_tests.fix_postgres import SMALL, Databases
from ppr_assets_tests.operations.replaying.test_replay import content, emptied, given
from ppr_assets_tests.places import SHARED
from ppr_assets_tests.records.told import SHAPES, job_file

SAMPLE = SHARED / "data/haarrrvest-sample.tar.xz"
PANTRIES = 6
"""Of each shape, each told on two days by two scrapers every other time."""
ROUNDS = 2

Content = dict[str, list[str]]


@dataclass(frozen=True)
class Whole:
    """Records, what a replay of them came to, and all rows that it gave."""

    given: Input
    outcome: ReplayOutcome
    content: Content
    told: dict[str, int]


def tables(databases: Databases) -> DatabaseSettings:
    """A database as that of the pipeline, without what a replay brings."""
    return emptied(databases.create(databases.template(SMALL, 1)))


def invented(folder: Path) -> dict[str, int]:
    """Pantries in all shapes, as text, in a fence, and as an object; refusals; what is cut off."""
    files: list[tuple[str, str, object]] = []
    for at, shape in enumerate(SHAPES.values()):
        for number in range(at * PANTRIES, (at + 1) * PANTRIES):
            text = json.dumps(shape)
            for then, now in (("Hope Pantry", f"Pantry {number}"), ("12 Main", f"{number} Main")):
                text = text.replace(then, now)
            text = text.replace("39.1", f"{30 + number / 4}")
            result: object = (text, f"```json\n{text}\n```", {"text": text, "usage": {}})[
                number % 3
            ]
            files.append(("2025-08-08", "freshtrak", result))
            if number % 2:
                files.append(("2025-08-09", "care", text.replace("Choice pantry", "Newer")))
    loaded = len(files)
    files += [("2025-08-08", "freshtrak", "I cannot provide that.")] * 3
    files += [("2025-08-09", "care", '```json\n{"organizations": [')]
    for number, (day, scraper, result) in enumerate(files):
        path = folder / "daily" / day / "scrapers" / scraper / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        job = {
            "id": f"job-{number}",
            "metadata": {"scraper_id": scraper, "content_hash": f"{number:064x}"},
            "created_at": f"{day}T10:00:{number % 60:02}",
        }
        path.write_bytes(job_file(result, job_id=job["id"], job=job))
    return {"loaded": loaded, "empty": 3, "rejected": 1}


def real(folder: Path) -> dict[str, int]:
    subprocess.run(["tar", "-xf", SAMPLE, "-C", folder], check=True)
    return {"loaded": 419, "empty": 21}


@pytest.fixture(scope="module", params=["invented", "real"])
def whole(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Whole]:
    if request.param == "real" and not SAMPLE.is_file():
        pytest.skip("../shared is not there")
    folder = tmp_path_factory.mktemp(request.param)
    told = {"invented": invented, "real": real}[request.param](folder)
    files, database = given(folder), tables(databases)
    database, found = tables(databases), given(folder)
    with reading_processes(len(found.files)) as processes:
        files = replace(found, processes=processes)
        yield Whole(files, replay(database, files), content(database), told)
    databases.drop(database)


@pytest.fixture
def another(databases: Databases) -> Iterator[DatabaseSettings]:
    database = tables(databases)
    yield database
    databases.drop(database)


def test_every_file_is_accounted_for(whole: Whole) -> None:
    accounts, changed = whole.outcome.accounts, whole.outcome.changed
    assert dict(accounts.by_outcome) == whole.told
    assert sum(whole.told.values()) == accounts.files == len(whole.given.files)
    assert changed == {table: len(whole.content[table]) for table in changed}
    assert len(whole.content["organization"]) >= PANTRIES * len(SHAPES)


def test_files_in_any_order_and_in_two_halves_give_the_same_rows(
    whole: Whole, another: DatabaseSettings
) -> None:
    shuffled = [*whole.given.files]
    random.Random(13).shuffle(shuffled)
    replay(another, replace(whole.given, files=shuffled))
    assert content(another) == whole.content
    halves = [*shuffled[1::2], *shuffled[::2]]
    replay(emptied(another), replace(whole.given, files=halves))
    assert content(another) == whole.content


def test_what_was_replayed_is_dumped_published_and_restored_and_given_again_to_the_byte(
    whole: Whole, another: DatabaseSettings, pipeline: Pipeline
) -> None:
    replay(emptied(pipeline.settings.database), whole.given)
    pipeline.gate(min_records=1)  # unproven: the drill below is the proof
    _, published = pipeline.night()
    assert (published.status, pipeline.head()) == ("published", pipeline.remote_head())
    with found_dump(pipeline.settings.data_repo, Wanted()) as dump:
        assert dump.manifest is not None
        first = dump.manifest
        proven = drill(ProofPlace.of(pipeline.settings), dump, deadline=Deadline(300))
    assert proven.proven
    assert first.rows["organization"] == len(whole.content["organization"])
    replay(another, whole.given)
    with database_as_dump(pipeline.settings, another) as second:
        assert second.manifest is not None
        assert second.manifest.tables == first.tables
        assert second.manifest.sha256 == first.sha256


def test_killed_wherever_a_replay_leaves_nothing_or_all_and_the_next_one_is_whole(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path, campaign: Campaign
) -> None:
    folder, target = tmp_path / "records", emptied(pipeline.settings.database)
    invented(folder)
    started = time.monotonic()
    assert ppr_assets("replay", str(folder)).code == 0
    seconds, all_rows = time.monotonic() - started, content(target)
    emptied(target)
    for at in campaign.spread(ROUNDS):
        process = ppr_assets.start("replay", str(folder))
        time.sleep(seconds * (0.3 + 0.6 * at))  # before that, it only starts
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert settled(pipeline.children) == []
        assert settled(lambda: _sessions(target)) == 0
        left = content(target)
        if process.returncode == 0 or left["organization"]:
            assert left == all_rows
            emptied(target)
        else:
            assert not any(left.values())
    assert ppr_assets("replay", str(folder)).code == 0
    assert content(target) == all_rows


def _sessions(target: DatabaseSettings) -> int:
    with connect(replace(target, dbname="postgres")) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [target.dbname]
        ).fetchone()
    assert row is not None
    return int(row[0])
