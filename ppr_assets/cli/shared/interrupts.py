"""Every polite way to end a verb ends it through its ``finally`` blocks."""

from __future__ import annotations

import signal
from types import FrameType


def interrupt_on_signals() -> None:
    """Make a service manager's SIGTERM and a lost terminal's SIGHUP do what Ctrl-C does.

    SIGINT is set as well: a shell starts ``command &`` with it ignored. A SIGHUP that ``nohup``
    has switched off stays off.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Pass it on as SIGINT, whose handler changes: during a run it is Dagster's."""
    signal.raise_signal(signal.SIGINT)
