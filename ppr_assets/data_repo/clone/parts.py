"""Put the parts of the newest dump whole into one pack.

Of a dump in parts git would compare each part with the others, which takes ten times as long and
finds nothing. It compares no two files that lie whole in one pack, so that the parts of the newest
dump are put into one before git looks for anything.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack

from ppr_assets.data_repo.git.command import WHOLE, WITHIN_MEMORY, WITHOUT_LAZY_FETCH, begun
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import entry_at, read_entries
from ppr_assets.rules.naming import DELTA_BASE_PARTS

_AT_ONCE = 2
"""Processes that compress at once, which one git does on one processor alone."""


def pack_parts(repo: DataRepo, commit: str) -> None:
    """Store the parts of the dump at ``commit``, where it has any, whole in a pack of their own.

    Raises :class:`GitTimeout` and
    :class:`GitCommandFailed`; nothing is lost then. Call it under the repository's lock.
    """
    if not has_parts(repo, commit):
        return
    shares = _compressed(repo, commit)
    tree = f"{commit}:{parts_path(repo)}\n".encode()
    whole = pack(repo, *WHOLE, stdin=tree, how=("--revs",))
    for name in shares:
        if name != whole:  # which has all that they have
            _remove_pack(repo, name)
    repo.git("prune-packed", "--quiet")


def has_parts(repo: DataRepo, commit: str) -> bool:
    """Whether the dump at ``commit`` is in parts."""
    return entry_at(repo, commit, parts_path(repo)) is not None


def parts_path(repo: DataRepo) -> str:
    """The folder that has the newest dump's parts in the branch, seen from its root."""
    return f"{repo.dump_dir}/{DELTA_BASE_PARTS}"


def pack(repo: DataRepo, *config: str, stdin: bytes, how: tuple[str, ...]) -> str:
    """Make a pack of the objects named on ``stdin``; its own part of its name."""
    return repo.git(*_command(repo, config, how), stdin=stdin).decode().strip()


def _compressed(repo: DataRepo, commit: str) -> list[str]:
    """Packs with a share of the parts each, made side by side, so that the pack of all copies what
    they have."""
    entries = read_entries(repo, commit, f"{parts_path(repo)}/").values()
    here = [entry.sha for entry in entries if repo.objects.name_of(entry.sha)]
    shares = filter(None, (here[number::_AT_ONCE] for number in range(_AT_ONCE)))
    command = _command(repo, WHOLE, ())
    env = WITHOUT_LAZY_FETCH if repo.partial else {}
    limit = repo.settings.timeout_seconds
    with ExitStack() as at_the_end:
        works = []
        for share in shares:
            names = at_the_end.enter_context(tempfile.TemporaryFile())
            names.write("".join(f"{sha}\n" for sha in share).encode())
            names.seek(0)
            work = begun(repo.path, *command, timeout=limit, stdin=names, env=env)
            works.append(at_the_end.enter_context(work))
        return [finish().stdout.decode().strip() for finish in works]


def _command(repo: DataRepo, config: tuple[str, ...], how: tuple[str, ...]) -> tuple[str, ...]:
    options = ("--quiet", "--local", "--delta-base-offset", "--missing=allow-any", *how)
    beside = str(repo.git_dir / "objects" / "pack" / "pack")
    return (*WITHIN_MEMORY, *config, "pack-objects", *options, beside)


def _remove_pack(repo: DataRepo, name: str) -> None:
    """In git's own order: without an index it is no pack."""
    for ending in ("idx", "rev", "pack"):
        (repo.git_dir / "objects" / "pack" / f"pack-{name}.{ending}").unlink(missing_ok=True)
