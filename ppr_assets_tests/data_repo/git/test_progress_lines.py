"""How far git is, read out of what it writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ppr_assets.data_repo.git.progress_lines import followed, note, progress_option
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.progress import Stage, current, watched


def test_the_last_line_is_what_counts() -> None:
    going_on = Stage("asking the remote")
    note(going_on, "Cloning into 'x'...\nremote: Enumerating")
    assert going_on.what == "asking the remote"
    note(going_on, "remote: Counting objects: 100% (273/273), done.\rReceiving objects:  45% ")
    assert (going_on.what, going_on.done, going_on.unit) == ("counting", 273, "objects")
    note(going_on, "Receiving objects:  44% (\rReceiving objects:  45% (123/273), 12.34 MiB | 1.20")
    assert (going_on.what, going_on.done, going_on.total) == ("receiving", 123, 273)
    note(going_on, "Receiving objects:  46% (124/273), 12.34 MiB | 1.20 MiB/s\r")
    assert going_on.beside == "12.34 MiB, 1.20 MiB/s"
    note(going_on, "Resolving deltas:  50% (1/2)\r")
    assert (going_on.what, going_on.unit, going_on.beside) == ("resolving", "deltas", "")


def test_gits_words_are_whole_and_the_stage_is_where_it_was(
    bare_remote: Path, tmp_path: Path
) -> None:
    source = bare_remote.as_uri()
    clone = ["git", "clone", "--progress", "--", source, str(tmp_path / "clone")]
    with (
        subprocess.Popen(clone, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        followed(process, seconds=60) as words,
    ):
        process.communicate()
        assert b"Receiving objects: 100% (" in words()
        going_on = current()
        assert going_on is not None
        assert going_on.what in ("receiving", "resolving")
        assert going_on.done == going_on.total
    assert current() is None


def test_a_fetch_is_asked_for_its_progress_while_somebody_looks_on_and_fails_in_the_same_words(
    data_repo: DataRepo, bare_remote: Path
) -> None:
    assert progress_option() == "--quiet"
    with watched():
        assert progress_option() == "--progress"
        assert fetch(data_repo) is not None
    bare_remote.rename(bare_remote.with_name("gone"))
    with pytest.raises(RemoteUnreachable) as plain:
        fetch(data_repo)
    with watched(), pytest.raises(RemoteUnreachable) as looked_at:
        fetch(data_repo)
    assert looked_at.value.message == plain.value.message
