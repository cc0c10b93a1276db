"""A dump out of a copy: found, held to its manifest, restored; and never one that differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.copies.packed import pack
from ppr_assets.deadline import Deadline
from ppr_assets.errors import CopyFailed, DumpDamaged, DumpMissing, SettingsError
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.copy import place_of_copies
from ppr_assets.operations.sources.shelf import found_dump, opened_shelf
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.operations.verify_all import verify_dumps
from ppr_assets.rules.naming import copy_name, dump_moment, manifest_name
from ppr_assets.settings import DataRepoSettings, Secret, Settings
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_restore import MadeDump, Target

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD = map(dump_of, (1, 2, 3))


@pytest.fixture
def copy_of_new(new_dump: MadeDump, tmp_path: Path) -> Path:
    """A folder with a copy of the dump."""
    (folder := tmp_path / "copies").mkdir()
    name = new_dump.path.name
    pack([new_dump.sql], folder / copy_name(name))
    (folder / manifest_name(name)).write_text(new_dump.manifest.to_json())
    return folder


def test_a_database_comes_back_from_a_copy(
    copy_of_new: Path, new_dump: MadeDump, target: Target
) -> None:
    with found_dump(DataRepoSettings(), Wanted(source=str(copy_of_new))) as found:
        assert found.origin == f"copy at `{copy_of_new}`"
        outcome = restore(target.settings, found, Terms(), deadline=Deadline(60))
    assert target.content() == new_dump.content
    assert outcome.tables == new_dump.manifest.tables
    (checked,) = verify_dumps(DataRepoSettings(), Wanted(source=str(copy_of_new)), every=True)
    assert checked.verified is not None and checked.error is None


@pytest.mark.parametrize("harm", ["cut", "another"])
def test_a_copy_that_is_not_what_its_manifest_says_is_never_restored(
    copy_of_new: Path, new_dump: MadeDump, target: Target, tmp_path: Path, harm: str
) -> None:
    path, before = copy_of_new / copy_name(new_dump.path.name), target.databases()
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        rows, end, rest = new_dump.sql.partition(b"\n\\.\n")
        pack([rows[:-1] + b"?" + end + rest], path)
    (checked,) = verify_dumps(DataRepoSettings(), Wanted(source=str(copy_of_new)), every=True)
    assert isinstance(checked.error, DumpDamaged)
    with (
        pytest.raises(DumpDamaged) as caught,
        found_dump(DataRepoSettings(), Wanted(source=str(copy_of_new))) as found,
    ):
        restore(target.settings, found, Terms(), deadline=Deadline(60))
    assert ("was cut off" if harm == "cut" else "its manifest") in caught.value.message
    assert target.databases() == before


def test_the_copies_of_a_place_are_those_with_a_manifest(copy_world: CopyWorld) -> None:
    copy_world.copy()
    (copy_world.folder / copy_name(THIRD)).write_bytes(b"being written")
    settings = copy_world.settings.data_repo
    for source in (str(copy_world.folder), copy_world.folder.as_uri()):
        with opened_shelf(settings, Wanted(source=source)) as shelf:
            assert shelf.names == [FIRST, SECOND]
            told = [(one.name, one.latest, one.manifest is not None) for one in shelf.listed()]
            assert told == [(SECOND, True, True), (FIRST, False, True)]
            for wanted in (
                Wanted(dump=FIRST),
                Wanted(dump=copy_name(FIRST)),
                Wanted(before=dump_moment(SECOND)),
            ):
                found = shelf.take(wanted)
                assert found.path.read_text() == copy_world.texts[FIRST]
                found.path.unlink()
            with pytest.raises(DumpMissing) as none:
                shelf.take(Wanted(at="1f3a9c2"))
            assert none.value.render() == (
                f"`{copy_world.folder}` holds copies and no commits, so there is none `1f3a9c2`\n"
                "HINT: DUMP or --before DATE choose one of the copies; `ppr-assets list --from "
                "URL` names them."
            )


def test_a_copy_that_is_lost_or_not_described_is_told_and_hides_no_other(
    copy_world: CopyWorld, tmp_path: Path
) -> None:
    copy_world.copy()
    folder, settings = copy_world.folder, copy_world.settings.data_repo
    place = Wanted(source=str(folder))
    (folder / copy_name(SECOND)).unlink()
    first, second = verify_dumps(settings, place, every=True)
    assert (first.name, first.verified) == (SECOND, None)
    gone = f"the copy of {SECOND} is missing at `{folder}`, only its manifest is there"
    assert first.error is not None and first.error.message == gone
    assert (second.name, second.read_from) == (FIRST, f"copy at `{folder}`")
    (folder / manifest_name(FIRST)).write_text("")
    listed = CommandLine(tmp_path)("list", "--from", str(folder))
    assert (listed.code, listed.err.splitlines()[0]) == (4, gone)
    assert [row.split() for row in listed.out.splitlines()[1:]] == [
        [SECOND, "DAMAGED"],
        [FIRST, "latest,", "DAMAGED"],
    ]
    with pytest.raises(DumpDamaged) as caught, found_dump(settings, place):
        pass
    assert caught.value.message.startswith(f"`{manifest_name(FIRST)}` at `{folder}`: ")


def test_a_url_without_keys_takes_those_that_the_settings_have_for_its_bucket() -> None:
    keys = "s3://key:a-secret@bucket/nightly?endpoint=http://127.0.0.1:9"
    known = Settings.from_environment({"PPR_COPY_URLS": keys}, dotenv=None).data_repo
    (one,) = known.copies.urls
    assert place_of_copies(known, "s3://bucket/nightly") == one
    other = place_of_copies(known, "s3://bucket/weekly")
    assert other is not None and (other.where, other.options) == ("s3://bucket/weekly", one.options)
    elsewhere = place_of_copies(known, "s3://bucket-2/nightly")
    assert elsewhere is not None and not elsewhere.options
    own = place_of_copies(known, "s3://mine:b-secret@bucket/nightly")
    assert own is not None and own.options["access_key_id"] == Secret("mine")
    assert place_of_copies(known, "https://example.org/data.git") is None


def test_a_place_without_what_is_wanted_says_so(copy_world: CopyWorld, tmp_path: Path) -> None:
    settings = copy_world.settings.data_repo
    with (
        pytest.raises(DumpMissing, match="there is no dump in `"),
        found_dump(settings, Wanted(source=str(copy_world.folder))),
    ):
        pass
    copy_world.copy()
    with (
        pytest.raises(DumpMissing, match="holds copies and no commits"),
        found_dump(settings, Wanted(source=str(copy_world.folder), at="main")),
    ):
        pass
    with (
        pytest.raises(SettingsError, match="--from cannot be used, must be a folder") as caught,
        found_dump(settings, Wanted(source="rclone::sftp,pass=hunter2:x")),
    ):
        pass
    assert "hunter2" not in caught.value.render()
    gone = "s3://key:a-secret@bucket/x?endpoint=http://127.0.0.1:9&region=x"
    with pytest.raises(CopyFailed) as failed, found_dump(settings, Wanted(source=gone)):
        pass
    assert failed.value.message.startswith("`s3://bucket/x` cannot be listed: ")
    assert "a-secret" not in failed.value.render()
