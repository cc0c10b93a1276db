"""Who told of a record, when, and whose word stands: its rows by source, its version, its times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ppr_assets.rules.replay.ids import child_id
from ppr_assets.rules.replay.rows.columns import Row
from ppr_assets.rules.replay.rows.told import Told, with_reasons
from ppr_assets.rules.replay.telling import Telling

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
    told: Iterable[tuple[Telling, dict[str, Any]]],
    here: Mapping[str, str],
) -> Iterator[Row]:
    """What each scraper's newest word is, from when it first told of the record."""
    by_scraper: defaultdict[str, list[tuple[Telling, dict[str, Any]]]] = defaultdict(list)
    for by, values in told:
        by_scraper[by.scraper].append((by, values))
    for scraper in sorted(by_scraper):
        words = sorted(by_scraper[scraper], key=lambda one: one[0])
        yield (
            f"{kind}_source",
            {
                **words[-1][1],
                **here,
                "id": child_id(f"{kind}_source", own, scraper),
                "scraper_id": scraper,
                "created_at": words[0][0].created_at,
                "updated_at": words[-1][0].created_at,
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
