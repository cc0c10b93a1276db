"""A disk that is full: one line that says which, nothing that stands is changed, and all goes on
once there is room. On real small disks, where this process may mount them."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from ppr_assets import failures
from ppr_assets.errors import DataRepoError
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a file system of so many MiB, in memory."""
    mounted: list[Path] = []

    def mount(size: int) -> Path:
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)]
        with suppress(OSError):
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                mounted.append(folder)
                return folder
        pytest.skip("no file system can be mounted here")

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filling"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        for piece in (MIB, 512):
            with suppress(OSError):
                while file.write(bytes(piece)) == piece:
                    pass
    assert os.statvfs(folder).f_bavail == 0
    return path


@pytest.fixture
def on_disk(
    pipeline: Pipeline, disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    """A night was published, and there is a clone on a small disk."""
    monkeypatch.setenv("GIT_OPTIONAL_LOCKS", "0")  # a look of the test's own needs no room
    pipeline.first_night()
    clone = disk(100) / "clone"
    git(pipeline.remote.parent, "clone", "-q", str(pipeline.remote), str(clone))
    return pipeline.elsewhere(clone)


def test_a_clone_on_a_full_disk_is_named_and_goes_on_with_room(
    on_disk: Pipeline, ppr_assets: CommandLine
) -> None:
    ppr_assets.variables |= on_disk.variables
    on_disk.change()
    filling = fill(on_disk.clone.parent)
    before = on_disk.picture()
    refused = ppr_assets("dump", "--without-record")
    assert refused.code == 6
    assert "No space left on device" in refused.error
    assert f"`{on_disk.clone}`" in refused.err
    assert "TMPDIR" not in refused.err
    assert on_disk.picture() == before
    filling.unlink()
    assert ppr_assets("dump", "--without-record").code == 0
    assert on_disk.head() == on_disk.remote_head() != before["remote"]


def test_a_dump_that_the_remote_took_is_told_as_published_where_the_clone_has_no_room(
    on_disk: Pipeline, ppr_assets: CommandLine
) -> None:
    ppr_assets.variables |= on_disk.variables
    filling = on_disk.clone.parent / "filling"
    hook = on_disk.remote / "hooks" / "post-receive"
    hook.write_text(
        f"#!/bin/sh\ndd if=/dev/zero of={filling} bs=64k\ndd if=/dev/zero of={filling}.2 bs=512\n"
    )
    hook.chmod(0o755)
    on_disk.change()
    before = on_disk.head()
    said = ppr_assets("dump", "--without-record")
    assert said.code == 6
    assert said.error.startswith("the remote has the dump, but the clone could not follow: ")
    assert "No space left on device" in said.error
    assert on_disk.head() == before != on_disk.remote_head()
    hook.unlink()
    filling.unlink()
    filling.with_name("filling.2").unlink(missing_ok=True)
    again = ppr_assets("dump", "--without-record")
    assert (again.code, again.err) == (0, "")
    assert on_disk.head() == on_disk.remote_head()
    assert git(on_disk.clone, "status", "--porcelain") == ""


def test_dagsters_home_on_a_full_disk_is_named(
    pipeline: Pipeline, ppr_assets: CommandLine, disk: Callable[[int], Path]
) -> None:
    home = disk(2)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    fill(home)
    before = pipeline.picture()
    ppr_assets.variables["DAGSTER_HOME"] = str(home)
    del ppr_assets.variables["DAGSTER_POSTGRES_URL"]
    said = ppr_assets("dump")
    assert said.code == 1
    assert str(home) in said.error
    assert "--without-record" in said.err and "Traceback" not in said.err
    assert pipeline.picture() == before
    assert ppr_assets("dump", "--without-record").code == 0


@pytest.mark.parametrize(("full", "other"), [("clone", "TMPDIR"), ("temporary", "data repository")])
def test_of_a_full_disk_without_a_name_the_full_one_is_found(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, full: str, other: str
) -> None:
    def usage(place: Path) -> SimpleNamespace:
        return SimpleNamespace(free=0 if place.name == full else 2**40)

    monkeypatch.setattr("shutil.disk_usage", usage)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    pipeline.repo(path=tmp_path / "clone")
    error = failures.file_failure(OSError(errno.ENOSPC, "No space left"), pipeline.settings)
    assert isinstance(error, DataRepoError) == (full == "clone")
    assert f"`{tmp_path / full}`" in error.hint
    assert other not in error.hint
