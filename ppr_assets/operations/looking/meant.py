"""The dump that is meant by a word: its name, a commit, a date, or the path of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ppr_assets.errors import DumpMissing
from ppr_assets.operations.published.listing import list_history
from ppr_assets.operations.published.view import OnView, unseen
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.naming import LATEST, LATEST_PACKED, dump_moment, is_dump_name
from ppr_assets.settings import DataRepoSettings

_LINKS = (LATEST, LATEST_PACKED)
_TICK = timedelta(microseconds=1)
_A_DAY = len("2026-11-01")


@dataclass(frozen=True)
class Meant:
    """``at``: a dump's name, also of one that has retired; a commit, for the latest dump there; a
    date or moment (ISO, UTC unless it says otherwise), for the newest dump up to its end; the path
    of a file. None: the latest. ``source``: another place than the data repository. ``offline``:
    the remote is not asked."""

    at: str | None = None
    source: str | None = None
    offline: bool = False


@contextmanager
def meant_dump(
    settings: DataRepoSettings, meant: Meant, on_view: OnView = unseen
) -> Iterator[FoundDump]:
    """Raises :class:`DumpMissing`, and what :func:`found_dump` raises."""
    with found_dump(settings, _wanted(settings, meant, on_view)) as found:
        if found.view is not None:
            on_view(found.view)
        yield found


def _wanted(settings: DataRepoSettings, meant: Meant, on_view: OnView) -> Wanted:
    at, wanted = meant.at, Wanted(source=meant.source, offline=meant.offline)
    if at is None:
        return wanted
    moment, name = _end_of(at), _dump_name(at)
    file = meant.source is None and (os.sep in at or Path(at).is_file())
    if name is None and moment is None and not file:
        return replace(wanted, at=at)
    if meant.source is not None or (moment is None and name is None) or at in _LINKS:
        before = moment + _TICK if moment else None
        return replace(wanted, dump=None if moment else at, before=before)
    past = list_history(settings, offline=meant.offline, on_view=on_view).dumps
    for one in past:  # newest first
        made = dump_moment(one.name)
        if one.name in (name, f"{name}.gz") or (moment and made and made <= moment):
            return replace(wanted, dump=one.name, at=one.published.commit)
    oldest = f"the oldest is {past[-1].name}" if past else "none was published yet"
    what = f"`{name}`" if name else f"of {moment:%Y-%m-%d %H:%M:%S} UTC or before"
    raise DumpMissing(
        f"there was no dump {what} in the history, {oldest}",
        hint="`ppr-assets list --history` names all that were published.",
    )


def _dump_name(at: str) -> str | None:
    if at in _LINKS:
        return at
    return next((name for name in (at, f"{at}.sql") if is_dump_name(name)), None)


def _end_of(at: str) -> datetime | None:
    """The last moment that ``at`` tells: a date means that whole day."""
    try:
        moment = datetime.fromisoformat(at) if "-" in at else None
    except ValueError:
        return None
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    return moment + timedelta(days=1) - _TICK if len(at) == _A_DAY else moment
