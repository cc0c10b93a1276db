"""What is said where there is no dump to take, word by word: what there is, and the way out.
``{folder}`` stands for the folder that was looked into."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.operations.sources.repository import remote_source
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.settings import DataRepoSettings

OLDER, NEWER = (f"pantry_pirate_radio_2026-11-{day}_02-00-00.sql" for day in (21, 22))
IN_HISTORY = "`ppr-assets list --history` names the commit for --at."
MAKES_ONE = "`ppr-assets dump` makes one of a database; --from takes one from elsewhere."
IN_THE_REPOSITORY = "look at the path; `ppr-assets list` names the dumps of the data repository."
Settings = DataRepoSettings


def _take(settings: Settings, wanted: Wanted) -> None:
    with found_dump(settings, wanted):
        raise AssertionError("there is one")


def _two(settings: Settings) -> str:
    settings.path.mkdir()
    for name in (OLDER, NEWER):
        (settings.path / name).write_text("-- a dump\n")
    return str(settings.path)


def _none_of_this_name(settings: Settings) -> None:
    _take(settings, Wanted("yesterday", source=_two(settings)))


def _none_so_old(settings: Settings) -> None:
    _take(settings, Wanted(before=datetime(2026, 11, 1, tzinfo=UTC), source=_two(settings)))


def _choice_from_a_file(settings: Settings) -> None:
    _take(settings, Wanted("latest.sql", source=f"{_two(settings)}/{OLDER}"))


def _none_at_all(settings: Settings) -> None:
    settings.path.mkdir()
    _take(settings, Wanted(source=str(settings.path)))


def _no_such_file(settings: Settings) -> None:
    settings.path.mkdir()
    _take(settings, Wanted(f"{settings.path}/mine.sql"))


def _no_such_folder(settings: Settings) -> None:
    _take(settings, Wanted(source=str(settings.path)))


def _another_format(settings: Settings) -> None:
    settings.path.mkdir()
    (settings.path / "toc.dat").touch()
    _take(settings, Wanted(source=str(settings.path)))


def _nothing_published(settings: Settings) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(settings.path)], check=True)
    _take(settings, Wanted())


def _no_remote(settings: Settings) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(settings.path)], check=True)
    remote_source(settings)


@pytest.mark.parametrize(
    ("ask", "message", "hint"),
    [
        (
            _none_of_this_name,
            f"there is no dump `yesterday` in `{{folder}}`, the newest is {NEWER}",
            f"`ppr-assets list` names them; older ones are in the history: {IN_HISTORY}",
        ),
        (
            _none_so_old,
            "there is no dump from before 2026-11-01 00:00:00 UTC in `{folder}`, the oldest is "
            f"{OLDER}",
            f"older ones are in the history: {IN_HISTORY}",
        ),
        (
            _choice_from_a_file,
            f"`{{folder}}/{OLDER}` is a file, so there is nothing to choose from",
            "give --from FILE alone; DUMP, --before and --at choose from a folder or a data "
            "repository.",
        ),
        (_none_at_all, "there is no dump in `{folder}`", MAKES_ONE),
        (_no_such_file, "there is no file `{folder}/mine.sql`", IN_THE_REPOSITORY),
        (
            _no_such_folder,
            "there is no folder `{folder}` to take a dump from",
            "look at the path; another machine's repository is given by its URL.",
        ),
        (
            _another_format,
            "`{folder}` is in pg_dump's directory format, plain SQL is needed",
            "`pg_restore -f dump.sql {folder}` turns it into plain SQL; or make it without `-Fd`.",
        ),
        (
            _nothing_published,
            "branch `main` of `{folder}` has no commit yet, and so no dump",
            MAKES_ONE,
        ),
        (
            _no_remote,
            "`{folder}` has no remote to take a dump from, and DATA_REPO_URL is not set",
            "a dump that only this machine has is lost with it: set DATA_REPO_URL, and "
            "PUBLISHER_PUSH_ENABLED=true.",
        ),
    ],
)
def test_what_is_said_where_there_is_no_dump(
    repo_settings: Settings, ask: Callable[[Settings], None], message: str, hint: str
) -> None:
    settings = replace(repo_settings, url=None)
    with pytest.raises((DataRepoError, DumpDamaged)) as told:
        ask(settings)
    wanted = f"{message}\nHINT: {hint}".replace("{folder}", str(settings.path))
    assert told.value.render() == wanted
