"""The dump that is meant by a word: its name, a commit, a date, or the path of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.errors import DumpMissing
from ppr_assets.operations.published.listing import list_history
from ppr_assets.operations.published.view import OnView, unseen
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.naming import LATEST, LATEST_PACKED, PREFIX, dump_moment, is_dump_name
from ppr_assets.settings import DataRepoSettings

_LINKS = (LATEST, LATEST_PACKED)
_TICK = timedelta(microseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _TICK
_A_DAY = len("2026-11-01")
_NEARLY_A_DATE = re.compile(r"\d{4}-[\d:.TZ+ _-]*")


class Meant(Struct, frozen=True):
    """``at``: a dump's name (or the moment in it), also of one that has retired; a commit, for the
    latest dump there; a date or moment (ISO, UTC unless it says otherwise), for the newest dump up
    to its end; the path of a file. None, or ``latest``: the latest. ``source``: another place than
    the data repository. ``offline``: the remote is not asked."""

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
    if at in (None, "latest"):
        return wanted
    moment, name = _end_of(at), _dump_name(at)
    file = meant.source is None and (os.sep in at or Path(at).is_file())
    if not at.strip() or (_NEARLY_A_DATE.fullmatch(at) and not (moment or name or file)):
        raise DumpMissing(
            f"`{at}` is neither a dump nor a commit nor a date",
            hint="dates are as in 2026-11-01 (its end) or 2026-11-01T12:00, in UTC.",
        )
    if name is None and moment is None and not file:
        return replace(wanted, at=at)
    if meant.source is not None or (moment is None and name is None) or at in _LINKS:
        before = min(moment, _LAST) + _TICK if moment else None
        return replace(wanted, dump=None if moment else name or at, before=before)
    past = list_history(settings, offline=meant.offline, on_view=on_view).dumps
    for one in past:  # newest first
        made = dump_moment(one.name)
        if one.name in (name, f"{name}.gz") or (moment and made and made <= moment):
            return replace(wanted, dump=one.name, at=one.published.commit)
    oldest = f"the oldest is {past[-1].name}" if past else "none was published yet"
    what = f"`{name}`" if name else f"of `{at}` or before"
    raise DumpMissing(
        f"there was no dump {what} in the history, {oldest}",
        hint="`ppr-assets list --history` names all that were published.",
    )


def _dump_name(at: str) -> str | None:
    if at in _LINKS:
        return at
    names = [at, f"{at}.sql", *([f"{PREFIX}{at}.sql"] if "_" in at else [])]  # its moment alone
    return next((name for name in names if is_dump_name(name)), None)


def _end_of(at: str) -> datetime | None:
    """The last moment that ``at`` tells: a date means that whole day."""
    try:
        moment = datetime.fromisoformat(at) if "-" in at else None
    except ValueError:
        return None
    if moment is None:
        return None
    if len(at) == _A_DAY:
        return moment.replace(tzinfo=UTC, hour=23, minute=59, second=59, microsecond=999999)
    return moment.replace(tzinfo=moment.tzinfo or UTC)
