"""One user of the playground at a time: the demo makes anew what ``make dev`` shows."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppr_assets.errors import Busy


@contextmanager
def playground_lock(folder: Path) -> Iterator[None]:
    """Hold the playground in ``folder``, made if needed. Raises :class:`Busy` if it is in use."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"busy: another demo or `make dev` works in `{folder}`",
                hint="end it with Ctrl-C first; both use the same sample database.",
            ) from None
        yield
