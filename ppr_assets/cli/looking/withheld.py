"""What was left out of an answer, said on stderr."""

from __future__ import annotations

from collections.abc import Iterable

from ppr_assets.cli.shared.console import err


def print_withheld(what: Iterable[str]) -> None:
    for one in what:
        err.print(f"withheld by the policy of today: {one}", markup=False)
