"""A dump that is larger than a file may be: published in parts, and one dump to everybody."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DataRepoError, DumpDamaged, DumpFailed
from ppr_assets.operations.published.listing import list_published
from ppr_assets.operations.restoring.drill import drill
from ppr_assets.operations.restoring.proof_server import ProofPlace
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.operations.verify_all import verify_dumps
from ppr_assets.plain_sql.dump_file import open_dump
from ppr_assets.plain_sql.parts.script import Script
from ppr_assets.plain_sql.parts.split import split_dump
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings, DataRepoSettings, child_environment
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_nasty import dump_to, without_drops
from ppr_assets_tests.fix_pipeline import Pipeline, listing
from ppr_assets_tests.fix_restore import MakeTarget
from ppr_assets_tests.opened import dump, publish, standing
from ppr_assets_tests.places import ROOT

MOST = 150_000
"""Bytes of a file; the sample's dump has four times as many."""

TOO_LARGE = """#!/bin/sh
# as a forge does it
git rev-list --objects --not --all --stdin <<END | cut -d' ' -f1 | \\
  git cat-file --batch-check='%(objecttype) %(objectsize)' | \\
  awk '$1 == "blob" && $2 > LIMIT { print "error: GH001: a file is too large" ; bad = 1 }
       END { exit bad }' >&2
$(while read old new ref; do echo $new; done)
END
"""


@pytest.fixture
def in_parts(pipeline: Pipeline) -> Pipeline:
    """A pipeline with small files, whose remote rejects larger ones."""
    pipeline.gate(max_file_bytes=MOST)
    reject_large_files(pipeline.remote, MOST)
    return pipeline


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that asks for a ``folder`` leaves what the others copy."""
    return tmp_path_factory.mktemp("in-parts") / "sql_dumps"


@pytest.fixture
def folder(kept: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Of somebody who has taken a dump in parts out of a clone."""
    if not kept.exists():
        in_parts: Pipeline = request.getfixturevalue("in_parts")
        in_parts.first_night()
        shutil.copytree(in_parts.clone_again("copy") / "sql_dumps", kept, symlinks=True)
    return Path(shutil.copytree(kept, tmp_path / "folder", symlinks=True))


def _dump_in(folder: Path) -> Path:
    (dump,) = folder.glob("pantry_pirate_radio_*.sql")
    return dump


def reject_large_files(remote: Path, most: int) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text(TOO_LARGE.replace("LIMIT", str(most)))
    hook.chmod(0o755)


def _parts(pipeline: Pipeline) -> Path:
    return pipeline.dumps / pipeline.latest().replace(".sql", ".parts")


def _psql(
    dump: Path, database: DatabaseSettings, *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EMBEDDED_BIN / "psql", "-X", "-q", *options, "-f", dump],
        env=child_environment(client_environment(database)),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def _verified(pipeline: Pipeline) -> str:
    """What `verify` finds wrong with the latest dump."""
    (checked,) = verify_dumps(pipeline.settings.data_repo, Wanted(), every=False)
    return checked.error.message if checked.error else ""


def test_the_remote_rejects_the_dump_as_one_file(in_parts: Pipeline) -> None:
    in_parts.gate(max_file_bytes=None)
    before = in_parts.remote_head()
    with pytest.raises(DataRepoError, match=r"too large|size"):
        in_parts.night()
    assert in_parts.remote_head() == before


def test_a_large_dump_is_published_in_small_files(in_parts: Pipeline) -> None:
    dumped, published = in_parts.night()
    assert published.delivery.pushed
    assert published.manifest.bytes > 3 * MOST
    sizes = git(in_parts.remote, "ls-tree", "-r", "-l", "main").splitlines()
    assert max(int(line.split()[3]) for line in sizes) <= MOST
    name = published.manifest.dump
    assert listing(in_parts.dumps) == [
        ".delta_base",
        ".gitattributes",
        ".record_count_ratchet",
        "README.md",
        "dumps.svg",
        "latest.sql",
        name.replace(".sql", ".json"),
        name.replace(".sql", ".parts"),
        name,
    ]
    assert listing(_parts(in_parts)) == [
        f"part_{n:03}.sql" for n in range(1, len(_script(in_parts).parts) + 1)
    ]
    assert listing(in_parts.dumps / ".delta_base") == ["README.md"], "no second copy on the disk"
    assert git(in_parts.clone, "status", "--porcelain") == ""
    assert listing(in_parts.staged) == []
    assert published.commit is not None
    assert standing(in_parts.settings, published.commit).is_latest(published.manifest)
    assert dumped.manifest is not None
    assert _verified(in_parts) == ""


