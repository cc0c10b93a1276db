"""What the command line does without a run are events in Dagster, when its storage answers."""

from __future__ import annotations

import hashlib
import socket
import time
from pathlib import Path

import dagster as dg
import pytest

from ppr_assets.cli.dagster import recording
from ppr_assets.operations.restoring.leftovers import UndoOutcome
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MakeTarget, Target
from ppr_assets_tests.operations.replaying.test_replay import emptied, named, publish

QUIET = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
DRILL, RESTORED = dg.AssetKey("drill"), dg.AssetKey("restored_database")
REPLAYED, PUBLISHED_DAY = dg.AssetKey("replayed_database"), dg.AssetKey("published_day")
UNDONE = UndoOutcome("pantry", "pantry_before_1", "pantry_before_2", ())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A DAGSTER_HOME whose storage is files."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(QUIET)
    return folder


def test_restore_undo_and_drill_are_events_of_their_assets_with_who_has_run_them(
    pipeline: Pipeline, ppr_assets: CommandLine, target: Target, home: Path, tmp_path: Path
) -> None:
    user, name = target.settings.user, target.settings.dbname
    ppr_assets.variables |= {"POSTGRES_USER": user, "POSTGRES_DB": name, "PPR_OPERATOR": "Ann Lee"}
    ppr_assets.variables |= {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_URL": ""}
    pipeline.first_night()
    dump = pipeline.latest()
    sha256 = hashlib.sha256((pipeline.dumps / dump).read_bytes()).hexdigest()
    (downloaded := tmp_path / "downloaded.sql").write_bytes((pipeline.dumps / dump).read_bytes())
    for arguments in (["drill"], ["drill", str(downloaded)], ["restore"], ["restore", "--undo"]):
        said = ppr_assets(*arguments)
        assert (said.code, "not recorded" in said.err) == (0, False), said.err
    with dg.DagsterInstance.from_config(str(home)) as instance:
        (drilled,) = instance.fetch_materializations(DRILL, limit=9).records
        (other,) = instance.fetch_observations(DRILL, limit=9).records
        (restored,) = instance.fetch_materializations(RESTORED, limit=9).records
        (undone,) = instance.fetch_observations(RESTORED, limit=9).records
        assert _checks(instance) == {"drill": "SUCCEEDED", "restored_database": "SUCCEEDED"}

    proven = drilled.asset_materialization
    assert proven is not None
    assert (drilled.run_id, proven.metadata["dump"].value) == ("", dump)
    assert proven.metadata["commit"].value == pipeline.head()
    assert (proven.tags or {})["dagster/data_version"] == sha256
    assert str(proven.metadata["proof"].value).startswith("server, PostgreSQL ")
    assert other.asset_observation is not None, "no evidence of what is published"
    assert other.asset_observation.metadata["dump"].value == downloaded.name

    made = restored.asset_materialization
    assert made is not None
    assert next(iter(made.metadata)) == "database"
    assert made.metadata["database"].value == name
    assert made.metadata["by"].value == "Ann Lee, command line"
    assert made.metadata["origin"].value == f"commit {pipeline.head()[:10]}"
    assert undone.asset_observation is not None
    assert undone.asset_observation.metadata["former_database"].value in target.beside()


def test_a_patch_is_an_observation_with_its_reason_and_its_way_back(
    pipeline: Pipeline, ppr_assets: CommandLine, home: Path
) -> None:
    ppr_assets.variables |= {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_URL": ""}
    pipeline.first_night()
    pipeline.execute(
        "UPDATE public.organization SET name = 'spoilt' WHERE id = "
        "(SELECT min(id) FROM public.organization)"
    )
    call = ("restore", "--table", "organization", "--where", "name = 'spoilt'", "--out", "one.sql")
    shown = ppr_assets(*call)
    assert shown.code == 0, shown.err
    said = ppr_assets(*call, "--apply", "--by", "Ann Lee", "--reason", "ticket 12")
    assert (said.code, "not recorded" in said.err) == (0, False), said.err
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.fetch_materializations(RESTORED, limit=9).records == []
        (patched,) = instance.fetch_observations(
            RESTORED, limit=9
        ).records  # none of what was shown
    event = patched.asset_observation
    assert event is not None
    told = {name: value.value for name, value in event.metadata.items()}
    assert told["rows"] == "organization where name = 'spoilt'"
    assert told["changes"] == "organization: 1 update"
    assert (told["reason"], told["by"]) == ("ticket 12", "Ann Lee, command line")
    assert told["dump"] == pipeline.latest()
    assert told["undo"] == str(ppr_assets.folder / "one.undo.sql")


def test_a_dump_that_does_not_restore_fails_its_check_there_too(
    pipeline: Pipeline, ppr_assets: CommandLine, target: Target, home: Path
) -> None:
    ppr_assets.variables |= {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_URL": ""}
    pipeline.first_night()
    dump = pipeline.latest()
    text = (pipeline.dumps / dump).read_text()
    cut = text.replace("PostgreSQL database dump complete", "cut")
    commit_files(pipeline.clone, "Break it", {f"sql_dumps/{dump}": cut})
    user, name = target.settings.user, target.settings.dbname
    for verb in ("drill", "restore"):
        assert ppr_assets(verb, POSTGRES_USER=user, POSTGRES_DB=name).code == 4
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert _checks(instance) == {"drill": "FAILED", "restored_database": "FAILED"}
        assert instance.get_latest_materialization_event(DRILL) is None


def test_what_init_and_replay_have_filled_are_events_too_with_who_and_which_days(
    pipeline: Pipeline,
    ppr_assets: CommandLine,
    make_target: MakeTarget,
    home: Path,
    tmp_path: Path,
) -> None:
    target = make_target()
    name = target.settings.dbname
    ppr_assets.variables |= {"POSTGRES_USER": target.settings.user, "POSTGRES_DB": name}
    ppr_assets.variables |= {"DAGSTER_HOME": str(home), "PPR_OPERATOR": "Ann Lee"}
    ppr_assets.variables |= {"DAGSTER_POSTGRES_URL": ""}
    for day in ("2025-08-07", "2025-08-08"):
        publish(tmp_path / "records", day, "care", 1, named("Hope Pantry"))
    said = []
    folder = str(tmp_path / "records")
    for arguments in (["replay", "--dry-run", folder], ["replay", folder], ["init"]):
        emptied(target.settings)
        if arguments == ["init"]:
            pipeline.first_night()
        said.append(ppr_assets(*arguments))
    assert [(one.code, one.err) for one in said] == [(0, "")] * 3
    with dg.DagsterInstance.from_config(str(home)) as instance:
        replayed = _made(instance, REPLAYED)
        assert {day: one["day/files"] for day, one in replayed.items()} == {
            "2025-08-07": 1,
            "2025-08-08": 1,
        }
        assert {day: one["loaded"] for day, one in _made(instance, PUBLISHED_DAY).items()} == {
            "2025-08-07": 1,
            "2025-08-08": 1,
        }
        key = dg.AssetCheckKey(REPLAYED, "accounted_for")
        (accounted,) = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [key]
        ).values()
        assert accounted.status.value == "SUCCEEDED"
        (restored,) = _made(instance, RESTORED).values()
    told = replayed["2025-08-08"]
    assert (told["database"], told["by"]) == (name, "Ann Lee, command line")
    assert told["origin"] == f"`{folder}`"
    assert (restored["dump"], restored["commit"]) == (pipeline.latest(), pipeline.head())
    assert (restored["database"], restored["by"]) == (name, "Ann Lee, command line")
    assert restored["bytes"] == (pipeline.dumps / pipeline.latest()).stat().st_size


def test_init_by_the_records_is_an_event_with_the_roads_that_were_not_taken(
    pipeline: Pipeline, ppr_assets: CommandLine, make_target: MakeTarget, home: Path
) -> None:
    publish(pipeline.clone, "2025-08-07", "care", 1, named("Hope Pantry"))
    git(pipeline.clone, "add", "daily")
    git(pipeline.clone, "commit", "-q", "-m", "Publish records")
    git(pipeline.clone, "push", "-q", "origin", "HEAD:main")
    target = make_target()
    emptied(target.settings)
    ppr_assets.variables |= {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_URL": ""}
    for _ in range(2):  # the second one leaves it alone, which is no event
        said = ppr_assets(
            "init", POSTGRES_USER=target.settings.user, POSTGRES_DB=target.settings.dbname
        )
        assert (said.code, said.err) == (0, "")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        told = _made(instance, REPLAYED)["2025-08-07"]
        assert _made(instance, RESTORED) == {}
    assert "- not taken: latest dump: there is no dump in commit " in str(told["remarks"])


def _made(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str | None, dict[str, object]]:
    """What was told of each partition; of an asset without any, by None."""
    records = instance.fetch_materializations(asset, limit=9).records
    events = [event for one in records if (event := one.asset_materialization)]
    assert len({one.partition for one in events}) == len(events)
    return {
        one.partition: {key: value.value for key, value in one.metadata.items()} for one in events
    }


def _checks(instance: dg.DagsterInstance) -> dict[str, str]:
    keys = [dg.AssetCheckKey(asset, "rows_match") for asset in (DRILL, RESTORED)]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {key.asset_key.to_user_string(): one.status.value for key, one in found.items()}


def test_a_storage_that_does_not_answer_fails_no_drill(
    pipeline: Pipeline, ppr_assets: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    said = ppr_assets(
        "drill",
        POSTGRES_USER=target.settings.user,
        POSTGRES_DB=target.settings.dbname,
        DAGSTER_POSTGRES_URL="postgresql://dagster:hunter2@127.0.0.1:9/dagster",
    )
    assert said.code == 0
    assert said.out.startswith(f"proven     {pipeline.latest()} ")
    (remark,) = [line for line in said.err.splitlines() if line.startswith("remark")]
    assert remark.startswith(
        "remark     not recorded in Dagster: no session with Dagster's storage"
    )
    assert "hunter2" not in said.err


@pytest.mark.parametrize("fault", ["hangs", "is missing", "is no database", "is not used"])
def test_what_is_done_stays_done_whatever_is_wrong_with_the_storage(
    fault: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "as it was before")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "as it was before")
    monkeypatch.setattr(recording, "LIMIT_SECONDS", 2.0 if fault == "hangs" else 60.0)
    monkeypatch.chdir(tmp_path)
    (runs := home / "history" / "runs.db").parent.mkdir()
    runs.write_bytes(b"no database at all" * 99)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        variables, reason = {
            "hangs": (
                {"DAGSTER_POSTGRES_URL": f"postgresql://dagster:hunter2@127.0.0.1:{port}/dagster"},
                "its storage has not answered within 2 s",
            ),
            "is missing": (
                {"DAGSTER_HOME": str(home / "gone")},
                f"DAGSTER_HOME is `{home}/gone`, must be a folder that is there",
            ),
            "is no database": (
                {"DAGSTER_HOME": str(home)},
                f"Dagster's storage `{runs}` cannot be used: file is not a database",
            ),
            "is not used": ({}, ""),
        }[fault]
        started = time.monotonic()
        recording.record_undo(Settings.from_environment(variables, dotenv=None), UNDONE)
        assert time.monotonic() - started < 30
    told = capsys.readouterr()
    assert told.out == ""
    expected = f"remark     not recorded in Dagster: {reason}\n" if reason else ""
    assert told.err == expected
    assert not (tmp_path / ".local").exists()
