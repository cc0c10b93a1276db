"""Finished dumps that wait to be published, inside the git folder and outside of every work tree.

A publisher that runs ``git add -A`` or ``git stash -u`` in the clone never sees them. A dump is
complete when it and its manifest have their names; hidden partial files belong to a run at work
or to one that was killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.files import Held, held
from ppr_assets.rules.naming import is_dump_name, manifest_name, parts_folder


class StagedDump(Struct, frozen=True):
    """A complete dump with its manifest, and a folder of parts where it has any."""

    name: str
    path: Path
    manifest_path: Path

    @property
    def parts_path(self) -> Path:
        return self.path.with_name(parts_folder(self.name))

    @property
    def parts(self) -> Mapping[str, Path]:
        """The files of its parts, by name; empty for a dump that is one file."""
        folder = self.parts_path
        found = folder.iterdir() if folder.is_dir() else ()
        return {path.name: path for path in sorted(found)}


def staging_folder(repo: DataRepo) -> Path:
    """The folder to write dumps in; made when it is missing."""
    folder = repo.state_dir / "staged"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def staged(repo: DataRepo) -> list[StagedDump]:
    """The complete dumps, newest last."""
    folder = staging_folder(repo)
    names = sorted(entry.name for entry in folder.iterdir() if is_dump_name(entry.name))
    dumps = [StagedDump(name, folder / name, folder / manifest_name(name)) for name in names]
    return [dump for dump in dumps if dump.manifest_path.is_file()]


def discard(dump: StagedDump) -> None:
    """Remove a dump that was published; killed in between, what is left is no complete dump."""
    dump.path.unlink(missing_ok=True)
    dump.manifest_path.unlink(missing_ok=True)
    if dump.parts_path.is_dir():
        shutil.rmtree(dump.parts_path)


def discard_others(repo: DataRepo, *, keep: str | None) -> None:
    """Remove every complete dump but the one named ``keep`` (None: every one)."""
    for dump in staged(repo):
        if dump.name != keep:
            discard(dump)


@contextmanager
def writing(repo: DataRepo) -> Iterator[Path]:
    """The folder to write a dump in, while :func:`sweep_partials` leaves unfinished files alone."""
    folder = staging_folder(repo)
    with held(_writers(repo), shared=True, wait_seconds=None):
        yield folder


def sweep_partials(repo: DataRepo) -> list[Path]:
    """Remove what killed runs left: hidden partial files, a dump or a manifest without the other,
    parts without a dump.

    Call it under the repository's lock. Nothing is removed while a dump is :func:`writing`.
    Returns what was removed.
    """
    folder = staging_folder(repo)
    litter: list[Path] = []
    with suppress(Held), held(_writers(repo)):
        complete = {
            path
            for dump in staged(repo)
            for path in (dump.path, dump.manifest_path, dump.parts_path)
        }
        litter = [entry for entry in folder.iterdir() if entry not in complete]
        for path in litter:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return litter


def _writers(repo: DataRepo) -> Path:
    """The file that writers hold together, and the sweeper alone."""
    return repo.state_dir / "writing"
