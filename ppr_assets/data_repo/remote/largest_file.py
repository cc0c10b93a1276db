"""The largest file that a push carries: what a remote's limit on sizes is about."""

from __future__ import annotations

from ppr_assets.data_repo.git.command import WHOLE_LOG
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.rules.naming import DELTA_BASE


def largest_file(repo: DataRepo, commit: str, remote: str | None) -> tuple[str, int] | None:
    """Path and bytes of the largest file that commits up to ``commit`` bring and ``remote`` lacks.

    None where they bring none. The delta base is passed over: it is a dump once more.
    """
    known = [f"^{remote}"] if remote else []
    options = ("--format=", "--raw", "-z", "-r", "--no-abbrev", "--no-renames", "--diff-filter=AMT")
    log = repo.git(*WHOLE_LOG, "log", *options, commit, *known, "--")
    words = log.decode("utf-8", "replace").strip("\0").split("\0")
    paths = {
        facts.split()[3]: path
        for facts, path in zip(words[:-1:2], words[1::2], strict=True)
        if f"/{DELTA_BASE}/" not in path
    }
    asked = "\n".join(paths).encode() + b"\n"
    answer = repo.word("cat-file", "--batch-check=%(objectsize) %(objectname)", stdin=asked)
    sizes = [line.split() for line in answer.splitlines() if not line.endswith("missing")]
    if not paths or not sizes:
        return None
    size, sha = max(sizes, key=lambda found: int(found[0]))
    return paths[sha], int(size)
