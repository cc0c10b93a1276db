"""A clone whose ``.git`` is damaged: one line with a way out, exit code 6."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets.errors import Unexpected
from ppr_assets_tests.cli.test_dying_server import run
from ppr_assets_tests.fix_pipeline import Pipeline

VERBS = (
    ["status"],
    ["ratchet", "reset", "--to", "100", "--reason", "a test"],
    ["dump", "--without-record"],
)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def garble(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    for file in path.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            os.truncate(file, file.stat().st_size // 2)


def replace_by_file(path: Path) -> None:
    remove(path)
    path.write_text("gitdir: nowhere\n")


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "HEAD is garbage": ("HEAD", garble),
    "HEAD is gone": ("HEAD", remove),
    "the branch is empty": ("refs/heads/main", empty),
    "the config is garbage": ("config", garble),
    "the index is garbage": ("index", garble),
    "the objects are gone": ("objects", remove),
    "the objects are cut": ("objects", cut),
    "our folder is a file": ("ppr_assets", replace_by_file),
    "it is all gone": ("", replace_by_file),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_in_one_line(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    pipeline.first_night()
    pipeline.change()
    for variable, value in pipeline.variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(pipeline.clone.parent)
    name, spoil = DAMAGE[damage]
    spoil(pipeline.clone / ".git" / name)
    for verb in VERBS:
        remote = pipeline.remote_head()
        ended = run(*verb)
        if isinstance(ended, int):
            assert ended == 0, (verb, ended)
            continue
        assert not isinstance(ended, Unexpected), (verb, ended)
        assert ended.exit_code in (3, 4, 6), (verb, ended)
        assert ended.hint, (verb, ended)
        behind = ended.message.startswith("the remote has the dump, but")
        assert behind == (pipeline.remote_head() != remote), (verb, ended)
