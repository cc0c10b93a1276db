"""How many dumps stay by each keep rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ppr_assets.errors import SettingsError
from ppr_assets.settings import kinds
from ppr_assets.settings.variable import read_fields, variable, variables_of


@dataclass(frozen=True)
class KeepSettings:
    """How many dumps each keep rule leaves in the folder; None: all that it finds."""

    last: int | None = variable(
        "SQL_DUMP_KEEP_LAST",
        "7",
        kinds.keep,
        "how many of the last dumps stay in the folder, `all` for every one; what no rule keeps "
        "retires into the history, where it can be restored from",
    )
    daily: int | None = variable(
        "SQL_DUMP_KEEP_DAILY",
        "7",
        kinds.keep,
        "the newest dump of each of so many days (UTC) stays too",
    )
    weekly: int | None = variable(
        "SQL_DUMP_KEEP_WEEKLY",
        "4",
        kinds.keep,
        "the newest dump of each of so many weeks, Monday to Sunday, stays too",
    )
    monthly: int | None = variable(
        "SQL_DUMP_KEEP_MONTHLY",
        "12",
        kinds.keep,
        "the newest dump of each of so many months stays too",
    )
    yearly: int | None = variable(
        "SQL_DUMP_KEEP_YEARLY",
        "0",
        kinds.keep,
        "the newest dump of each of so many years stays too",
    )

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        keep = read_fields(cls, values)
        if not any(count is None or count for count in vars(keep).values()):
            last, *others = (one.name for one in variables_of(cls))
            *between, end = (f"_{name.rpartition('_')[2]}" for name in others)
            raise SettingsError(
                f"{last}, {', '.join(between)} and {end} are all 0, at least one must keep "
                "something",
                hint=f"To keep every dump in the folder, set {last}=all.",
            )
        return keep