def _script(pipeline: Pipeline) -> Script:
    return Script.parse((pipeline.dumps / "latest.sql").read_text())


def test_the_parts_are_the_dump_byte_by_byte(
    in_parts: Pipeline, database: DatabaseSettings, tmp_path: Path
) -> None:
    _, published = in_parts.first_night()
    whole = dump_to(database, tmp_path / "whole.sql").sql
    assert b"".join(open_dump(in_parts.dumps / "latest.sql", name="latest.sql")) == whole
    assert published.manifest.bytes == len(whole) == _script(in_parts).bytes


def test_the_auditors_guide_puts_the_parts_together(in_parts: Pipeline) -> None:
    _, published = in_parts.first_night()
    guide = (ROOT / "docs" / "auditors-guide.md").read_text()
    (command,) = re.findall(r"^   (cd sql_dumps && sed .*\n.*; done)$", guide, re.MULTILINE)
    join = command.replace("DUMP", published.manifest.dump.removesuffix(".sql"))
    told = subprocess.run(
        ["sh", "-c", f"({join}) | sha256sum"], cwd=in_parts.clone, capture_output=True, check=True
    )
    assert told.stdout.decode().split()[0] == published.manifest.sha256


def test_it_is_listed_as_one_dump_of_its_whole_size(in_parts: Pipeline) -> None:
    _, published = in_parts.first_night()
    (listed,) = list_published(in_parts.settings.data_repo)
    assert (listed.name, listed.latest, listed.in_parts) == (published.manifest.dump, True, True)
    assert listed.to_json()["bytes"] == published.manifest.bytes


def test_the_same_data_are_no_new_dump_whatever_a_file_may_hold(in_parts: Pipeline) -> None:
    in_parts.first_night()
    head = in_parts.head()
    for most in (MOST, 2 * MOST, None):
        in_parts.gate(max_file_bytes=most)
        assert in_parts.night()[1].status == "unchanged"
    assert in_parts.head() == head


def test_the_next_night_pushes_only_what_changed(in_parts: Pipeline) -> None:
    _, first = in_parts.first_night()
    in_parts.change()
    _, second = in_parts.night()
    assert second.status == "published"
    assert first.delivery.bytes > 100_000
    assert second.delivery.bytes < 15_000  # of which the manifest is the most
    tree = git(in_parts.clone, "ls-tree", "-r", "main").splitlines()
    shared = [line for line in tree if "/part_" in line]
    objects = {line.split()[2] for line in shared}
    assert len(objects) < len(shared) // 2 + 4, "unchanged parts are the same file"


