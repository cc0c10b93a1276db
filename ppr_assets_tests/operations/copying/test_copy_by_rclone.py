"""Copies at a remote of rclone: by the real one where it is installed, or a stand-in."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ppr_assets.copies.contents import open_place
from ppr_assets.errors import CopyFailed
from ppr_assets.rules.naming import copy_name
from ppr_assets.settings.copies import copy_url
from ppr_assets_tests.fix_copies import CopyWorld, dump_of

pytestmark = pytest.mark.slow

FIRST, SECOND = map(dump_of, (1, 2))

STAND_IN = """\
import json, os, pathlib, shutil, sys
words = [word for word in sys.argv[1:] if not word.startswith("--")]
at = lambda word: pathlib.Path(os.environ["RCLONE_CONFIG_NAS_REMOTE"], word.partition(":")[2])
verb, target = words[0], at(words[-1])
if verb == "lsjson":
    if not target.is_dir():
        sys.exit(3)
    print(json.dumps([{"Name": one.name, "Size": one.stat().st_size,
        "ModTime": str(one.stat().st_mtime_ns)} for one in target.iterdir()]))
elif verb in ("copyto", "rcat"):
    target.parent.mkdir(parents=True, exist_ok=True)
    if verb == "rcat":
        target.write_bytes(sys.stdin.buffer.read())
    else:
        shutil.copyfile(words[1], target)
elif verb == "cat":
    sys.stdout.buffer.write(target.read_bytes())
elif verb == "deletefile":
    if (target.parent / "locked").exists():
        sys.exit("Failed to delete: object is locked")
    target.unlink()
"""


def _stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tools := tmp_path / "bin").mkdir()
    (tools / "rclone.py").write_text(STAND_IN)
    tool = tools / "rclone"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} {tools}/rclone.py "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")


@pytest.fixture
def nas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the remote ``nas`` has its files."""
    (folder := tmp_path / "nas").mkdir()
    monkeypatch.setenv("RCLONE_CONFIG_NAS_TYPE", "alias")
    monkeypatch.setenv("RCLONE_CONFIG_NAS_REMOTE", str(folder))
    if shutil.which("rclone") is None:
        _stand_in(tmp_path, monkeypatch)
    return folder


def test_copies_go_to_a_remote_of_rclone(copy_world: CopyWorld, nas: Path) -> None:
    copy_world.name("rclone:nas:dumps/nightly")
    rules = {f"PPR_COPY_KEEP_{rule}": "0" for rule in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")}
    outcome = copy_world.copied()
    assert (outcome.kept, outcome.verified) == ([FIRST, SECOND], True), outcome
    path = nas / "dumps" / "nightly" / copy_name(SECOND)
    path.write_bytes(path.read_bytes()[:-3])
    assert not copy_world.copied().verified
    path.unlink()
    assert not copy_world.copied().verified
    copy_world.name("rclone:nas:dumps/nightly", PPR_COPY_KEEP_LAST="1", **rules)
    outcome = copy_world.copied()
    assert (outcome.kept, outcome.retired, outcome.verified) == ([SECOND], [FIRST], True)
    place = open_place(copy_url("rclone:nas:dumps/nightly"))
    assert place.put_new(copy_name(SECOND), b"another") is False


def test_an_rclone_that_fails_or_is_missing_is_told(
    copy_world: CopyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_world.name("rclone:nas:dumps")
    (tools := tmp_path / "tools").mkdir()
    (tools / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(tools))
    failure = copy_world.copied().failure
    assert isinstance(failure, CopyFailed) and failure.render() == (
        "`rclone:nas:dumps` needs rclone, which is not installed here\n"
        "HINT: install it (Debian, Ubuntu: `apt-get install rclone`)."
    )
    (tools / "rclone").write_text("#!/bin/sh\necho 'Failed: no such host' >&2\nexit 1\n")
    (tools / "rclone").chmod(0o755)
    failure = copy_world.copied().failure
    assert failure is not None and "rclone failed: Failed: no such host" in failure.message


def test_a_copy_that_may_not_be_removed_is_a_remark_and_no_failure(
    copy_world: CopyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "nas").mkdir()
    monkeypatch.setenv("RCLONE_CONFIG_NAS_REMOTE", str(folder))
    _stand_in(tmp_path, monkeypatch)
    copy_world.name("rclone:nas:x")
    assert copy_world.copied().verified
    (folder / "x" / "locked").touch()
    rules = {f"PPR_COPY_KEEP_{rule}": "0" for rule in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")}
    copy_world.name("rclone:nas:x", PPR_COPY_KEEP_LAST="1", **rules)
    outcome = copy_world.copied()
    assert (outcome.retired, outcome.verified) == ([], True)
    (remark,) = outcome.remarks
    assert remark.startswith(f"{FIRST} is to go and stays: `rclone:nas:x`: rclone failed: Failed")
    (folder / "x" / "locked").unlink()
    assert copy_world.copied().retired == [FIRST]
