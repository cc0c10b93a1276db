"""``ppr-assets prune`` and ``list --history``, as an operator types them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from ppr_assets.rules.naming import dump_name
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline

KEEP_TWO = {
    "SQL_DUMP_KEEP_LAST": "2",
    "SQL_DUMP_KEEP_DAILY": "0",
    "SQL_DUMP_KEEP_WEEKLY": "0",
    "SQL_DUMP_KEEP_MONTHLY": "0",
}


def test_what_would_go_is_told_with_the_rules_before_it_goes(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    _, published = pipeline.first_night()
    latest = published.manifest.dump
    old = [dump_name(datetime.now(UTC) - timedelta(days=days)) for days in (1, 2, 3)]
    commit_files(pipeline.clone, "Of upstream", {f"sql_dumps/{name}": "--\n" for name in old})
    git(pipeline.clone, "push", "-q", "origin", "main")

    kept = ppr_assets.installed("prune", "--dry-run")
    assert kept.code == 0
    assert kept.out.splitlines()[-1] == "nothing to retire: the keep rules keep all dumps, 4 of 4"

    before = pipeline.picture()
    told = ppr_assets("prune", "--dry-run", **KEEP_TWO)
    assert (told.code, told.err) == (0, "")
    heading, *rows, summary = told.out.splitlines()
    assert heading.split() == ["dump", "kept", "by"]
    assert [" ".join(row.split()) for row in rows] == [
        f"keep {latest} last 1, latest, last above the floor",
        f"keep {old[0]} last 2",
        f"would retire {old[1]}",
        f"would retire {old[2]}",
    ]
    assert summary == "would retire 2 of 4 dumps"
    assert pipeline.picture() == before

    done = ppr_assets("prune", **KEEP_TWO)
    assert (done.code, done.err) == (0, "")
    assert [row.split()[0] for row in done.out.splitlines()[1:-1]] == ["keep", "keep"] + [
        "retired"
    ] * 2
    assert done.out.splitlines()[-1] == (
        f"retired 2 of 4 dumps; commit {pipeline.head()[:10]}, which the remote has"
    )
    again = ppr_assets("prune", **KEEP_TWO)
    assert again.out.splitlines()[-1] == "nothing to retire: the keep rules keep all dumps, 2 of 2"

    shown = ppr_assets("list", "--history")
    assert (shown.code, shown.beside) == (0, "")
    lines = [line.split() for line in shown.out.splitlines()[1:]]
    assert [line[0] for line in lines] == [latest, *old]
    assert lines[0][1:4] == [
        str(published.commit)[:10],
        "200",
        str(sum(published.manifest.rows.values())),
    ]
    seconds = int(git(pipeline.clone, "log", "-1", "--format=%at"))
    day = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    assert lines[3][2:6] == ["retired", day, "in", f"{pipeline.head()[:10]},"]
    program = json.loads(ppr_assets("list", "--history", "--json").out)
    assert program[3]["retired_in"] == pipeline.head()
    assert program[0] | {"published_at": None} == {
        "override": None,
        "override_by": None,
        "override_source": None,
        "proof": "off",
        "proven": False,
        "dump": latest,
        "commit": published.commit,
        "published_at": None,
        "rows": dict(published.manifest.rows),
        "retired_in": None,
        "retired_at": None,
    }


def test_a_night_says_how_many_dumps_it_has_retired(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    old = {f"sql_dumps/{dump_name(datetime(2020, 1, day, tzinfo=UTC))}": "--\n" for day in (1, 2)}
    pipeline.first_night()
    commit_files(pipeline.clone, "Of upstream", {**old})
    pipeline.change()
    night = ppr_assets("dump", **KEEP_TWO)
    assert night.code == 0
    assert facts(night.out)["retired"] == "2 dumps into the history, 2 stay"


def test_a_prune_that_is_not_delivered_ends_with_its_error(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    commit_files(
        pipeline.clone,
        "Of upstream",
        {f"sql_dumps/{dump_name(datetime(2020, 1, 1, tzinfo=UTC))}": "--\n"},
    )
    pipeline.remote.rename(pipeline.remote.with_suffix(".away"))
    keep_one = KEEP_TWO | {"SQL_DUMP_KEEP_LAST": "1"}
    told = ppr_assets("prune", "--dry-run", **keep_one)
    assert told.code == 0
    assert told.err.startswith("newer dumps may be published, as the remote was not asked: ")
    done = ppr_assets("prune", **keep_one)
    assert done.code == 6
    assert done.out.splitlines()[-1].endswith(f"commit {pipeline.head()[:10]}, not pushed")
    assert ppr_assets("prune", SQL_DUMP_KEEP_DAILY="some").code == 2


def test_a_repository_without_dumps_has_nothing_to_remove_and_no_history(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    assert ppr_assets("prune").out == "nothing to retire: there is no dump\n"
    shown = ppr_assets("list", "--history")
    assert (shown.code, shown.out, shown.beside) == (0, "", "no dump was published yet\n")