@pytest.mark.parametrize("strictly", [False, True])
def test_psql_restores_it_whole(
    strictly: bool,
    in_parts: Pipeline,
    empty_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    in_parts.first_night()
    target = empty_database()
    options = ("-1", "-v", "ON_ERROR_STOP=1") if strictly else ()
    done = _psql(in_parts.dumps / "latest.sql", target, *options)
    assert (done.returncode, done.stderr) == (0, "")
    again = dump_to(target, tmp_path / "again.sql").sql
    assert again == b"".join(open_dump(in_parts.dumps / "latest.sql", name="latest.sql"))


@pytest.mark.parametrize("number", [0, 1, -1])
def test_psql_stops_where_a_part_is_missing(
    number: int, in_parts: Pipeline, empty_database: Callable[[], DatabaseSettings]
) -> None:
    in_parts.first_night()
    missing = sorted(_parts(in_parts).iterdir())[number]
    missing.unlink()
    done = _psql(in_parts.dumps / "latest.sql", empty_database())
    assert done.returncode == 3
    assert missing.name in done.stderr


def test_psql_goes_on_after_errors_as_it_does_with_one_file(
    in_parts: Pipeline, empty_database: Callable[[], DatabaseSettings]
) -> None:
    in_parts.first_night()
    target = empty_database()
    with connect(target) as session:
        session.execute("CREATE VIEW public.in_the_way AS SELECT 1 AS id")
        session.execute("CREATE TABLE public.organization (id text)")
        session.execute("CREATE VIEW public.needs_it AS SELECT * FROM organization")
    assert _psql(in_parts.dumps / "latest.sql", target).returncode == 0
    assert _psql(in_parts.dumps / "latest.sql", target, "-v", "ON_ERROR_STOP=1").returncode == 3


def test_it_is_restored_and_drilled_like_any_other(
    in_parts: Pipeline,
    make_target: MakeTarget,
    temporary_folder: Path,
    tmp_path: Path,
) -> None:
    in_parts.gate(proof="server")
    _, published = in_parts.night()
    assert published.manifest.proof is not None
    assert published.manifest.proof.proven
    target = make_target(seed=2)
    with found_dump(in_parts.settings.data_repo, Wanted()) as found:
        assert found.path.parent == in_parts.dumps
        drill(ProofPlace(target.settings, "server"), found, deadline=Deadline(60))
        whole = b"".join(open_dump(found.path, name=found.name))
    with found_dump(in_parts.settings.data_repo, Wanted(at=in_parts.head())) as found:
        assert b"".join(open_dump(found.path, name=found.name)) == whole
    source = Wanted(source=in_parts.remote.as_uri())
    with found_dump(in_parts.settings.data_repo, source) as found:
        outcome = restore(target.settings, found, Terms(drop_old=True), deadline=Deadline(60))
    assert outcome.manifest == published.manifest
    assert dump_to(target.settings, tmp_path / "again.sql").sql == whole


def _cut_off(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-1])


def _flip(part: Path) -> None:
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)


def _of_another_night(part: Path) -> None:
    part.write_bytes(part.with_name("part_001.sql").read_bytes()[: part.stat().st_size])


