"""An audit of a history like the real one: old scripts before us, between us and beside us, merges
of their branches, dumps that nobody describes, and objects that are lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.operations.audit import Audited, Scope, audit
from ppr_assets.operations.published.mark_history import StandingMark
from ppr_assets.operations.published.standing_mark import standing_mark
from ppr_assets.operations.publishing import gate
from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets.rules.naming import dump_name, manifest_name
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline, wait_for_a_later_name

EVERYTHING = Scope(every=True)
NIGHTS = 60
START = datetime(2025, 7, 28, 4, tzinfo=UTC)
OLD_BYTES = 20_000


def _old_history() -> Iterator[str]:
    """For ``git fast-import``: what the old publisher left. Each night it works on a branch and
    merges it, has a new dump, removes the one of ten nights before, lets latest.sql.gz lead to the
    new one, and writes the mark, which falls in the middle when its database was lost."""
    yield "reset refs/heads/main\nfrom refs/heads/main^0\n"
    for night in range(NIGHTS):
        moment = START + timedelta(days=night)
        name = f"{dump_name(moment)}.gz"
        mark = json.dumps({"max_record_count": 1801 + night if night < NIGHTS / 2 else night})
        when = f"committer Publisher <p@example.com> {int(moment.timestamp())} +0000\n"
        branch = f"refs/heads/data-update-{night}"
        yield f"commit {branch}\n{when}{_text('Data update')}from refs/heads/main^0\n"
        yield f"M 100644 inline daily/{night}.json\n{_text('{}')}\n"
        yield f"commit refs/heads/main\n{when}{_text('Add SQL dump')}"
        yield f"M 100644 inline sql_dumps/{name}\n{_text(f'{night} ' + 'x' * OLD_BYTES)}"
        yield f"M 120000 inline sql_dumps/latest.sql.gz\n{_text(name)}"
        yield f"M 100644 inline {RATCHET}\n{_text(mark)}"
        if night >= 10:
            yield f"D sql_dumps/{dump_name(moment - timedelta(days=10))}.gz\n"
        yield f"\ncommit refs/heads/main\n{when}{_text(f'Merge data-update-{night}')}"
        yield f"merge {branch}\nM 100644 inline daily/{night}.json\n{_text('{}')}\n"
        yield f"reset {branch}\nfrom {'0' * 40}\n\n"


def _text(text: str) -> str:
    return f"data {len(text)}\n{text}\n"


def _import(clone: Path) -> None:
    importing = ["git", "fast-import", "--quiet", "--force"]
    stream = "".join(_old_history())
    subprocess.run(importing, cwd=clone, input=stream, text=True, check=True)
    git(clone, "reset", "-q", "--hard")
    git(clone, "push", "-q", "origin", "main")


@pytest.fixture
def old(pipeline: Pipeline) -> Pipeline:
    _import(pipeline.clone)
    return pipeline


def _old_script(clone: Path, mark: int) -> None:
    """Once more, after a night of ours."""
    name = f"{dump_name(datetime.now(UTC) + timedelta(seconds=1))}.gz"
    files: dict[str, str | None] = {
        f"sql_dumps/{name}": "theirs",
        RATCHET: json.dumps({"max_record_count": mark, "updated_by": "haarrrvest_publisher"}),
    }
    commit_files(clone, "Add SQL dump", files)
    git(clone, "push", "-q", "origin", "main")
    wait_for_a_later_name(name)


def _partial(pipeline: Pipeline, path: Path) -> DataRepoSettings:
    """A clone that has no file, of a remote that cuts nothing short."""
    git(pipeline.remote, "config", "uploadpack.allowFilter", "true")
    url = pipeline.remote.as_uri()
    git(path.parent, "clone", "-q", "--filter=blob:none", "--no-checkout", url, str(path))
    return replace(pipeline.settings.data_repo, path=path, url=None)


def _lacks(clone: Path) -> set[str]:
    listing = git(clone, "rev-list", "--objects", "--missing=print", "main").splitlines()
    return {line[1:] for line in listing if line.startswith("?")}


def _findings(found: list[Audited]) -> list[str]:
    return [text for one in found for text in one.findings]


def test_what_old_scripts_did_is_unverifiable_and_never_fetched(
    old: Pipeline, tmp_path: Path
) -> None:
    old.night()
    _old_script(old.clone, 300)
    settings = _partial(old, tmp_path / "partial")
    found = list(audit(settings, EVERYTHING))
    assert _findings(found) == []
    by_status = [one.status for one in found if one.dump]
    assert (by_status.count("unverifiable"), by_status.count("holds")) == (NIGHTS + 1, 1)
    theirs = [one.manifest is None for one in found if not one.dump]
    assert all(theirs)
    listing = git(old.clone, "ls-tree", "-r", "main", "--", "sql_dumps").splitlines()
    packed = {line.split()[2] for line in listing if line.endswith(".gz") and "latest" not in line}
    assert len(packed) > 5
    assert packed <= _lacks(settings.path)
    notes = [note for one in found for note in one.notes]
    fell = "the mark was lowered without a recorded reset: organization 30, 1830 before"
    assert notes.count(fell) == 1
    assert sum(note.startswith("it removed pantry_") for note in notes) == NIGHTS - 10
    vanished = "the marks of other tables vanished from the ratchet file"
    assert sum(note.startswith(vanished) for note in notes) == 1


def test_a_dump_that_the_remote_has_lost_is_a_finding_and_ends_nothing(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    for _ in range(3):
        pipeline.change()
        pipeline.night()
    dumps = sorted(path.name for path in pipeline.dumps.glob("pantry*.sql"))
    git(pipeline.remote, "config", "core.looseCompression", "0")
    settings = _partial(pipeline, tmp_path / "partial")
    packs = tmp_path / "packs"
    shutil.copytree(pipeline.remote / "objects" / "pack", packs)
    shutil.rmtree(pipeline.remote / "objects" / "pack")
    for pack in packs.glob("*.pack"):
        with pack.open("rb") as file:
            command = ["git", "unpack-objects", "-q"]
            subprocess.run(command, cwd=pipeline.remote, stdin=file, check=True)
    lost = [
        git(pipeline.clone, "rev-parse", f"main:sql_dumps/{name}")
        for name in (dumps[0], manifest_name(dumps[1]))
    ]
    for sha in lost:
        (pipeline.remote / "objects" / sha[:2] / sha[2:]).unlink()
    offline = list(audit(settings, Scope(every=True, offline=True)))
    assert {one.status for one in offline if one.dump} <= {"unverifiable", "broken"}
    found = list(audit(settings, EVERYTHING))
    told = {one.dump: (one.status, one.findings) for one in found if one.dump}
    assert told[dumps[0]] == ("broken", ("its bytes are lost, here and on the remote",))
    assert told[dumps[1]] == ("broken", ("its manifest is lost, here and on the remote",))
    assert told[dumps[2]] == ("holds", ())
    pipeline.remote.rename(tmp_path / "away")
    with pytest.raises(RemoteUnreachable):
        list(audit(settings, EVERYTHING))


def test_a_vanished_mark_is_told_and_dumps_are_judged_by_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who dumped before lost marks were known published nothing where thousands had been."""
    pipeline.first_night()
    had = pipeline.count("location")
    _old_script(pipeline.clone, 205)

    def as_it_was(repo: DataRepo, commit: str | None) -> StandingMark | None:
        mark = dump_folder(repo, commit).mark
        return StandingMark(mark, {}) if mark else None

    with monkeypatch.context() as before:
        before.setattr(gate, "standing_mark", as_it_was)
        pipeline.change()
        pipeline.night()
        pipeline.execute("TRUNCATE location CASCADE")
        pipeline.gate(core_share=Decimal(0))  # a version that knew of no such rule
        commit_files(pipeline.clone, "Add SQL dump", {RATCHET: '{"max_record_count": 206}'})
        git(pipeline.clone, "push", "-q", "origin", "main")
        pipeline.night()
    found = list(audit(pipeline.settings.data_repo, EVERYTHING))
    notes = [(one.commit.subject, note) for one in found for note in one.notes]
    gone = [(subject, note) for subject, note in notes if "vanished from the ratchet file" in note]
    assert [subject for subject, _ in gone] == ["Add SQL dump", "Add SQL dump"]
    assert "accessibility" in gone[0][1]
    broken, *others = [one for one in found if one.findings]
    assert not others, others
    assert broken.dump == pipeline.latest()
    assert f"location has 0 records, at least {round(had * 0.9)} needed" in broken.findings[0]
    judged = [one for one in found if "it was judged without the marks" in " ".join(one.notes)]
    assert [one.status for one in judged] == ["holds"]


def test_a_fall_lists_the_marks_that_fell_alone(pipeline: Pipeline) -> None:
    pipeline.first_night()
    mark = pipeline.mark()
    mark["tables"]["location"] -= 1
    mark["tables"]["service"] += 1000
    del mark["tables"]["phone"]
    was = pipeline.count("location"), pipeline.count("phone")
    commit_files(pipeline.clone, "Edit it", {RATCHET: json.dumps(mark)})
    (finding,) = _findings(list(audit(pipeline.settings.data_repo, EVERYTHING)))
    assert finding == (
        "the mark was lowered without a recorded reset: "
        f"location {was[0] - 1}, {was[0]} before; phone 0, {was[1]} before"
    )
    commit_files(pipeline.clone, "Edit it", {RATCHET: '{"max_record_count": 150}'})
    assert _findings(list(audit(pipeline.settings.data_repo, EVERYTHING)))[1:] == [
        "the mark was lowered without a recorded reset: organization 150, 200 before"
    ]
    reset(pipeline.settings, to=150, reason="counties left")
    found = standing_mark_of(pipeline)
    assert (found.mark.organization, found.lost) == (150, {})


def standing_mark_of(pipeline: Pipeline) -> StandingMark:
    found = standing_mark(open_data_repo(pipeline.settings.data_repo), pipeline.head())
    assert found is not None
    return found


def test_hundreds_of_a_kind_are_summed_up_for_people_and_listed_for_programs(
    old: Pipeline, ppr_assets: CommandLine
) -> None:
    shown = ppr_assets("audit", "--all")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[-1].startswith(f"{NIGHTS} dumps: 0 hold, 0 broken, {NIGHTS} unverifiable; ")
    summary = lines[lines.index("by kind, of which 20 are shown each (--json has all):") + 1 : -1]
    assert [line.split(maxsplit=2) for line in summary][:2] == [
        [str(NIGHTS), "note", "no manifest"],
        [str(NIGHTS - 10), "note", "it removed a dump, which has no manifest"],
    ]
    assert len([line for line in lines if "no manifest: made by other scripts" in line]) == 20
    told = json.loads(ppr_assets("audit", "--all", "--json").out)
    assert len([one for one in told if one["dump"]]) == NIGHTS
