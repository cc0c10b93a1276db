"""The keep rules at work in a data repository that others write to as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import DataRepoError, GateRefused
from ppr_assets.operations.published.listing import list_history
from ppr_assets.operations.publishing.prune import prune, would_prune
from ppr_assets.operations.publishing.retention import retention_at
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.naming import dump_name, manifest_name
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Proof
from ppr_assets.rules.retention import Fate
from ppr_assets.settings import KeepSettings
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline, listing, wait_for_a_later_name

ONE = KeepSettings(last=1, daily=0, weekly=0, monthly=0, yearly=0)
TWO = dataclasses.replace(ONE, last=2)


def older(days: int) -> str:
    """A dump's name from so many days before today."""
    return dump_name(datetime.now(UTC) - timedelta(days=days))


def shelve(pipeline: Pipeline, dumps: Mapping[str, Mapping[str, Any]]) -> None:
    """Commit and push older dumps as if they had been published, each with a manifest's facts."""
    manifest = Manifest.from_json(
        git(pipeline.clone, "show", f"main:sql_dumps/{manifest_name(pipeline.latest())}")
    )
    files: dict[str, str | None] = {}
    for name, facts in dumps.items():
        files[f"sql_dumps/{name}"] = f"-- {name}\n"
        described = replace(manifest, dump=name, bytes=len(name) + 4, **facts)
        files[f"sql_dumps/{manifest_name(name)}"] = described.to_json()
    commit_files(pipeline.clone, "Older dumps", files)
    git(pipeline.clone, "push", "-q", "origin", "main")


def changes(pipeline: Pipeline, revision: str = "main") -> list[str]:
    """What a commit did to the dump folder, but for the page: ``A name``, ``D name`` …"""
    answer = git(pipeline.clone, "show", "--format=", "--name-status", "--no-renames", revision)
    lines = (line.replace("\tsql_dumps/", " ") for line in answer.splitlines())
    return [line for line in lines if line not in ("M README.md", "M dumps.svg")]


def trailer(pipeline: Pipeline, key: str, revision: str = "main") -> str:
    return git(pipeline.clone, "log", "-1", f"--format=%(trailers:key={key},valueonly)", revision)


def kept_by(pipeline: Pipeline) -> dict[str, tuple[str, ...]]:
    fates = would_prune(pipeline.settings).retention.fates
    return {fate.dump.name: fate.kept_by for fate in fates}


def removed(*names: str) -> list[str]:
    return [f"D {file}" for name in names for file in (manifest_name(name), name)]


def test_a_night_retires_in_its_own_commit_what_no_rule_keeps(pipeline: Pipeline) -> None:
    _, first = pipeline.first_night()
    old = [older(days) for days in (3, 2, 1)]
    shelve(pipeline, {name: {} for name in old})
    pipeline.gate(keep=TWO)
    pipeline.change()
    _, published = pipeline.night()
    assert published.retention is not None
    assert published.retention.retired == [*reversed(old)]
    assert published.retention.kept == [published.manifest.dump, first.manifest.dump]
    assert [line for line in changes(pipeline) if line[0] == "D"] == removed(*old)
    assert f"A {published.manifest.dump}" in changes(pipeline)
    assert trailer(pipeline, "Retired") == " ".join(reversed(old))
    assert trailer(pipeline, "Dump") == published.manifest.dump
    assert pipeline.remote_head() == pipeline.head() == published.commit
    assert not set(listing(pipeline.dumps)) & {*old, *map(manifest_name, old)}
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""


def test_the_defaults_leave_the_first_week_alone(pipeline: Pipeline) -> None:
    pipeline.first_night()
    shelve(pipeline, {older(days): {} for days in range(1, 6)})
    pipeline.change()
    _, published = pipeline.night()
    assert published.retention is not None
    assert published.retention.retired == []
    assert trailer(pipeline, "Retired") == ""


def test_a_refused_and_an_unchanged_night_retire_nothing(pipeline: Pipeline) -> None:
    pipeline.first_night()
    shelve(pipeline, {older(days): {} for days in (2, 1)})
    pipeline.gate(keep=ONE)
    before = pipeline.picture()
    _, published = pipeline.night()
    assert (published.status, published.retention) == ("unchanged", None)
    assert pipeline.picture() == before
    pipeline.lose_a_third()
    with pytest.raises(GateRefused):
        pipeline.night()
    assert pipeline.picture() == before


