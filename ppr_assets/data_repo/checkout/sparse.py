"""Which files a work tree goes without.

Our own clone shows the dump folder and what git's cone mode would show with it: the files beside
the folders on the way there. The patterns are spelled out all the same, because no cone can leave
out the delta base, which would be a second copy of the newest dump.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ppr_assets.data_repo.checkout.changes import Side
from ppr_assets.data_repo.checkout.index import index_line
from ppr_assets.data_repo.checkout.work_trees import WorkTree
from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.missing_objects import folders_above
from ppr_assets.rules.naming import DELTA_BASE


def patterns(dump_dir: str) -> str:
    """What ``git sparse-checkout set --no-cone --stdin`` is told; each line outdoes those above."""
    folder = _literal(dump_dir)
    lines = ["/*", "!/*/"]
    for above in map(_literal, folders_above(dump_dir)):
        lines += [f"/{above}/", f"!/{above}/*/"]
    return "\n".join([*lines, f"/{folder}/", f"!/{folder}/{DELTA_BASE}/"]) + "\n"


def outside(repo: DataRepo, work_tree: WorkTree, paths: Mapping[bytes, Side]) -> set[bytes]:
    """Those of ``paths`` that the sparse checkout of ``work_tree`` leaves out, and that nobody
    has put there; none where it has no sparse checkout.

    git is asked, which has two kinds of patterns: an index of our own names the paths, and what it
    would not remove from that is outside.
    """
    wanted = {
        path: side
        for path, side in paths.items()
        if side and not os.path.lexists(work_tree.path / os.fsdecode(path))
    }
    if not wanted or not (work_tree.git_dir / "info" / "sparse-checkout").is_file():
        return set()
    scratch = repo.state_dir / "sparse.index"
    scratch.unlink(missing_ok=True)
    limit, env = repo.settings.timeout_seconds, {"GIT_INDEX_FILE": str(scratch)}
    lines = b"".join(index_line(path, side) for path, side in wanted.items())
    run(work_tree.path, "update-index", "-z", "--index-info", timeout=limit, stdin=lines, env=env)
    options = ("-r", "--cached", "--dry-run", "--force", "--ignore-unmatch")
    inside = run(work_tree.path, "rm", *options, "--", ".", timeout=limit, env=env).stdout
    scratch.unlink()
    return wanted.keys() - set(inside.removeprefix(b"rm '").removesuffix(b"'\n").split(b"'\nrm '"))


def _literal(path: str) -> str:
    return re.sub(r"([\\*?\[ ])", r"\\\1", path)
