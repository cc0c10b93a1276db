"""Copies in a folder: made, converged to, looked at, thinned out."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from ppr_assets.copies.contents import open_place
from ppr_assets.copies.packed import pack, unpacked
from ppr_assets.errors import CopyFailed, DumpDamaged, SettingsError
from ppr_assets.operations.doctor import preconditions
from ppr_assets.operations.status import status
from ppr_assets.rules.naming import copy_name, manifest_name
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_git import git

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD = map(dump_of, (1, 2, 3))
OTHER = b"--\n-- other\n"


def unpack(path: Path) -> str:
    return b"".join(unpacked([path.read_bytes()], path.name)).decode()


def test_each_published_dump_is_copied_byte_for_byte_with_its_manifest(
    copy_world: CopyWorld,
) -> None:
    clone, outcome = copy_world.settings.data_repo.path, copy_world.copied()
    assert (outcome.copied, outcome.kept, outcome.verified) == (
        [SECOND, FIRST],
        [FIRST, SECOND],
        True,
    )
    for dump in (FIRST, SECOND):
        assert unpack(copy_world.folder / copy_name(dump)) == copy_world.texts[dump]
        committed = git(clone, "show", f"main:sql_dumps/{manifest_name(dump)}")
        assert (copy_world.folder / manifest_name(dump)).read_text().strip() == committed
    records = [json.loads(path.read_text()) for path in copy_world.folder.glob("commit_*")]
    told = max(records, key=lambda record: record["number"])
    assert (told["dump"], told["commit"]) == (SECOND, git(clone, "rev-parse", "main"))
    assert json.loads(told["files"][".record_count_ratchet"])["max_record_count"] == 2500


def test_a_second_run_writes_nothing_and_reads_the_newest_back(copy_world: CopyWorld) -> None:
    copy_world.copy()
    before = {path: path.stat().st_mtime_ns for path in copy_world.folder.iterdir()}
    again = copy_world.copied()
    assert (again.copied, again.verified, again.read) == ([], True, [FIRST, SECOND])
    assert {path: path.stat().st_mtime_ns for path in copy_world.folder.iterdir()} == before


@pytest.mark.parametrize("left", ["whole", "cut", "being written"])
def test_a_run_that_is_killed_before_the_manifest_is_gone_on_with(
    copy_world: CopyWorld, left: str, tmp_path: Path
) -> None:
    whole = pack([copy_world.texts[SECOND].encode()], tmp_path / "whole").path.read_bytes()
    if left == "being written":
        (copy_world.folder / f"{copy_name(SECOND)}#1").write_bytes(whole[:10])
    else:
        (copy_world.folder / copy_name(SECOND)).write_bytes(
            whole if left == "whole" else whole[:-9]
        )
    assert copy_world.copied().verified
    assert unpack(copy_world.folder / copy_name(SECOND)) == copy_world.texts[SECOND]
    assert not [name for name in copy_world.there() if "#" in name]


@pytest.mark.parametrize(
    ("dump", "harm"),
    [(FIRST, "cut"), (FIRST, "altered"), (SECOND, "other content"), (SECOND, "longer")],
)
def test_a_copy_that_differs_is_told_and_stays_as_it_is(
    copy_world: CopyWorld, dump: str, harm: str, tmp_path: Path
) -> None:
    copy_world.copy()
    path = copy_world.folder / copy_name(dump)
    whole = path.read_bytes()
    harmed = {
        "cut": whole[:-5],
        "altered": whole[:-20] + b"\x00" + whole[-19:],
        "other content": pack([OTHER], tmp_path / "other").path.read_bytes(),
        "longer": whole + b"more",
    }[harm]
    name, where = copy_name(dump), copy_world.folder
    needed = hashlib.sha256(copy_world.texts[dump].encode()).hexdigest()
    told = {
        "cut": f"`{name}` was cut off, at `{where}`",
        "altered": f"`{name}` is corrupt: ZSTD, at `{where}`",
        "other content": f"`{name}` at `{where}` has SHA-256 "
        f"{hashlib.sha256(OTHER).hexdigest()[:12]}…, the manifest says {needed[:12]}…",
        "longer": f"`{name}` goes on after its end, at `{where}`",
    }[harm]
    path.write_bytes(harmed)
    outcome = copy_world.copied()
    assert not outcome.verified
    (problem,) = outcome.problems
    assert isinstance(problem, DumpDamaged)
    assert re.sub("corrupt: .*, at", "corrupt: ZSTD, at", problem.message) == told
    assert problem.hint == (
        "remove that object there; the next run copies the dump again, where git still has it."
    )
    assert path.read_bytes() == harmed, "a copy is written once"
    path.unlink()
    assert not copy_world.copied().verified
    assert copy_world.copied().verified
    assert path.read_bytes() == whole


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_copy_that_has_vanished_is_told_once_and_made_again(
    copy_world: CopyWorld, with_manifest: bool
) -> None:
    copy_world.copy()
    (copy_world.folder / copy_name(FIRST)).unlink()
    if with_manifest:
        (copy_world.folder / manifest_name(FIRST)).unlink()
    (problem,) = copy_world.copied().problems
    assert (
        f"{FIRST} at `{copy_world.folder}`: its copy is missing, it was there on" in problem.message
    )
    assert copy_world.copied().verified


def test_another_manifest_is_told(copy_world: CopyWorld) -> None:
    copy_world.copy()
    path = copy_world.folder / manifest_name(FIRST)
    path.write_text(path.read_text().replace("2500", "2501"))
    (problem,) = copy_world.copied().problems
    assert "its manifest is not the one that was published" in problem.message


def test_a_place_that_fails_stops_no_other_and_undoes_nothing(copy_world: CopyWorld) -> None:
    missing = copy_world.folder.with_name("not-mounted")
    copy_world.name(str(missing), str(copy_world.folder))
    outcome = copy_world.copy()
    failed, done = outcome.places
    assert isinstance(failed.failure, CopyFailed)
    assert done.verified and done.kept == [FIRST, SECOND]
    assert not missing.exists(), "it may be a disk that is not mounted"
    error = outcome.error()
    assert error is not None and error.render() == (
        "published, but not copied as it should be (1 of 2 places): there is no folder "
        f"`{missing}` for copies\n"
        "HINT: is its disk mounted? A folder that is to be new: `mkdir` makes it."
    )


def test_a_folder_that_fails_is_said_to_be_one(copy_world: CopyWorld) -> None:
    (url,) = copy_world.settings.data_repo.copies.urls
    with pytest.raises(CopyFailed) as caught:
        b"".join(open_place(url).read("gone.json"))
    assert caught.value.hint.startswith("look at the folder and its disk: ")


def test_a_dump_that_the_data_repository_has_damaged_is_not_copied(copy_world: CopyWorld) -> None:
    copy_world.publish(THIRD, sha256=hashlib.sha256(b"another").hexdigest())
    outcome = copy_world.copied()
    (problem,) = outcome.problems
    have = hashlib.sha256(copy_world.texts[THIRD].encode()).hexdigest()
    said = hashlib.sha256(b"another").hexdigest()
    assert problem.render() == (
        f"{THIRD} was not copied: it has SHA-256 {have[:12]}… in the data repository, its manifest "
        f"says {said[:12]}…\nHINT: `ppr-assets verify` and `ppr-assets audit` tell more."
    )
    assert not [name for name in copy_world.there() if THIRD[:-4] in name and "commit" not in name]
    assert outcome.kept == [FIRST, SECOND]


def test_what_waits_to_be_pushed_is_not_copied(copy_world: CopyWorld) -> None:
    clone = copy_world.settings.data_repo.path
    git(clone, "update-ref", "refs/ppr_assets/remote/main", "main")
    waiting = copy_world.publish(THIRD)
    copy_world.name(PUBLISHER_PUSH_ENABLED="true")
    assert THIRD not in copy_world.copied().copied
    git(clone, "update-ref", "refs/ppr_assets/remote/main", waiting)
    assert copy_world.copied().copied == [THIRD]


def test_copies_have_keep_rules_of_their_own(copy_world: CopyWorld) -> None:
    for day in (3, 4, 5):
        copy_world.publish(dump_of(day))
    none = dict.fromkeys(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"), "0")
    copy_world.copy()
    few = {f"PPR_COPY_KEEP_{rule}": count for rule, count in {"LAST": "2", **none}.items()}
    copy_world.name(**few)
    outcome = copy_world.copied()
    assert sorted(outcome.retired) == [FIRST, SECOND, THIRD]
    assert outcome.kept == [dump_of(4), dump_of(5)]
    assert [name for name in copy_world.there() if name.endswith(".zst")] == [
        copy_name(dump_of(day)) for day in (4, 5)
    ]
    assert not [name for name in copy_world.there() if "2026-11-01" in name]
    assert copy_world.copied().verified, "what was retired is not missed"


def test_a_retirement_that_was_killed_half_way_is_finished(copy_world: CopyWorld) -> None:
    copy_world.copy()
    (copy_world.folder / copy_name(FIRST)).unlink()
    rules = {f"PPR_COPY_KEEP_{rule}": "0" for rule in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")}
    copy_world.name(PPR_COPY_KEEP_LAST="1", **rules)
    outcome = copy_world.copied()
    assert (outcome.retired, outcome.verified) == ([FIRST], True)
    assert manifest_name(FIRST) not in copy_world.there()


def test_status_shows_the_newest_copy_of_each_place(copy_world: CopyWorld) -> None:
    gone = copy_world.folder.with_name("gone")
    copy_world.name(str(copy_world.folder), str(gone))
    copy_world.copy()
    there, nothing = [one.to_json() for one in status(copy_world.settings, offline=True).copies]
    assert (there["place"], there["dump"]) == (str(copy_world.folder), SECOND)
    assert str(there["read_at"]).startswith("20")
    assert nothing == {"place": str(gone), "dump": None, "read_at": None}


def test_doctor_says_of_each_place_whether_it_can_be_used(copy_world: CopyWorld) -> None:
    copy_world.copy()
    gone = copy_world.folder.with_name("gone")
    copy_world.name(str(copy_world.folder), str(gone))
    found = [one.detail for one in preconditions(copy_world.settings) if one.what == "copies"]
    assert found == [
        f"`{copy_world.folder}` answers, 2 dumps there, the newest {SECOND}",
        f"there is no folder `{gone}` for copies",
    ]


def test_without_a_place_nothing_is_copied(copy_world: CopyWorld) -> None:
    copy_world.settings = copy_world.settings.from_environment(
        {"DATA_REPO_PATH": str(copy_world.settings.data_repo.path)}, dotenv=None
    )
    with pytest.raises(SettingsError, match="PPR_COPY_URLS is not set, must name at least one"):
        copy_world.copy()