def test_an_overridden_night_keeps_what_it_was_passed_against(pipeline: Pipeline) -> None:
    _, first = pipeline.first_night()
    pipeline.gate(keep=ONE)
    pipeline.lose_a_third()
    _, overridden = pipeline.night(override_reason="closed county, ticket 214")
    pipeline.execute("DELETE FROM phone WHERE id IN (SELECT id FROM phone LIMIT 1)")
    _, again = pipeline.night(override_reason="still closed")
    assert again.retention is not None
    assert again.retention.retired == []
    assert kept_by(pipeline) == {
        again.manifest.dump: ("last 1", "latest", "last above the floor", "overridden"),
        overridden.manifest.dump: ("predecessor of an overridden dump", "overridden"),
        first.manifest.dump: ("predecessor of an overridden dump",),
    }


def test_pruning_says_first_and_then_does_in_a_commit_of_its_own(pipeline: Pipeline) -> None:
    pipeline.first_night()
    old = [older(days) for days in (3, 2, 1)]
    proof = Proof("server", datetime.now(UTC), "18.6", 1.0)
    shelve(pipeline, {name: {"proof": proof if name == old[0] else None} for name in old})
    pipeline.gate(keep=ONE)
    before = pipeline.picture()
    told = would_prune(pipeline.settings)
    assert pipeline.picture() == before
    assert told.commit is None
    assert told.retention.retired == [old[2], old[1]]
    assert kept_by(pipeline)[old[0]] == ("last proven",)

    outcome = prune(pipeline.settings)
    assert outcome.retention == told.retention
    assert outcome.commit == pipeline.head() == pipeline.remote_head()
    assert changes(pipeline) == removed(old[1], old[2])
    assert git(pipeline.clone, "log", "-1", "--format=%s") == "Retire 2 dumps, keep 2"
    assert trailer(pipeline, "Retired") == f"{old[2]} {old[1]}"
    assert outcome.retention.bytes == sum(len(name) + 4 for name in old[1:])
    assert not set(listing(pipeline.dumps)) & {*old[1:], *map(manifest_name, old[1:])}

    before = pipeline.picture()
    assert prune(pipeline.settings).commit is None
    assert pipeline.picture() == before
    pipeline.change()
    pipeline.night()  # the mark still stands, and so does everything else that a night needs


def test_what_is_no_dump_and_what_cannot_be_read_does_no_harm(pipeline: Pipeline) -> None:
    pipeline.first_night()
    old, copied, broken, foreign, empty = (older(days) for days in (8, 7, 6, 5, 4))
    shelve(pipeline, {old: {}, copied: {}, foreign: {}})
    strange: dict[str, str | None] = {
        f"sql_dumps/{copied}.gz": "not even gzip",
        f"sql_dumps/{broken}": "-- broken\n",
        f"sql_dumps/{manifest_name(broken)}": '{"schema_version": 1}',
        f"sql_dumps/{manifest_name(foreign)}": git(
            pipeline.clone, "show", f"main:sql_dumps/{manifest_name(old)}"
        ),
        f"sql_dumps/{empty}": "-- of upstream, without a manifest\n",
        "sql_dumps/notes.txt": "ours",
        "sql_dumps/pantry_pirate_radio_2026-02-31_00-00-00.sql": "no such day",
        "sql_dumps/pantry_pirate_radio_2001-01-01_00-00-00.json": "a manifest of nothing",
        f"sql_dumps/older/{old}": "in a folder of somebody's",
        f"sql_dumps/{older(9)}/inside": "a folder with a dump's name",
    }
    (pipeline.dumps / older(10)).symlink_to("notes.txt")
    git(pipeline.clone, "add", f"sql_dumps/{older(10)}")
    commit_files(pipeline.clone, "Strange things", strange)
    git(pipeline.clone, "push", "-q", "origin", "main")
    pipeline.gate(keep=TWO)
    reasons = kept_by(pipeline)
    assert reasons.keys() == {
        pipeline.latest(),
        old,
        copied,
        f"{copied}.gz",
        broken,
        foreign,
        empty,
    }
    assert reasons[empty] == ("last 2",)
    assert reasons[broken] == ("the manifest cannot be read: dump is missing",)
    assert reasons[foreign] == (f"the manifest is that of {old}",)

    prune(pipeline.settings)
    assert changes(pipeline) == sorted([*removed(old, copied), f"D {copied}.gz"], key=_path)


