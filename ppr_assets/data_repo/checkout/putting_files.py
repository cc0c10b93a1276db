"""Put files into a work tree, each by one rename, in an order in which latest.sql always resolves.

Their contents are made ready beside the work tree first, by a throw-away index, so that git's
filters apply to them as in any checkout. A kill leaves whole files only, and the scratch folder
is swept by the next move.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ppr_assets.data_repo.checkout.changes import Side
from ppr_assets.data_repo.checkout.index import index_line
from ppr_assets.data_repo.checkout.work_trees import WorkTree
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import SYMLINK
from ppr_assets.data_repo.remote.missing_objects import bring
from ppr_assets.rules.attributes import ATTRIBUTES


def put_files(
    repo: DataRepo, work_tree: WorkTree, files: Mapping[bytes, Side], ready: Mapping[bytes, Path]
) -> None:
    """Make each path what its side says, None removing it.

    ``ready`` has files that hold a path's content already: they are linked and not written again.
    """
    if not files:
        return
    rules = {path: side for path, side in files.items() if _is_attributes(path)}
    if rules and len(rules) < len(files):
        # git looks at those in the work tree to write the others, and them once more by themselves.
        for _ in range(2):
            put_files(repo, work_tree, rules, ready)
        files = {path: side for path, side in files.items() if path not in rules}
    with _scratch(repo) as scratch:
        written = scratch / "files"
        written.mkdir()
        _write_out(repo, work_tree, files, ready, scratch)
        for path in sorted(files, key=lambda path: _turn(files[path])):
            target = work_tree.path / os.fsdecode(path)
            if files[path] is None:
                target.unlink(missing_ok=True)
                _remove_empty(target.parent, work_tree.path)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                _replace(written / os.fsdecode(path), target)


def _is_attributes(path: bytes) -> bool:
    return path.rpartition(b"/")[2] == ATTRIBUTES.encode()


def _turn(side: Side) -> int:
    """Files, then the symlinks to them, then what goes away."""
    if side is None:
        return 2
    return 1 if side[0] == SYMLINK else 0


def _write_out(
    repo: DataRepo,
    work_tree: WorkTree,
    files: Mapping[bytes, Side],
    ready: Mapping[bytes, Path],
    scratch: Path,
) -> None:
    lines = b""
    for path, side in files.items():
        if side is None:
            continue
        if path in ready and side[0] != SYMLINK:
            copy = scratch / "files" / os.fsdecode(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(ready[path])
        else:
            lines += index_line(path, side)
    if not lines:
        return
    if repo.partial:
        bring(repo, *(side[1] for path, side in files.items() if side and path not in ready))
    limit = repo.settings.timeout_seconds
    env = {"GIT_INDEX_FILE": str(scratch / "index")}
    run(work_tree.path, "update-index", "-z", "--index-info", timeout=limit, stdin=lines, env=env)
    prefix = f"--prefix={scratch / 'files'}/"
    run(work_tree.path, "checkout-index", "--all", "--quiet", prefix, timeout=limit, env=env)


@contextmanager
def _scratch(repo: DataRepo) -> Iterator[Path]:
    """An empty folder; only one move at a time happens, under the repository's lock."""
    sweep_scratch(repo)
    folder = _scratch_folder(repo)
    folder.mkdir()
    yield folder
    sweep_scratch(repo)


def sweep_scratch(repo: DataRepo) -> None:
    """Remove what a killed run had made ready and not put into place."""
    if _scratch_folder(repo).exists():
        shutil.rmtree(_scratch_folder(repo))


def _scratch_folder(repo: DataRepo) -> Path:
    return repo.state_dir / "placing"


def _replace(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The work tree is on another file system than the git folder.
        beside = target.with_name(f".{target.name}.ppr_assets~")
        shutil.copy2(source, beside, follow_symlinks=False)
        beside.replace(target)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove folders that have become empty, as git does, up to the root."""
    with suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent
