"""The dumps that are to be compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from ppr_assets.errors import DumpMissing
from ppr_assets.operations.published.view import OnView, looked_at, unseen
from ppr_assets.operations.sources.shelf import Shelf, opened_shelf
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.naming import LATEST, LATEST_PACKED, is_dump_name
from ppr_assets.settings import DataRepoSettings


@contextmanager
def two_dumps(
    settings: DataRepoSettings,
    before: str | None,
    after: str | None,
    *,
    offline: bool = False,
    on_view: OnView = unseen,
) -> Iterator[tuple[FoundDump, FoundDump]]:
    """Each by its name, the path of a file, or a commit (the latest dump there). ``after`` is the
    latest at the branch's tip if not given, ``before`` the one that was published before it.

    Raises :class:`DumpMissing` where there is no such dump, and :class:`DataRepoError`.
    """

    newest = _newest(settings, offline, on_view)
    with ExitStack() as stack:
        to, shelf = _found(stack, settings, _wanted(after, newest))
        if before is not None:
            yield _found(stack, settings, _wanted(before, newest))[0], to
            return
        older = [name for name in shelf.names if name < to.name]
        if not older:
            raise DumpMissing(
                f"there is no dump from before {to.name} to compare it with",
                hint="name two: `ppr-assets list` shows them; a commit stands for its latest dump.",
            )
        yield shelf.take(Wanted(dump=max(older))), to


@contextmanager
def one_dump(
    settings: DataRepoSettings,
    given: str | None,
    *,
    offline: bool = False,
    on_view: OnView = unseen,
) -> Iterator[FoundDump]:
    """As one of :func:`two_dumps`; the latest if not given."""
    with ExitStack() as stack:
        wanted = _wanted(given, _newest(settings, offline, on_view))
        yield _found(stack, settings, wanted)[0]


def _newest(settings: DataRepoSettings, offline: bool, on_view: OnView) -> Callable[[], str]:
    """The commit that is looked at where none was named; looked for once, when it is needed."""

    @cache
    def newest() -> str:
        with looked_at(settings, offline=offline, on_view=on_view) as (repo, commit):
            return commit or repo.ref

    return newest


def _found(stack: ExitStack, settings: DataRepoSettings, wanted: Wanted) -> tuple[FoundDump, Shelf]:
    shelf = stack.enter_context(opened_shelf(settings, wanted))
    return shelf.take(wanted), shelf


def _wanted(given: str | None, newest: Callable[[], str]) -> Wanted:
    """With a commit, so that both are looked for in the same one."""
    if given is None:
        return Wanted(at=newest())
    if os.sep in given or Path(given).is_file():
        return Wanted(dump=str(Path(given).absolute()))
    links = (LATEST, LATEST_PACKED)
    if given in links or any(is_dump_name(f"{given}{end}") for end in ("", ".sql", ".sql.gz")):
        return Wanted(dump=given, at=newest())
    return Wanted(at=given)
