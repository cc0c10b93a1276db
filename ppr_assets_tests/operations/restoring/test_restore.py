"""Restore: the dump that is meant ends in the place of the target, and the former one is kept."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DataRepoError, DumpMissing, PprError, PushFailed
from ppr_assets.operations.restoring.loading import UNPROVEN
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres import embedded
from ppr_assets.postgres.databases.names import former_name
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline, listing
from ppr_assets_tests.fix_restore import (
    RESTORER,
    MadeDump,
    MakeTarget,
    Target,
    but_for_words,
    create_restorer,
)


def run(target: Target, found: FoundDump, *, drop_old: bool = False) -> RestoreOutcome:
    return restore(target.settings, found, Terms(drop_old=drop_old), deadline=Deadline(60))


def test_a_database_that_is_not_there_is_made(
    make_target: MakeTarget, new_dump: MadeDump, tmp_path: Path
) -> None:
    target = make_target(seed=None)
    outcome = run(target, new_dump.found(tmp_path))
    assert target.content() == new_dump.content
    assert outcome.tables == new_dump.manifest.tables
    assert outcome.rows == sum(new_dump.manifest.rows.values())
    assert (outcome.database, outcome.former) == (target.settings.dbname, None)
    assert (outcome.dump, outcome.manifest) == (new_dump.path.name, new_dump.manifest)
    assert list(outcome.seconds) == ["verify", "load", "compare", "swap"]
    assert but_for_words(outcome.remarks) == []
    assert target.beside() == []


def test_a_database_that_is_there_is_kept_under_another_name(
    target: Target, new_dump: MadeDump, old_dump: MadeDump, tmp_path: Path
) -> None:
    name = target.settings.dbname
    for statement in (
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO pg_monitor",
        f"ALTER DATABASE {name} SET work_mem TO '7MB'",
        f"COMMENT ON DATABASE {name} IS 'it''s'",
    ):
        target.execute(statement)
    described = (
        "SELECT to_jsonb(d) - 'oid' - 'datname' - 'datfrozenxid' - 'datminmxid', "
        "shobj_description(oid, 'pg_database'), (SELECT setconfig FROM pg_db_role_setting "
        "WHERE setdatabase = oid) FROM pg_database d WHERE datname = %s"
    )
    outcome = run(target, new_dump.found(tmp_path))
    assert outcome.former is not None
    assert target.beside() == [outcome.former]
    assert target.content() == new_dump.content
    assert target.content(outcome.former) == old_dump.content
    with target.administered() as connection:
        new, former = (
            connection.execute(described, [name]).fetchone() for name in (name, outcome.former)
        )
    assert new == former
    assert new is not None and new[1:] == ("it's", ["work_mem=7MB"])


def test_the_old_one_is_dropped_by_wish_and_other_ones_stay(
    target: Target, new_dump: MadeDump, old_dump: MadeDump, tmp_path: Path
) -> None:
    first = run(target, old_dump.found(tmp_path))
    assert run(target, new_dump.found(tmp_path), drop_old=True).former is None
    assert target.beside() == [first.former]
    assert target.content() == new_dump.content


def test_an_old_one_that_cannot_be_dropped_is_said_and_the_restore_is_done(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    name = target.settings.dbname
    target.execute(f"ALTER DATABASE {name} IS_TEMPLATE true")  # the server does not drop templates
    outcome = run(target, new_dump.found(tmp_path), drop_old=True)
    target.execute(f"ALTER DATABASE {outcome.former} IS_TEMPLATE false")
    assert target.beside() == [outcome.former]
    assert any("still there: could not drop" in remark for remark in outcome.remarks)
    assert target.content() == new_dump.content


def test_a_former_database_from_the_same_second_is_not_in_the_way(
    target: Target, new_dump: MadeDump, old_dump: MadeDump, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    taken = [
        former_name(target.settings.dbname, now + timedelta(seconds=second)) for second in range(6)
    ]
    for other in taken:
        target.execute(f"CREATE DATABASE {other}")
    outcome = run(target, new_dump.found(tmp_path))
    assert outcome.former is not None and outcome.former not in taken
    assert target.content(outcome.former) == old_dump.content
    assert target.beside() == sorted({*taken, outcome.former})


def test_what_killed_restores_left_is_dropped_first_and_nothing_else(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    name = target.settings.dbname
    half_made, former = f"{name}_restoring_20260101000000", f"{name}_before_20260101000000"
    lookalike = f"{name}_restoring_by_hand"
    for other in (half_made, former, lookalike):
        target.execute(f"CREATE DATABASE {other} OWNER restorer")
    run(target, new_dump.found(tmp_path), drop_old=True)
    assert target.beside() == sorted([former, lookalike])


def test_what_a_killed_restore_of_another_role_left_is_told_and_is_in_nobodys_way(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    half_made = f"{target.settings.dbname}_restoring_20260101000000"
    target.execute(f"CREATE DATABASE {half_made}")
    outcome = run(target, new_dump.found(tmp_path), drop_old=True)
    assert target.content() == new_dump.content
    assert target.beside() == [half_made]
    assert but_for_words(outcome.remarks) == [
        "a half-made database is still there: could not drop database "
        f"{half_made}: must be owner of database {half_made}"
    ]


def test_a_database_that_came_while_the_new_one_was_filled_is_kept_and_named(
    make_target: MakeTarget, new_dump: MadeDump, tmp_path: Path
) -> None:
    target = make_target(seed=None)
    statement = f"CREATE DATABASE {target.settings.dbname} OWNER {target.settings.user}"
    outcome = restore(
        target.settings,
        new_dump.found(tmp_path),
        deadline=Deadline(60),
        on_stage=lambda stage, _: target.execute(statement) if stage == "compare" else None,
    )
    assert target.content() == new_dump.content
    assert target.beside() == [outcome.former]


def test_a_database_whose_drop_was_interrupted_is_replaced(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    name = target.settings.dbname
    target.execute(f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{name}'")
    outcome = run(target, new_dump.found(tmp_path), drop_old=True)
    assert (outcome.former, but_for_words(outcome.remarks), target.beside()) == (None, [], [])
    assert target.content() == new_dump.content


def test_a_dump_that_does_not_say_what_server_it_is_of_is_restored(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    path = tmp_path / "silent.sql"
    path.write_bytes(re.sub(rb"-- Dumped from [^\n]*\n", b"", new_dump.sql, count=1))
    outcome = run(target, FoundDump(path.name, path, None, None, tmp_path))
    assert but_for_words(outcome.remarks) == [UNPROVEN]
    assert target.content() == new_dump.content


def test_who_follows_the_former_database_is_told(
    server_folder: Path, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    server = embedded.start(server_folder / "postgres")
    create_restorer(server)
    target = Target(server.database_settings("pantry_pirate_radio", RESTORER))
    target.execute("ALTER SYSTEM SET wal_level TO logical")
    server.stop()
    embedded.start(server_folder / "postgres")
    assert but_for_words(run(target, old_dump.found(tmp_path)).remarks) == []
    with target.administered(target.settings.dbname) as session:
        session.execute("SELECT pg_create_logical_replication_slot('follower', 'pgoutput')")
    outcome = run(target, new_dump.found(tmp_path))
    assert but_for_words(outcome.remarks) == [
        "replication slots stay with the former database (follower): who follows them gets "
        "nothing of the new one, and they go when it is dropped"
    ]


def test_what_the_former_database_follows_is_told(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    target.execute(
        "CREATE SUBSCRIPTION follows CONNECTION 'dbname=nowhere' PUBLICATION p "
        "WITH (connect = false, slot_name = NONE)",
        target.settings.dbname,
    )
    outcome = run(target, new_dump.found(tmp_path))
    assert outcome.former is not None
    target.execute("DROP SUBSCRIPTION follows", outcome.former)
    assert but_for_words(outcome.remarks) == [
        "subscriptions stay with the former database (follows), which goes on following by them "
        "and cannot be dropped while it does; the new one follows nothing"
    ]


def test_statistics_are_there_and_sequences_go_on(
    target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    run(target, new_dump.found(tmp_path))
    with target.administered(target.settings.dbname) as connection:
        unknown = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'm') AND reltuples < 0 "
            "AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        assert unknown == []
        known = connection.execute("SELECT DISTINCT tablename FROM pg_stats").fetchall()
        assert {key for key, rows in new_dump.manifest.rows.items() if rows} <= {
            k for (k,) in known
        }
        drawn = connection.execute(
            "SELECT nextval(pg_get_serial_sequence('record_version', 'id')) - max(id) "
            "FROM record_version"
        ).fetchone()
    assert drawn == (1,)


@dataclass(frozen=True)
class Published:
    """Two nights' dumps in a data repository, the older one gone from its newest commit's tree."""

    pipeline: Pipeline
    commits: list[str]

    @contextmanager
    def found(self, wanted: Wanted) -> Iterator[FoundDump]:
        with found_dump(self.pipeline.settings.data_repo, wanted) as found:
            yield found


@pytest.fixture
def published(
    pipeline: Pipeline, temporary_folder: Path, old_dump: MadeDump, new_dump: MadeDump
) -> Published:
    commits = []
    pipeline.dumps.mkdir()
    latest = pipeline.dumps / "latest.sql"
    for made in (old_dump, new_dump):
        shutil.copy(made.path, pipeline.dumps)
        described = made.path.with_suffix(".json").name
        (pipeline.dumps / described).write_text(made.manifest.to_json())
        latest.unlink(missing_ok=True)
        latest.symlink_to(made.path.name)
        git(pipeline.clone, "add", "-A")
        git(pipeline.clone, "commit", "-q", "--no-verify", "-m", f"Dump {made.path.name}")
        commits.append(git(pipeline.clone, "rev-parse", "HEAD"))
    git(pipeline.clone, "push", "-q", "origin", "main")
    return Published(pipeline, commits)


def _litter(pipeline: Pipeline) -> list[str]:
    """What a restore works in, and must leave empty."""
    temporary = Path(tempfile.gettempdir()) / f"ppr_assets-{os.getuid()}"
    return listing(pipeline.clone / ".git" / "ppr_assets" / "restoring") + listing(temporary)


def test_the_dump_that_is_meant_comes_out_of_the_data_repository(
    published: Published, make_target: MakeTarget, old_dump: MadeDump, new_dump: MadeDump
) -> None:
    target = make_target(seed=None)
    before = published.pipeline.picture()
    for wanted, meant in {
        Wanted(): new_dump,
        Wanted(dump="latest.sql"): new_dump,
        Wanted(dump=old_dump.path.name): old_dump,
        Wanted(dump=old_dump.path.stem): old_dump,
        Wanted(before=datetime(2026, 11, 22, tzinfo=UTC)): old_dump,
        Wanted(at=published.commits[0]): old_dump,
    }.items():
        with published.found(wanted) as found:
            assert found.name == meant.path.name, wanted
            assert found.path.parent == published.pipeline.dumps, "no copy where the file is there"
            assert found.path.read_bytes() == meant.sql, wanted
            commit = published.commits[0 if wanted.at else 1]
            assert (found.commit, found.manifest) == (commit, meant.manifest), wanted
            if wanted in (Wanted(), Wanted(at=commit)):
                outcome = run(target, found, drop_old=True)
                assert outcome.origin == f"commit {commit[:10]}"
                assert target.content() == meant.content
        assert _litter(published.pipeline) == [], wanted
    assert published.pipeline.picture() == before


def test_what_lies_changed_or_not_at_all_in_the_work_tree_is_taken_from_git(
    published: Published, make_target: MakeTarget, new_dump: MadeDump
) -> None:
    file = published.pipeline.dumps / new_dump.path.name
    target = make_target(seed=None)
    file.write_bytes(b"--\n")
    with published.found(Wanted()) as found:
        assert found.path.parent.parent.name == "restoring"
        assert found.path.read_bytes() == new_dump.sql
    assert _litter(published.pipeline) == []
    file.unlink()
    with published.found(Wanted()) as found:
        assert found.path.parent.parent.name == "restoring"
        run(target, found)
    assert target.content() == new_dump.content
    assert _litter(published.pipeline) == []


def test_what_the_remote_has_since_is_the_latest(
    published: Published, old_dump: MadeDump, new_dump: MadeDump
) -> None:
    pipeline = published.pipeline
    git(pipeline.clone, "reset", "-q", "--hard", published.commits[0])
    with published.found(Wanted()) as found:
        assert (found.name, found.commit) == (new_dump.path.name, published.commits[1])
    pipeline.remote.rename(pipeline.remote.with_name("away"))
    with published.found(Wanted()) as found:
        assert found.name == new_dump.path.name, "what is known of the remote is looked at"
    for ref in ("refs/remotes/origin/main", "refs/ppr_assets/remote/main"):
        git(pipeline.clone, "update-ref", "-d", ref)
    with published.found(Wanted()) as found:
        assert (found.name, found.commit) == (old_dump.path.name, published.commits[0])


def test_a_dump_comes_from_another_environments_data_repository(
    published: Published,
    make_target: MakeTarget,
    old_dump: MadeDump,
    new_dump: MadeDump,
    tmp_path: Path,
) -> None:
    pipeline, target = published.pipeline, make_target(seed=None)
    folder = tmp_path / "folder"
    shutil.copytree(pipeline.dumps, folder, symlinks=True)
    other, url = pipeline.clone_again("other"), pipeline.remote.as_uri()
    # there is no data repository here yet
    settings = replace(pipeline.settings.data_repo, path=tmp_path / "none", url=None)
    for wanted, meant in {
        Wanted(source=str(other)): new_dump,
        Wanted(source=str(pipeline.remote)): new_dump,
        Wanted(source=str(folder)): new_dump,
        Wanted(source=url): new_dump,
        Wanted(source=url, at=published.commits[0]): old_dump,
    }.items():
        with found_dump(settings, wanted) as found:
            assert found.path.read_bytes() == meant.sql, wanted
            assert found.manifest == meant.manifest, wanted
            if wanted.at:
                assert run(target, found).manifest == meant.manifest
                assert target.content() == meant.content
        assert not settings.path.exists(), wanted
        assert _litter(pipeline) == [], wanted
    assert git(other, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["pantry_pirate_radio_2025-08-09_02-00-00.sql", "mine.sql"])
def test_a_file_by_its_path_needs_no_manifest_and_is_said_to_be_unproven(
    name: str, pipeline: Pipeline, target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    shutil.copy(new_dump.path, tmp_path / name)
    with found_dump(pipeline.settings.data_repo, Wanted(dump=str(tmp_path / name))) as found:
        outcome = run(target, found)
    assert but_for_words(outcome.remarks) == [UNPROVEN]
    assert (outcome.manifest, outcome.dump) == (None, name)
    assert target.content() == new_dump.content


def test_upstreams_compressed_latest_is_restored(
    pipeline: Pipeline, temporary_folder: Path, target: Target, new_dump: MadeDump, tmp_path: Path
) -> None:
    name = "pantry_pirate_radio_2025-08-09_02-00-00.sql.gz"
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / name).write_bytes(gzip.compress(new_dump.sql, 1))
    (folder / "latest.sql.gz").symlink_to(name)
    for wanted in (
        Wanted(source=str(folder)),
        Wanted(source=str(folder), dump="latest.sql.gz"),
        Wanted(dump=str(folder / "latest.sql.gz")),
    ):
        with found_dump(pipeline.settings.data_repo, wanted) as found:
            assert gzip.decompress(found.path.read_bytes()) == new_dump.sql, wanted
            if wanted.source and not wanted.dump:
                outcome = run(target, found)
                assert but_for_words(outcome.remarks) == [UNPROVEN]
                assert target.content() == new_dump.content
        assert listing(folder) == ["latest.sql.gz", name], wanted
    assert _litter(pipeline) == []


def test_a_dump_that_is_not_there_is_missed_with_what_there_is(
    published: Published, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    oldest, newest = old_dump.path.name, new_dump.path.name
    empty = tmp_path / "empty"
    empty.mkdir()
    cases: list[tuple[Wanted, type[PprError], str]] = [
        (Wanted(dump="nothing.sql"), DumpMissing, f"no dump `nothing.sql` in .*newest is {newest}"),
        (
            Wanted(before=datetime(2026, 11, 21, 2, tzinfo=UTC)),
            DumpMissing,
            f"from before .* the oldest is {oldest}",
        ),
        (Wanted(source=str(empty)), DumpMissing, f"there is no dump in `{empty}`"),
        (Wanted(dump=f"{empty}/gone.sql"), DumpMissing, f"there is no file `{empty}/gone.sql`"),
        (Wanted(at="nowhere"), DataRepoError, "there is no commit `nowhere`"),
        (Wanted(source=(tmp_path / "gone.git").as_uri()), PushFailed, "gone.git"),
    ]
    for wanted, error, words in cases:
        with pytest.raises(error, match=words) as missed, published.found(wanted):
            pass
        assert missed.value.exit_code == 6
        assert missed.value.hint
    assert _litter(published.pipeline) == []
