"""``ppr-assets restore`` as an operator meets it on a bad day."""

from __future__ import annotations

import json
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from ppr_assets.cli import cli
from ppr_assets.postgres.sessions.libpq import parameters
from ppr_assets.rules.naming import dump_moment
from ppr_assets_tests.fix_command_line import CommandLine, facts, wait_until
from ppr_assets_tests.fix_git import commit_files
from ppr_assets_tests.fix_pipeline import Pipeline, settled
from ppr_assets_tests.fix_restore import MakeTarget, Target


@pytest.fixture
def restoring(target: Target, ppr_assets: CommandLine) -> CommandLine:
    """The command line on ``target``, which holds other data than what the pipeline publishes."""
    ppr_assets.variables |= {
        "POSTGRES_USER": target.settings.user,
        "POSTGRES_DB": target.settings.dbname,
    }
    return ppr_assets


@pytest.fixture
def untouched(target: Target) -> Iterator[None]:
    """At the end of the test the same database has the same content, and nothing is beside it."""
    before = (dict(target.databases())[target.settings.dbname], target.content())
    yield
    assert (dict(target.databases())[target.settings.dbname], target.content()) == before
    assert settled(target.beside) == []
    assert settled(target.sessions) == []


def _sleeping_dump(pipeline: Pipeline, path: Path) -> None:
    """A dump that is never loaded to its end."""
    pipeline.first_night()
    name = pipeline.latest()
    text = (pipeline.dumps / name).read_text()
    end = "--\n-- PostgreSQL database dump complete\n"
    assert end in text
    path.write_text(text.replace(end, f"SELECT pg_catalog.pg_sleep(600);\n\n{end}"))


