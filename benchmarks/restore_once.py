"""``python -m benchmarks.restore_once TARGET REPORT``: one whole restore, and its seconds."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.settings import Settings


def main(target: str, report: str) -> None:
    settings = Settings.from_environment(dotenv=None)
    started = perf_counter()
    with found_dump(settings.data_repo, Wanted()) as found:
        restore(replace(settings.database, dbname=target), found, deadline=Deadline(None))
    Path(report).write_text(f"{perf_counter() - started}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