def _one_too_many(part: Path) -> None:
    part.with_name("part_099.sql").write_bytes(b"--\n")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "part_002.sql of `{name}` is missing"),
    "cut off": (_cut_off, "part_002.sql of `{name}` has {less} bytes, {bytes} needed"),
    "flipped": (_flip, "part_002.sql of `{name}` has SHA-256"),
    "foreign": (_of_another_night, "part_002.sql of `{name}` has "),
    "one too many": (_one_too_many, "holds `part_099.sql`, which is not a part of `{name}`"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_missing_or_foreign_part_is_damage(
    damage: str, folder: Path, repo_settings: DataRepoSettings
) -> None:
    name = _dump_in(folder).name
    part = _dump_in(folder).with_suffix(".parts") / "part_002.sql"
    size = part.stat().st_size
    break_it, message = DAMAGES[damage]
    break_it(part)
    with pytest.raises(DumpDamaged) as failed:
        _verify_folder(repo_settings, folder)
    assert message.format(name=name, bytes=size, less=size - 1) in failed.value.message
    assert failed.value.hint


def _verify_folder(settings: DataRepoSettings, folder: Path) -> None:
    wanted = Wanted(source=str(folder))
    (checked,) = verify_dumps(settings, wanted, every=False)
    if checked.error:
        raise checked.error


def test_in_the_clone_a_damaged_part_is_taken_from_git(in_parts: Pipeline) -> None:
    in_parts.first_night()
    (_parts(in_parts) / "part_002.sql").unlink()
    assert re.fullmatch(
        r"in the work tree, `.*part_002\.sql` is not what the commit has", _verified(in_parts)
    )


@pytest.mark.parametrize("end", ["before", "after"])
def test_other_sql_around_a_slice_is_damage(
    end: str, folder: Path, repo_settings: DataRepoSettings
) -> None:
    """Also where script and part agree on it: psql would run it, and no hash of the dump tells."""
    path = _dump_in(folder)
    script = Script.parse(path.read_text())
    part = path.parent / script.folder / "part_002.sql"
    evil = b"\\! true\n"
    content = evil + part.read_bytes() if end == "before" else part.read_bytes() + evil
    part.write_bytes(content)
    path.write_text(_rewritten(script, part, len(evil) if end == "before" else 0).render())
    with pytest.raises(DumpDamaged, match=r"part_002\.sql of .* has other lines around its rows"):
        _verify_folder(repo_settings, folder)


def _without_restrict(part: bytes) -> bytes:
    return re.sub(rb"(?m)^\\(un)?restrict .*\n", b"", part)


def _with_another_key(part: bytes) -> bytes:
    return re.sub(rb"(?m)^(\\(?:un)?restrict ).*\n", rb"\g<1>" + b"a" * 63 + b"\n", part)


@pytest.mark.parametrize("edit", [_without_restrict, _with_another_key])
def test_a_part_that_is_not_restricted_by_its_own_key_is_damage(
    edit: Callable[[bytes], bytes], folder: Path, repo_settings: DataRepoSettings
) -> None:
    path = _dump_in(folder)
    script = Script.parse(path.read_text())
    part = path.parent / script.folder / "part_002.sql"
    before = part.read_bytes()
    part.write_bytes(edit(before))
    assert part.read_bytes() != before
    moved = part.read_bytes().index(b"COPY ") - before.index(b"COPY ")
    path.write_text(_rewritten(script, part, moved).render())
    with pytest.raises(DumpDamaged, match=r"part_002\.sql of .* has other lines around its rows"):
        _verify_folder(repo_settings, folder)


@pytest.mark.parametrize("by", [7, -7, 1])
def test_a_cut_that_psql_cannot_read_on_from_is_damage(
    by: int, folder: Path, repo_settings: DataRepoSettings
) -> None:
    """The bytes of the dump are all there, and every hash is right."""
    path = _dump_in(folder)
    script = Script.parse(path.read_text())
    whole = b"".join(open_dump(path, name=path.name))
    files = [path.parent / script.folder / part.name for part in script.parts]
    contents = [file.read_bytes() for file in files]
    at = 0
    for number, (part, content) in enumerate(zip(script.parts, contents, strict=True)):
        start, end = at, at + part.end - part.start
        at = end
        start += by * (number == 2)
        end += by * (number == 1)
        inner = content[: part.start] + whole[start:end] + content[part.end :]
        if number in (1, 2):
            files[number].write_bytes(inner)
            changed = replace(
                part,
                bytes=len(inner),
                sha256=hashlib.sha256(inner).hexdigest(),
                end=part.start + end - start,
            )
            script = Script(
                script.dump,
                [changed if one.name == part.name else one for one in script.parts],
            )
    path.write_text(script.render())
    assert b"".join(open_dump(path, name=path.name)) == whole
    with pytest.raises(
        DumpDamaged, match=r"part_00[23]\.sql of .* (ends inside of|does not begin|has other lines)"
    ):
        _verify_folder(repo_settings, folder)


def test_a_folder_of_parts_beside_one_file_is_damage(in_parts: Pipeline) -> None:
    in_parts.gate(max_file_bytes=None)
    (in_parts.remote / "hooks" / "pre-receive").unlink()
    in_parts.night()
    copy = in_parts.clone_again("copy")
    (copy / "sql_dumps" / in_parts.latest().replace(".sql", ".parts")).mkdir()
    with pytest.raises(DumpDamaged, match="is one file, and"):
        _verify_folder(in_parts.settings.data_repo, copy / "sql_dumps")


def test_a_script_under_another_name_is_damage(
    folder: Path, repo_settings: DataRepoSettings
) -> None:
    dump = _dump_in(folder)
    dump.rename(folder / "pantry_pirate_radio_2030-01-01_00-00-00.sql")
    with pytest.raises(DumpDamaged, match=f"includes the parts of `{dump.name}`"):
        _verify_folder(repo_settings, folder)


@pytest.mark.parametrize("odd", ["folder", "dangling"])
def test_what_is_no_file_among_the_parts_is_damage(
    odd: str, folder: Path, repo_settings: DataRepoSettings
) -> None:
    parts = _dump_in(folder).with_suffix(".parts")
    if odd == "folder":
        (parts / "notes").mkdir()
    else:
        (parts / "part_002.sql").unlink()
        (parts / "part_002.sql").symlink_to("nowhere")
    with pytest.raises(DumpDamaged, match=r"part_002\.sql of .* is missing|holds `notes`"):
        _verify_folder(repo_settings, folder)


def test_a_foreign_file_among_the_committed_parts_is_damage_and_others_are_still_verified(
    in_parts: Pipeline,
) -> None:
    in_parts.first_night()
    in_parts.change()
    in_parts.night()
    folder = f"sql_dumps/{in_parts.latest().replace('.sql', '.parts')}"
    commit_files(in_parts.clone, "notes", {f"{folder}/notes/readme": "look\n"})
    wanted = Wanted(source=in_parts.clone.as_uri())
    found = list(verify_dumps(in_parts.settings.data_repo, wanted, every=True))
    assert [bool(one.error) for one in found] == [True, False]
    assert found[0].error and "holds `notes`" in found[0].error.message


def test_psql_restores_nasty_content_whole_from_parts(
    nasty_database: DatabaseSettings,
    empty_database: Callable[[], DatabaseSettings],
    tmp_path: Path,
) -> None:
    name = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
    path = tmp_path / name
    path.write_bytes(without_drops(dump_to(nasty_database, tmp_path / "whole").sql))
    whole = path.read_bytes()
    largest = max(map(len, whole.split(b"\n")))
    script = split_dump(path, name=name, most=largest + 2_000)
    assert len(script.parts) > 3
    target = empty_database()
    done = _psql(path, target, "-1", "-v", "ON_ERROR_STOP=1")
    assert done.returncode == 0, done.stderr
    again = dump_to(target, tmp_path / "again").sql
    assert again == (tmp_path / "whole").read_bytes()


def _rewritten(script: Script, path: Path, moved: int) -> Script:
    """The script that tells of the part as it is now."""
    content = path.read_bytes()
    parts = [
        replace(
            part,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            start=part.start + moved,
            end=part.end + moved,
        )
        if part.name == path.name
        else part
        for part in script.parts
    ]
    return Script(script.dump, parts)


def test_it_retires_with_its_parts(in_parts: Pipeline) -> None:
    keep = in_parts.settings.dump.keep
    in_parts.gate(keep=type(keep)(last=1, daily=0, weekly=0, monthly=0, yearly=0))
    _, first = in_parts.night()
    in_parts.change()
    _, second = in_parts.night()
    assert second.retention is not None
    assert second.retention.retired == [first.manifest.dump]
    names = listing(in_parts.dumps)
    assert not [name for name in names if name.startswith(first.manifest.dump.removesuffix(".sql"))]
    with found_dump(in_parts.settings.data_repo, Wanted(at=first.commit)) as found:
        assert found.manifest == first.manifest
        assert b"".join(open_dump(found.path, name=found.name))


def test_a_row_over_the_limit_is_an_error_and_nothing_moves(in_parts: Pipeline) -> None:
    in_parts.first_night()
    before = in_parts.picture()
    in_parts.execute(
        "UPDATE organization SET description = repeat('long ', 40000) "
        "WHERE id = (SELECT min(id) FROM organization)"
    )
    with pytest.raises(DumpFailed, match=r"a row of organization at byte \d+ has 200\d\d\d bytes"):
        in_parts.night()
    assert in_parts.picture() == before


def test_a_dump_that_waits_is_not_committed_above_a_new_limit(in_parts: Pipeline) -> None:
    assert dump(in_parts.settings).status == "staged"
    in_parts.gate(max_file_bytes=MOST // 2)
    with pytest.raises(DumpFailed, match=f"at most {MOST // 2} are committed"):
        publish(in_parts.settings)
    assert in_parts.night()[1].status == "published"


def test_a_database_that_grows_and_shrinks_changes_between_one_file_and_parts(
    in_parts: Pipeline,
) -> None:
    in_parts.first_night()
    in_parts.gate(max_file_bytes=None)
    (in_parts.remote / "hooks" / "pre-receive").unlink()
    in_parts.change()
    _, whole = in_parts.night()
    names = git(in_parts.clone, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert not [name for name in names if ".delta_base/dump.parts" in name]
    assert (in_parts.dumps / "latest.sql").stat().st_size == whole.manifest.bytes
    in_parts.gate(max_file_bytes=MOST)
    in_parts.change()
    _, split = in_parts.night()
    assert split.delivery.pushed
    assert _verified(in_parts) == ""
    assert git(in_parts.clone, "status", "--porcelain") == ""