def test_the_manifest_stays_where_only_a_copy_in_gzip_retires(pipeline: Pipeline) -> None:
    pipeline.first_night()
    name = older(2)
    shelve(pipeline, {name: {"override": Override("closed county", "run config")}})
    commit_files(pipeline.clone, "Packed", {f"sql_dumps/{name}.gz": "not even gzip"})
    git(pipeline.clone, "push", "-q", "origin", "main")
    pipeline.gate(keep=ONE)
    prune(pipeline.settings)
    assert changes(pipeline) == [f"D {name}.gz"]


def test_what_both_publishers_have_retired_does_not_come_back(pipeline: Pipeline) -> None:
    pipeline.first_night()
    old = [older(days) for days in (3, 2, 1)]
    shelve(pipeline, {name: {} for name in old})
    other = pipeline.elsewhere(pipeline.clone_again("other"))

    pipeline.gate(keep=dataclasses.replace(ONE, last=4))
    pipeline.repo(push_enabled=False)
    pipeline.change()
    _, here = pipeline.night()
    assert here.retention is not None and here.retention.retired == [old[0]]
    other.gate(keep=dataclasses.replace(ONE, last=3))
    other.change()
    wait_for_a_later_name(here.manifest.dump)
    _, there = other.night()
    assert there.retention is not None and there.retention.retired == [old[1], old[0]]

    pipeline.repo(push_enabled=True)
    pipeline.change()
    _, after = pipeline.night()
    assert after.retention is not None and after.retention.retired == [old[2]]
    assert len(git(pipeline.clone, "log", "-1", "--format=%P", "main^").split()) == 2
    assert not {*old} & set(listing(pipeline.dumps))
    assert after.commit == pipeline.remote_head()


def test_every_retired_dump_is_listed_with_the_commit_that_brings_it_back(
    pipeline: Pipeline,
) -> None:
    _, first = pipeline.first_night()
    pipeline.gate(keep=ONE)
    pipeline.change()
    _, second = pipeline.night()
    history = list_history(pipeline.settings.data_repo)
    assert history.complete
    newest, oldest = history.dumps
    assert (newest.name, newest.retired) == (second.manifest.dump, None)
    assert (oldest.name, oldest.published.commit) == (first.manifest.dump, first.commit)
    assert oldest.retired is not None and oldest.retired.commit == second.commit
    assert oldest.records == first.manifest.rows

    data = pipeline.settings.data_repo
    for wanted in (Wanted(at=first.commit), Wanted(first.manifest.dump, at=first.commit)):
        with found_dump(data, wanted) as found:
            assert (found.name, found.manifest) == (first.manifest.dump, first.manifest)
            assert found.path.stat().st_size == first.manifest.bytes
    missing = pytest.raises(DataRepoError, match=f"there is no dump `{first.manifest.dump}`")
    with missing as caught, found_dump(data, Wanted(first.manifest.dump)):
        pass
    assert "`ppr-assets list --history`" in caught.value.hint


