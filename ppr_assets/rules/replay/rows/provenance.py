"""Who told of a record, when, and whose word stands: its rows by source, its version, its times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ppr_assets.rules.replay.ids import child_id
from ppr_assets.rules.replay.rows.columns import Row, columns_of
from ppr_assets.rules.replay.rows.told import Told, with_reasons
from ppr_assets.rules.replay.telling import Telling

R = TypeVar("R")
CREATED_BY = "replay"
_COLUMNS = {"coordinates": ("latitude", "longitude"), "program": ("program_id",)}
"""Of fields that are no column of the same name."""


def timed(told: Sequence[Told], rows: Iterable[Row]) -> Iterator[Row]:
    """Rows know the times of the telling, and never the clock's."""
    first, last = (choose(one.by.created_at for one in told) for choose in (min, max))
    times = {"created_at": first, "updated_at": last, "last_modified": last}
    for table, values in rows:
        yield table, {**times, **values}


def sources(
    kind: str,
    own: str,
    told: Iterable[tuple[Telling, R]],
    here: Mapping[str, str],
    values: Callable[[R], Mapping[str, Any]] = columns_of,
) -> Iterator[Row]:
    """What each scraper's newest word is, from when it first told of the record."""
    by_scraper: defaultdict[str, list[tuple[Telling, R]]] = defaultdict(list)
    for by, record in told:
        by_scraper[by.scraper].append((by, record))
    for scraper, words in sorted(by_scraper.items()):
        words.sort(key=lambda one: one[0])
        first, (last, record) = words[0][0], words[-1]
        yield (
            f"{kind}_source",
            {
                **values(record),
                **here,
                "id": child_id(f"{kind}_source", own, scraper),
                "scraper_id": scraper,
                "created_at": first.created_at,
                "updated_at": last.created_at,
            },
        )


def version(
    kind: str,
    own: str,
    values: Mapping[str, Any],
    told: Sequence[Told],
    whose: Mapping[str, Telling],
) -> Row:
    """Its first version, with who told of it, why their words are counted to it, and from which
    job each value is where there was more than one."""
    tellings = [*with_reasons(told)]
    data = {name: value for name, value in values.items() if value is not None}
    data["told_by"] = [
        {
            "scraper": one.by.scraper,
            "job": one.by.job_id,
            "at": one.by.created_at,
            "path": one.record.path,
            **({"reason": reason} if reason else {}),
        }
        for one, reason in tellings
    ]
    if len({one.by for one, _ in tellings}) > 1:
        data["word_of"] = {
            column: by.job_id
            for name, by in whose.items()
            for column in _COLUMNS.get(name, (name,))
            if values.get(column) is not None
        }
    return (
        "record_version",
        {
            "id": child_id("record_version", own, 1),
            "record_id": own,
            "record_type": kind,
            "version_num": 1,
            "data": data,
            "created_at": tellings[-1][0].by.created_at,
            "created_by": CREATED_BY,
        },
    )
