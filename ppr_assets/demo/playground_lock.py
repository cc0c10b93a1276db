"""One user of the playground at a time: the demo makes anew what ``make dev`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppr_assets.errors import Busy
from ppr_assets.files import held_or


@contextmanager
def playground_lock(folder: Path) -> Iterator[None]:
    """Hold the playground in ``folder``, made if needed. Raises :class:`Busy` if it is in use."""
    folder.mkdir(parents=True, exist_ok=True)
    busy = Busy(
        f"busy: another demo or `make dev` works in `{folder}`",
        hint="end it with Ctrl-C first; both use the same sample database.",
    )
    with held_or(busy, folder / "lock"):
        yield
