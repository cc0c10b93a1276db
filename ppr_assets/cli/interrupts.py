"""Every polite way to end a verb ends it through its ``finally`` blocks."""

from __future__ import annotations

import signal


def interrupt_on_signals() -> None:
    """Make Ctrl-C, a service manager's SIGTERM and a lost terminal raise ``KeyboardInterrupt``.

    SIGINT is set as well: a shell starts ``command &`` with it ignored, and Dagster, which gives
    SIGTERM the handler of SIGINT, would then end for neither. A SIGHUP that ``nohup`` has
    switched off stays off.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        signal.signal(number, signal.default_int_handler)
