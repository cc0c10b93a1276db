"""The policy file that the settings name, when it is something else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import PolicyUnreadable
from ppr_assets.operations.publishing.publication import additions_at
from ppr_assets.settings import DataRepoSettings, DumpSettings
from ppr_assets_tests.fix_git import Somebody


def _of_a_gigabyte(path: Path) -> None:
    path.touch()
    os.truncate(path, 1_000_000_000)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (os.mkfifo, "it is a device, pipe or socket, must be a file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device, pipe or socket, must be a "),
        (Path.mkdir, "it is a folder, must be a file"),
        (_of_a_gigabyte, "it has 1000000000 bytes, must have at most 4194304"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.write_bytes(b"\xff"), "it is not UTF-8"),
        (lambda path: path.write_text("[phone\n"), "it is not TOML"),
    ],
)
def test_what_is_no_policy_is_refused_at_once(
    publisher: Somebody,
    repo_settings: DataRepoSettings,
    tmp_path: Path,
    make: Callable[[Path], object],
    problem: str,
) -> None:
    file = tmp_path / "policy.toml"
    make(file)
    settings = DumpSettings.read({"SQL_DUMP_POLICY_FILE": str(file)})
    with (
        open_data_repo(replace(repo_settings, path=publisher.path)) as repo,
        pytest.raises(PolicyUnreadable) as refused,
    ):
        additions_at(repo, None, settings)
    start = f"the publication policy `{file}` cannot be read: {problem}"
    assert refused.value.message.startswith(start)
    assert "\n" not in refused.value.message
    assert refused.value.hint.startswith("SQL_DUMP_POLICY_FILE must name a TOML file")
    assert refused.value.exit_code == 8
