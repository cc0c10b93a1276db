"""The argument and the options by which verbs say which dump they mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from ppr_assets.cli.shared.console import err
from ppr_assets.cli.shared.context import bundled
from ppr_assets.cli.shared.looked_at import offline_option
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.naming import dump_moment


class Moment(click.ParamType[datetime]):
    """An ISO date (its first moment) or date and time; UTC unless it says otherwise."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` must be a date like 2026-11-01 or 2026-11-01T12:00", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


_DUMP = (
    click.argument("dump", metavar="[DUMP]", required=False),
    click.option(
        "--from",
        "source",
        metavar="DIR|URL|FILE",
        help="Another data repository, a place of copies (s3://, gs://, az://, rclone:REMOTE:PATH, "
        "or its folder), a folder with dumps, or a dump's own file (plain SQL, also as .sql.gz), "
        "instead of DATA_REPO_PATH.",
    ),
    click.option(
        "--at",
        metavar="COMMIT",
        help="As published at this commit; nothing is checked out.",
    ),
    offline_option,
)
_BEFORE = click.option(
    "--before",
    metavar="DATE",
    type=Moment(),
    help="The newest dump from before this date or moment (ISO, UTC).",
)

dump_options = bundled("wanted", Wanted, *_DUMP)
"""``[DUMP] --from --at --offline``: a dump of any place, the latest of the data repository if not
said. They come to the verb as ``wanted``."""

dump_or_date_options = bundled("wanted", Wanted, *_DUMP, _BEFORE)
"""The same, with ``--before``."""


def made_at(found: FoundDump) -> datetime | None:
    """When the database was as the dump says: by the manifest, or else by the dump's name."""
    return found.manifest.snapshot_at if found.manifest else dump_moment(found.name)


def age(found: FoundDump, now: datetime) -> str:
    """``3 h old``; empty for a file whose age nobody knows."""
    moment = made_at(found)
    return f"{_duration(now - moment)} old" if moment else "of an unknown age"


def print_stage(stage: str, seconds: float) -> None:
    """A line as soon as a stage is done, beside the facts: to stderr."""
    err.print(f"{stage:<10} {seconds:.2f} s")


def stages(seconds: Mapping[str, float]) -> str:
    """``verify 0.3 s, load 1.2 s``."""
    return ", ".join(f"{stage} {duration:.2f} s" for stage, duration in seconds.items())


def _duration(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