def test_the_latest_dump_takes_the_place_and_what_is_printed_leads_back(
    pipeline: Pipeline, restoring: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    old, name = target.content(), target.settings.dbname

    (restoring.folder / "here.env").write_text("GIT_USER_NAME='Ann Lee'\n")
    restored = restoring.installed("restore", "--by", "Ann Lee", "--env-file", "here.env")
    assert (restored.code, restored.stages) == (0, ["verify", "load", "compare", "swap"])
    told = facts(restored.out)
    assert told["dump"].startswith(f"{pipeline.latest()}, 1.4 MiB")
    assert re.search(r" MiB, \d+ min old$", told["dump"])
    assert told["from"] == f"commit {pipeline.head()[:10]}"
    assert told["replaces"].startswith(f"restorer@{target.settings.host}:5432/{name}, ")
    assert told["restored"] == f"{name}: 6231 rows in 26 tables, compared, as the dump says"
    new, former = target.content(), told["former"].split()[0]
    assert new == Target(pipeline.settings.database).content()
    assert [former] == target.beside()
    assert target.content(former) == old
    assert target.comment(former).endswith(
        f" UTC: `{pipeline.latest()}` was restored in its place by Ann Lee"
    )
    here = "ppr-assets --env-file here.env"
    assert f"drop it    {here} cleanup, from tomorrow on (--older-than 0: now)\n" in restored.out

    (back,) = re.findall(r"^go back +(.*)$", restored.out, re.MULTILINE)
    assert back == f"{here} restore --undo --into {name}"
    undone = restoring(*shlex.split(back)[1:], "--by", "Ann Lee")
    assert (undone.code, undone.err) == (0, "")
    assert f"undone     {name} is again what was called {former}\n" in undone.out
    assert target.content() == old
    (kept,) = target.beside()
    assert target.content(kept) == new
    assert target.comment(kept).endswith(f" UTC: {former} was put back by Ann Lee")

    again = json.loads(restoring("restore", "--undo", "--json").out)
    assert (again["database"], again["was"]) == (name, kept)
    assert target.content() == new
    way_back = next(line for line in undone.out.splitlines() if line.startswith("as SQL"))
    way_back = way_back.replace(kept, again["former"]).removeprefix("as SQL")
    for statement in way_back.strip().split("; "):
        target.execute(statement)
    assert target.content() == old
    assert [target.content(other) for other in target.beside()] == [new]

    for database in target.beside():
        target.execute(f"ALTER DATABASE {database} RENAME TO {name}_elsewhere")
    nothing = restoring("restore", "--undo")
    assert (nothing.code, nothing.err) == (
        1,
        f"no former database of {name} is there, so no restore can be undone\n"
        "HINT: `ppr-assets list` shows the dumps that can be restored instead.\n",
    )
    usage = restoring("restore", "--undo", "--drop-old")
    assert usage.code == 2 and "--undo goes with --into" in usage.err
    usage = restoring("restore", "latest.sql", "--undo")
    assert usage.code == 2 and "--undo restores no dump" in usage.err


def test_the_dump_that_is_meant_is_restored_into_the_database_that_is_meant(
    pipeline: Pipeline, restoring: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    first = pipeline.latest()
    pipeline.change()
    pipeline.night()
    into, old = f"{target.settings.dbname}_november", target.content()
    before = dump_moment(pipeline.latest())
    assert before is not None
    for choice in (
        ("--before", before.replace(tzinfo=None).isoformat(" ")),
        ("--at", "HEAD~1"),
        (first.removesuffix(".sql"),),
    ):
        restored = restoring("restore", *choice, "--into", into, "--drop-old", "--json")
        assert (restored.code, restored.err) == (0, "")
        told = json.loads(restored.out)
        assert told["dump"] == first
        assert told["database"] == into
        assert told["former"] is None
        assert told["rows"]["organization"] == 200
        assert set(told["seconds"]) == {"verify", "load", "compare", "swap"}
    assert target.beside() == [into]
    assert target.content() == old


def test_a_dump_with_too_few_records_is_refused_by_its_own_exit_code(
    pipeline: Pipeline, restoring: CommandLine, untouched: None, tmp_path: Path
) -> None:
    pipeline.first_night()
    text = (pipeline.dumps / pipeline.latest()).read_text()
    hollow = tmp_path / "hollow.sql"
    hollow.write_text(
        re.sub(r"( FROM stdin;\n).*?(^\\\.$)", r"\1\2", text, flags=re.DOTALL | re.MULTILINE)
    )
    refused = restoring("restore", str(hollow))
    assert refused.code == 3
    assert "the restore would take records away: organization would have 0 records, " in refused.err
    usage = restoring("restore", str(hollow), "--override", "why", "--drop-old")
    assert (usage.code, usage.out) == (2, "")
    assert "--override keeps the former database" in usage.err


def test_a_live_session_is_named_and_ended_only_by_wish(
    pipeline: Pipeline, restoring: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    old = target.content()
    scraper = parameters(target.settings) | {"application_name": "scraper"}
    with closing(psycopg.connect(**scraper, autocommit=True)) as session:
        refused = restoring("restore")
        assert refused.code == 7
        name = target.settings.dbname
        pid = session.info.backend_pid
        assert refused.error.startswith(
            f"busy: database {name} is in use: session {pid} of restorer (scraper) from "
        )
        assert "\nHINT: end them, or have them ended at the swap with --disconnect; " in refused.err
        session.execute("SELECT")
        assert target.content() == old

        restored = restoring("restore", "--disconnect", "--drop-old")
        assert restored.code == 0
        assert facts(restored.out)["replaces"].endswith(" MiB, to be dropped then")
        assert "former" not in facts(restored.out)
        assert target.content() == Target(pipeline.settings.database).content()
        assert target.beside() == []


@pytest.mark.usefixtures("untouched")
def test_a_damaged_dump_is_exit_code_4_and_touches_nothing(
    pipeline: Pipeline, restoring: CommandLine
) -> None:
    pipeline.first_night()
    name = pipeline.latest()
    text = (pipeline.dumps / name).read_text()
    commit_files(pipeline.clone, "Cut it", {f"sql_dumps/{name}": text[: len(text) // 2]})
    damaged = restoring("restore")
    assert damaged.code == 4
    assert f"`{name}`" in damaged.error
    assert "\nHINT: nothing was changed. " in damaged.err
    assert "restored" not in facts(damaged.out)


@pytest.mark.usefixtures("untouched")
def test_ctrl_c_and_the_deadline_leave_the_target_as_it_was(
    pipeline: Pipeline, restoring: CommandLine, target: Target
) -> None:
    endless = restoring.folder / "endless.sql"
    _sleeping_dump(pipeline, endless)

    def asleep() -> bool:
        return any("pg_sleep" in statement for _, statement in target.sessions())

    run = restoring.start("restore", str(endless))
    wait_until(asleep)
    assert len(target.beside()) == 1
    run.send_signal(signal.SIGINT)
    cancelled = restoring.ended(run)
    assert (cancelled.code, cancelled.error) == (130, "cancelled")
    assert settled(target.beside) == []

    late = restoring("restore", str(endless), "--deadline", "2")
    assert late.code == 1
    assert late.error.startswith("not done within the deadline of 2 s: ")
    assert "\nHINT: the database serves as before; give more time with --deadline" in late.err


def test_a_role_that_may_not_make_databases_restores_in_place_and_is_told_the_price_first(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    target = Target(pipeline.settings.database)
    pipeline.first_night()
    published = target.content()
    pipeline.lose_a_third()
    refused = ppr_assets("restore")
    assert refused.code == 1
    assert refused.error == "role pantry_pirate_radio may not create databases"
    assert "--in-place" in refused.err

    restored = ppr_assets("restore", "--in-place", "--by", "Ann Lee")
    assert (restored.code, restored.stages) == (0, ["verify", "load", "compare"])
    said = f" UTC: `{pipeline.latest()}` was restored in its place by Ann Lee"
    assert target.comment(target.settings.dbname).endswith(said), restored.out
    words = [line.split("  ")[0] for line in restored.out.splitlines()]
    assert words.index("in place") < words.index("replaces") < words.index("restored")
    assert target.content() == published
    assert target.beside() == []


def test_while_testing_is_true_only_the_test_database_is_replaced(
    pipeline: Pipeline, restoring: CommandLine, make_target: MakeTarget, target: Target
) -> None:
    pipeline.first_night()
    other = make_target(seed=2)
    old = (target.content(), other.content())
    restored = restoring("restore", "--into", other.settings.dbname, TESTING="true")
    assert restored.code == 0
    name = f"{target.settings.dbname}_test"
    assert facts(restored.out)["testing"].startswith(f"TESTING is true, so the target is {name} ")
    assert target.beside() == [name]
    assert target.content(name) == Target(pipeline.settings.database).content()
    assert (target.content(), other.content()) == old


@pytest.mark.usefixtures("untouched")
def test_databases_that_others_need_are_no_targets(
    pipeline: Pipeline, restoring: CommandLine, target: Target
) -> None:
    pipeline.first_night()
    url = restoring.variables["DAGSTER_POSTGRES_URL"]
    storage = "dagster_of_command_line"
    words = f"database {storage} is the one that Dagster keeps its runs in, by DAGSTER_POSTGRES_URL"
    databases = target.databases()
    for way in ((), ("--in-place",)):
        for name in ("postgres", "template1"):
            refused = restoring("restore", "--into", name, *way)
            assert refused.code == 2
            assert refused.error.startswith(f"database {name} belongs to the server itself, so ")
            assert "--into" in refused.err
        for verb in (("restore", *way), ("cleanup",)):  # as `--into "$UNSET"` in a script
            refused = restoring(*verb, "--into", "")
            assert (refused.code, refused.out) == (2, "")
            assert refused.error.startswith("the name of the database to restore into is empty")
        refused = restoring("restore", "--into", storage, *way)
        assert (refused.code, refused.out) == (2, "")
        assert refused.error.startswith(words)
    driver = url.replace("postgresql:", "postgresql+psycopg2:")
    init = restoring("init", POSTGRES_DB=storage, DAGSTER_POSTGRES_URL=driver)
    assert init.code == 2
    assert init.error.startswith(words)
    assert target.databases() == databases


@pytest.mark.usefixtures("untouched")
def test_no_secret_is_shown_when_another_repository_is_not_to_be_had(
    restoring: CommandLine,
) -> None:
    said = restoring(
        "restore",
        "--from",
        "http://someone:hunter2@127.0.0.1:9/data.git",
        DATA_REPO_TOKEN="hunter3",
    )
    assert said.code == 6
    assert said.error.startswith("no use of remote ")
    assert "\nHINT: " in said.err
    assert "hunter" not in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--before", "yesterday"], "`yesterday` must be a date like 2026-11-01"),
        (["latest.sql", "--before", "2026-11-01"], "--before cannot choose another"),
        (["--in-place", "--drop-old"], "--in-place swaps nothing"),
        (["--in-place", "--disconnect"], "--in-place swaps nothing"),
        (["--without-extensions"], "with --into, not in place"),
        (["--without-extensions", "--in-place", "--into", "x"], "with --into, not in place"),
        (["--deadline", "0"], "0.0 is not in the range x>0"),
        (["one", "two"], "Got unexpected extra argument (two)"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_exit_code_2(arguments: list[str], error: str) -> None:
    said = CliRunner().invoke(cli, ["restore", *arguments])
    assert said.exit_code == 2
    assert error in said.output


def test_differences_are_accepted_by_an_option_that_takes_no_dump_for_its_reason(
    pipeline: Pipeline, restoring: CommandLine, target: Target, tmp_path: Path
) -> None:
    pipeline.first_night()
    path = tmp_path / "downloaded.sql"
    text = (pipeline.dumps / pipeline.latest()).read_text()
    end = "--\n-- PostgreSQL database dump complete\n"
    path.write_text(text.replace(end, f"DROP INDEX public.url_service_id_idx;\n\n\n{end}"))
    refused = restoring("restore", str(path))
    assert refused.code == 4
    assert "index url_service_id_idx is missing" in refused.error
    assert "`--accept-differences`" in refused.err
    mistaken = restoring("restore", "--accept-differences", str(path))
    assert mistaken.code == 2
    assert "is a dump, not a reason" in mistaken.err
    taken = restoring("restore", str(path), "--accept-differences")
    assert taken.code == 0, taken.err
    assert facts(taken.out)["accepted"] == "index url_service_id_idx is missing"
    assert facts(taken.out)["restored"].endswith("compared, as the dump says")
