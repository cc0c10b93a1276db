"""Says after the tests which of them were left out by a marker, counted by folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from ppr_assets_tests.places import ROOT

_LEFT_OUT: pytest.StashKey[Counter[str]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_LEFT_OUT] = Counter()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        left_out = item.config.stash[_LEFT_OUT]
        left_out[item.path.relative_to(ROOT / "ppr_assets_tests").parts[0]] += 1
        if hasattr(item.config, "workeroutput"):
            item.config.workeroutput["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each of xdist's workers leaves out the same."""
    left_out: dict[str, int] = node.workeroutput.get("left_out", {})
    node.config.stash[_LEFT_OUT] = Counter(left_out)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    left_out = config.stash[_LEFT_OUT]
    if left_out and config.option.markexpr:
        rooms = ", ".join(f"{room} {number}" for room, number in sorted(left_out.items()))
        terminalreporter.write_line(
            f"left out, as they are not `{config.option.markexpr}`: {left_out.total()} tests "
            f"({rooms}); `make test` runs all"
        )
