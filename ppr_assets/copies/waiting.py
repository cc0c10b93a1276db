"""Wait for a library that does not listen to interrupts while it waits for the network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def interruptibly(call: Callable[[], T]) -> T:
    """What ``call`` gives or raises. An interrupt ends the waiting; the call itself is left to end
    by its own time limit, and keeps no process alive."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result()
