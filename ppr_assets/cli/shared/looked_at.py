"""What verbs that look say of what they look at, and the option to ask nobody for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ppr_assets.cli.shared.console import err
from ppr_assets.rules.wording import few

if TYPE_CHECKING:
    from ppr_assets.operations.published.mark_history import Marks
    from ppr_assets.operations.published.view import View

offline_option = click.option(
    "--offline", is_flag=True, help="Look at what the clone knows; do not ask the remote."
)


def print_view(view: View) -> None:
    """To stderr, beside what is found there."""
    err.print(f"looking at {view.describe(datetime.now(UTC))}")
    for remark in view.remarks:
        err.print(remark)


def print_withheld(what: Iterable[str]) -> None:
    """What was left out of an answer, to stderr."""
    for one in what:
        err.print(f"withheld by the policy of today: {one}")


def lost_marks(lost: Marks) -> str:
    """``location 3880 (commit 4f2a91c03d), …``: what the file has lost, and what tells it."""
    told = [f"{table} {mark.count} ({mark.by})" for table, mark in sorted(lost.items())]
    return few(told, 3)
