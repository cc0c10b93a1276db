"""``ppr-assets init`` as an orchestrator meets it: two containers at once, and exit codes."""

from __future__ import annotations

from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MakeTarget, Target
from ppr_assets_tests.operations.replaying.test_replay import emptied, named, publish


def test_two_containers_that_start_at_once_fill_the_database_once(
    pipeline: Pipeline, ppr_assets: CommandLine, make_target: MakeTarget
) -> None:
    pipeline.first_night()
    target = make_target(seed=None)
    name = target.settings.dbname
    ppr_assets.variables |= {
        "POSTGRES_USER": target.settings.user,
        "POSTGRES_DB": name,
        "DATA_REPO_PATH": str(ppr_assets.folder / "data-repo"),
        "PUBLISHER_PUSH_ENABLED": "false",
    }
    started = [ppr_assets.begin("init") for _ in range(3)]
    ended = sorted((ppr_assets.ended(process) for process in started), key=lambda one: one.out)
    assert [(one.code, one.err) for one in ended] == [(0, "")] * 3
    first, second, third = (one.out for one in ended)
    assert first == second
    assert first.startswith(f"left alone {name}: table ")
    assert facts(third)["restored"].startswith(f"{name} from {pipeline.latest()} of commit ")
    assert "6231 rows in 26 tables, compared, as the dump says" in third
    assert target.content() == Target(pipeline.settings.database).content()
    assert target.beside() == []

    again = ppr_assets("init", "--force")
    assert (again.code, again.err) == (0, "")
    former = target.beside()
    assert facts(again.out)["remark"].startswith(f"the former database is kept as {former[0]}: ")


def test_an_orchestrator_can_tell_from_the_exit_code_what_is_missing(
    pipeline: Pipeline, ppr_assets: CommandLine, make_target: MakeTarget
) -> None:
    target = make_target(seed=None)
    ppr_assets.variables |= {
        "POSTGRES_USER": target.settings.user,
        "POSTGRES_DB": target.settings.dbname,
    }
    no_dump = ppr_assets("init")
    assert no_dump.code == 6
    assert no_dump.error.startswith("there is no dump in commit ")
    assert "\nHINT: publish one with `ppr-assets dump` where the data are, " in no_dump.err

    down = ppr_assets("init", "--wait", "0", POSTGRES_HOST="127.0.0.1", POSTGRES_PORT="9")
    assert down.code == 5
    assert "127.0.0.1:9" in down.error

    skipped = ppr_assets("init", SKIP_DB_INIT="true", POSTGRES_PORT="9")
    name = target.settings.dbname
    assert skipped.code == 0
    assert skipped.out.startswith(f"left alone {name}: SKIP_DB_INIT is true\nremark     nobody ")


def test_a_container_says_which_road_filled_its_database_and_why_not_a_better_one(
    pipeline: Pipeline, ppr_assets: CommandLine, make_target: MakeTarget
) -> None:
    publish(pipeline.clone, "2025-08-07", "care", 1, named("Hope Pantry"))
    git(pipeline.clone, "add", "-A")
    git(pipeline.clone, "commit", "-q", "--no-verify", "-m", "Data update")
    git(pipeline.clone, "push", "-q", "origin", "HEAD:main")
    target = make_target()
    emptied(target.settings)
    variables = {"POSTGRES_USER": target.settings.user, "POSTGRES_DB": target.settings.dbname}
    filled = ppr_assets("init", **variables)
    assert filled.code == 0, filled.err
    lines = filled.out.splitlines()
    assert lines[0].startswith("not taken  latest dump: there is no dump in commit ")
    assert lines[1] == "files      2 files: 1 loaded, 0 empty, 1 rejected"
    assert lines[2].startswith(f"replayed   {target.settings.dbname}: 1 organization, ")
    again = ppr_assets("init", **variables)
    assert again.out.startswith(f"left alone {target.settings.dbname}: table ")
