"""Thirty nights in a row: what each pushes, what the clone weighs, and how long publishing takes.

The remote refuses files over 100 MiB. Beside ours, bare git commits and pushes the very same files,
and upstream's way pushes a gzip file under a new name. Bytes are those that git says it has sent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import git

from benchmarks.measure import clean_environment, timed
from benchmarks.world import PG_DUMP, Arena
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.upkeep import keep_small
from ppr_assets.data_repo.remote.push import SentBytes
from ppr_assets.demo.playground import DATABASE, ROLE
from ppr_assets.demo.sample import SAMPLE_TABLES
from ppr_assets.operations.dumping.dump import dump
from ppr_assets.operations.publishing.publish import publish
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.settings import Settings

PEER_NIGHTS = 8
"""The peers take the first ones with us: their nights are all alike, and longer than ours."""

FORGE = """#!/bin/sh
# refuses files over 100 MiB, as forges do
while read old new ref; do echo $new; done | git rev-list --objects --stdin --not --all |
  cut -d' ' -f1 | git cat-file --batch-check='%(objectsize)' |
  awk '$1 > 104857600 { bad = 1; print "a file is too large" } END { exit bad }' >&2
"""

_TEXTS = ("description", "notes", "note", "value", "address_2", "document", "source", "title")
_COMMIT = (
    "git add -A && git -c user.name=peer -c user.email=peer@example.com commit -qm dump "
    "&& git push -q --progress origin HEAD"
)


@dataclass
class Series:
    """One figure for each night but the first, which pushes everything. ``kept`` is the size of
    our `.git` in bytes after its last upkeep, ``expected`` that of one packed dump and of all that
    was pushed up to then."""

    dump_bytes: int = 0
    files: int = 0
    changed_rows: list[int] = field(default_factory=list)
    pushed: list[int] = field(default_factory=list)
    bare_pushed: list[int] = field(default_factory=list)
    gzip_pushed: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    bare_seconds: list[float] = field(default_factory=list)
    kept: int = 0
    expected: int = 0
    unchanged_moves_nothing: bool = False

    @property
    def ratio(self) -> float:
        """Of our commit and push to bare git's, night by night, the median."""
        pairs = zip(self.seconds, self.bare_seconds, strict=False)
        return median(ours / bare for ours, bare in pairs)


def figures(folder: Path, organizations: int, *, percent: float, nights: int) -> Series:
    """Run the nights at ``percent`` of all rows changed, with the limit for a file as it is."""
    arena = Arena(folder, organizations)
    try:
        return _run(arena, percent, nights)
    finally:
        arena.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _run(arena: Arena, percent: float, nights: int) -> Series:
    settings = arena.playground.settings()
    settings = replace(settings, dump=replace(settings.dump, proof="off"))
    bare, upstream = arena.peer_clone("bare"), arena.peer_clone("upstream")
    hook = arena.playground.remote / "hooks" / "pre-receive"
    hook.write_text(FORGE, encoding="ascii")
    hook.chmod(0o755)
    series = Series()
    first_pack = 0
    for night in range(nights + 1):
        if night:
            series.changed_rows.append(change_rows(arena, night, percent))
        with open_data_repo(settings.data_repo) as repo:
            dump(settings, repo)
            started = perf_counter()
            delivery = publish(settings.dump, repo).delivery
            ours = perf_counter() - started
        if delivery.failure:
            raise delivery.failure
        pushed = delivery.bytes
        if night:
            series.pushed.append(pushed)
            series.seconds.append(ours)
        else:
            first_pack = pushed
        if night <= PEER_NIGHTS:
            _mirror(arena.playground.data_repo, bare)
            theirs, bare_pushed = _pushed(bare, _COMMIT, clean_environment())
            script = f"{PG_DUMP} | gzip -9 > sql_dumps/dump_{night}.sql.gz && {_COMMIT}"
            gzip_pushed = _pushed(upstream, script, arena.environment())[1]
            if night:
                series.bare_pushed.append(bare_pushed)
                series.bare_seconds.append(theirs)
                series.gzip_pushed.append(gzip_pushed)
        with open_data_repo(settings.data_repo) as repo:
            state = keep_small(repo)
        if state.packed_seconds:
            series.kept = size_of(arena.playground.data_repo / ".git")
            series.expected = first_pack + sum(series.pushed)
    _describe(series, arena, settings)
    return series


def _describe(series: Series, arena: Arena, settings: Settings) -> None:
    """The last dump, and a night in which nothing changed."""
    clone = arena.playground.data_repo
    before = _heads(clone, arena.playground.remote)
    with open_data_repo(settings.data_repo) as repo:
        dump(settings, repo)
        outcome = publish(settings.dump, repo)
    moved = _heads(clone, arena.playground.remote) != before
    series.unchanged_moves_nothing = outcome.status == "unchanged" and not moved
    series.dump_bytes = outcome.manifest.bytes
    parts = clone / "sql_dumps" / outcome.manifest.dump.replace(".sql", ".parts")
    series.files = len(list(parts.iterdir())) if parts.is_dir() else 1


def change_rows(arena: Arena, night: int, percent: float) -> int:
    """Another sentence before a text in so many rows of every table that has a text; how many."""
    changed = 0
    settings = arena.playground.server.database_settings(DATABASE, user=ROLE)
    with connect(settings) as session:
        for table, columns in SAMPLE_TABLES.items():
            text = next((name for name in _TEXTS if name in columns), None)
            if text is not None:
                done = session.execute(
                    f"UPDATE public.{table} SET {text} = %s || "
                    f"regexp_replace(coalesce({text}, ''), '^Checked in night [0-9]+[.] ', '') "
                    "WHERE abs(hashtext(id::text || %s)) %% 100000 < %s",
                    [f"Checked in night {night}. ", str(night), int(percent * 1000)],
                )
                changed += done.rowcount
    return changed


def _mirror(clone: Path, bare: Path) -> None:
    """The files of our commit in the peer's work tree, the delta base as well; not measured."""
    source, target = clone / "sql_dumps", bare / "sql_dumps"
    shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)
    base = target / ".delta_base"
    newest = (source / "latest.sql").resolve()
    shutil.copy(newest, base / "dump.sql")
    parts = newest.with_suffix(".parts")
    if parts.is_dir():
        shutil.copytree(parts, base / "dump.parts")


def _pushed(clone: Path, script: str, env: Mapping[str, str]) -> tuple[float, int]:
    """Seconds of the script, and the bytes that its push sent."""
    argv = ["bash", "-o", "pipefail", "-c", script]
    with SentBytes() as sent:
        environment = {**env, **sent.environment}
        seconds = timed(
            lambda: subprocess.run(
                argv, cwd=clone, env=environment, check=True, capture_output=True
            )
        )
        return seconds, sent.total()


def _heads(*repositories: Path) -> list[str]:
    return [git.Repo(path).commit("main").hexsha for path in repositories]


def size_of(folder: Path) -> int:
    """Bytes of all files below, hard links counted once."""
    found: dict[int, int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            facts = (Path(place) / name).lstat()
            found[facts.st_ino] = facts.st_size
    return sum(found.values())