def test_the_history_is_whole_whatever_others_did_and_configured(pipeline: Pipeline) -> None:
    pipeline.repo(dump_dir="dümps [1]")
    pipeline.gate(keep=ONE)
    published = []
    for branch in ("data-update-1", "data-update-2"):
        git(pipeline.clone, "checkout", "-q", "-b", branch)
        commit_files(pipeline.clone, "Data update", {f"daily/{branch}.json": "{}"})
        git(pipeline.clone, "checkout", "-q", "main")
        pipeline.change()
        published.append(pipeline.night()[1])
        git(pipeline.clone, "merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        git(pipeline.clone, "push", "-q", "origin", "main")
    upstream = f"{older(3)}.gz"
    by_hand: dict[str, str | None] = {
        f"dümps [1]/{upstream}": "by hand",
        f"dümps 1/{older(4)}": "of another folder",
    }
    commit_files(pipeline.clone, "By hand", by_hand)
    for name, value in (("diff.renames", "copies"), ("log.follow", "1")):
        git(pipeline.clone, "config", name, value)
    history = list_history(pipeline.settings.data_repo)
    assert [(dump.name, dump.published.commit) for dump in history.dumps] == [
        *((one.manifest.dump, one.commit) for one in reversed(published)),
        (upstream, pipeline.head()),
    ]
    assert [dump.retired is not None for dump in history.dumps] == [False, True, False]


def test_a_shallow_clone_says_that_its_history_is_not_all(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.first_night()
    url = pipeline.remote.as_uri()
    git(tmp_path, "clone", "-q", "--depth=1", "--config=log.showRoot=false", url, "shallow")
    history = list_history(
        dataclasses.replace(pipeline.settings.data_repo, path=tmp_path / "shallow")
    )
    assert [dump.name for dump in history.dumps] == [pipeline.latest()]
    assert not history.complete


def test_pruning_pushes_no_dump_that_waits_to_be_judged_again(pipeline: Pipeline) -> None:
    pipeline.first_night()
    shelve(pipeline, {older(days): {} for days in (2, 1)})
    pipeline.repo(push_enabled=False)
    pipeline.change()
    _, waiting = pipeline.night()
    pipeline.repo(push_enabled=True)
    pipeline.gate(keep=ONE)
    before = pipeline.picture()
    with pytest.raises(DataRepoError) as told:
        prune(pipeline.settings)
    assert told.value.render() == (
        f"{waiting.manifest.dump} is not on the remote yet, and pruning would push it as it is\n"
        "HINT: `ppr-assets dump` delivers it, and applies the keep rules as well."
    )
    assert pipeline.picture() == before
    pipeline.change()
    pipeline.night()
    assert len(kept_by(pipeline)) == 1


def test_pruning_offline_keeps_the_commit_for_the_next_run(pipeline: Pipeline) -> None:
    pipeline.first_night()
    shelve(pipeline, {older(days): {} for days in (2, 1)})
    pipeline.gate(keep=ONE)
    pipeline.remote.rename(pipeline.remote.with_suffix(".away"))
    outcome = prune(pipeline.settings)
    assert outcome.delivery.failure is not None
    assert outcome.commit == pipeline.head()
    assert would_prune(pipeline.settings).remarks[0].startswith("newer dumps may be published")
    pipeline.remote.with_suffix(".away").rename(pipeline.remote)
    pipeline.change()
    _, published = pipeline.night()
    assert published.commit == pipeline.remote_head()


def test_a_partial_clone_that_cannot_ask_for_manifests_retires_nothing(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.first_night()
    shelve(pipeline, {older(days): {} for days in (2, 1)})
    pipeline.gate(keep=ONE)
    git(pipeline.remote, "config", "uploadpack.allowFilter", "true")
    url = pipeline.remote.as_uri()
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", url, "partial")
    partial = open_data_repo(
        dataclasses.replace(pipeline.settings.data_repo, path=tmp_path / "partial")
    )
    commit = pipeline.head()
    git(tmp_path / "partial", "cat-file", "-e", f"{commit}:sql_dumps/latest.sql")
    pipeline.remote.rename(pipeline.remote.with_suffix(".away"))
    offline = retention_at(partial, commit, pipeline.settings.dump)
    assert offline.paths == []
    assert all(
        reason.startswith("the manifest cannot be read: ") for reason in _first(offline.fates)
    )
    pipeline.remote.with_suffix(".away").rename(pipeline.remote)
    assert len(retention_at(partial, commit, pipeline.settings.dump).retired) == 2


def test_a_file_that_somebody_changed_outlives_its_dump(pipeline: Pipeline) -> None:
    pipeline.first_night()
    name = older(1)
    shelve(pipeline, {name: {}})
    (pipeline.dumps / name).write_text("mine")
    pipeline.gate(keep=ONE)
    prune(pipeline.settings)
    assert (pipeline.dumps / name).read_text() == "mine"
    assert changes(pipeline) == removed(name)


def _first(fates: Sequence[Fate]) -> list[str]:
    return [fate.kept_by[0] for fate in fates]


def _path(line: str) -> str:
    return line[2:]
