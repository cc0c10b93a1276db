"""How the last night ended, kept beside the clone for whoever looks without Dagster.

Each night notes that it has begun, and what it came to; one that was killed has begun and not
ended. An unchanged night makes no dump and no commit, so the last good night is told here alone.
Anybody may remove the file: then it is not known until the next night.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, convert
from msgspec.structs import asdict, replace

from ppr_assets.alerts.state import state_file
from ppr_assets.errors import Busy, Cancelled
from ppr_assets.files import Held, held, write_whole
from ppr_assets.rules.incidents import CLOCKS_DIFFER_BY
from ppr_assets.settings import DataRepoSettings, without_secrets

if TYPE_CHECKING:
    from ppr_assets.operations.night import Night

_FILE = "last_night.json"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_log = logging.getLogger(__name__)


class LastNight(Struct, frozen=True):
    """``outcome``: ``published``, ``committed`` (not pushed), ``unchanged``, ``failed``,
    ``cancelled``, or ``incomplete`` where nobody said why it made no commit; None while it is at
    work, or when it was killed. ``error`` is the message of a
    failure, with its ``exit_code``. ``good_at``: when a night last ended well, and the ``dump``
    that stood then. ``machine``: in words of which one is enough to know it by."""

    run_id: str
    began_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    exit_code: int | None = None
    error: str = ""
    good_at: datetime | None = None
    dump: str | None = None
    machine: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.run_id,
            "began_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "error": self.error or None,
        }


def last_night(settings: DataRepoSettings) -> LastNight | None:
    """None before the first, and where what is kept cannot be read. A good night that a clock which
    was ahead has dated was good nobody knows when."""
    try:
        # By Python's own reader: an error may name a path with bytes that are no UTF-8.
        last = convert(json.loads(_path(settings).read_bytes()), LastNight)
        if last.good_at and last.good_at > datetime.now(UTC) + CLOCKS_DIFFER_BY:
            last = replace(last, good_at=None)
    except (OSError, ValueError, TypeError):
        return None
    return last


@contextmanager
def noted(settings: DataRepoSettings, night: Night) -> Iterator[Night]:
    """Note what ``night`` comes to in the block. A night that met another at work, or only read
    what stands, leaves no trace; nothing that cannot be noted ends one."""
    before = last_night(settings)
    begun = LastNight(night.run_id, datetime.now(UTC), machine=_machine())
    if before is not None:
        begun = replace(begun, good_at=before.good_at, dump=before.dump)
    stack = ExitStack()
    try:  # before it is noted: who looks in between would take it for killed
        _lock(settings).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stack.enter_context(held(_lock(settings), wait_seconds=1.0, shared=True))
        _write(settings, begun)
    except (Held, OSError) as error:
        _log.warning("that a night is at work could not be noted: %s", error)
    try:
        yield night
    finally:
        if isinstance(night.failure, Busy):
            _take_back(settings, begun, before)
        elif not _write(settings, _ended(begun, night, datetime.now(UTC))):
            _take_back(settings, begun, None)  # it would be taken for killed; this needs no room
        stack.close()


def was_killed(settings: DataRepoSettings, last: LastNight | None) -> bool | None:
    """Whether ``last`` began, has not ended, and no process is at it any more; None where its lock
    cannot tell, as one that is gone or that may only be read."""
    if last is None or last.ended_at is not None:
        return False
    try:
        if not _lock(settings).exists():
            return None
        with held(_lock(settings)):
            return last_night(settings) == last
    except Held:
        return False
    except OSError:
        return None


def of_this_machine(last: LastNight) -> bool:
    """Whether ``last`` ran under the kernel that is asked here, whose locks tell of it; those of
    another may not, as in a folder of NFS or one that a virtual machine shares with its host."""
    return bool({*last.machine.split()} & {*_machine().split()})


def _machine() -> str:
    """The host's name, which outlasts a boot, and where Linux tells it the id of this boot, which
    is one for all containers."""
    words = [socket.gethostname()]
    with suppress(OSError):
        words.append(_BOOT_ID.read_text(encoding="ascii").strip())
    return " ".join(words)


def _ended(begun: LastNight, night: Night, at: datetime) -> LastNight:
    ended = replace(begun, ended_at=at, outcome="incomplete")
    failure, published = night.failure, night.published
    if failure is not None:
        word = "cancelled" if isinstance(failure, Cancelled) else "failed"
        ended = replace(ended, outcome=word, exit_code=failure.exit_code)
        ended = replace(ended, error=without_secrets(failure.message))
    if published is None or published.commit is None or published.error() is not None:
        return ended
    good = replace(ended, good_at=at, dump=published.manifest.dump)
    if failure is not None:  # of what comes after it: copies
        return good
    pushed = published.status == "published" and not published.delivery.pushed
    return replace(good, outcome="committed" if pushed else published.status, exit_code=0)


def _take_back(settings: DataRepoSettings, begun: LastNight, before: LastNight | None) -> None:
    now = last_night(settings)
    if now is None or now.run_id != begun.run_id:
        return
    if before is not None and _write(settings, before):
        return
    try:
        _path(settings).unlink(missing_ok=True)
    except OSError as error:
        _log.warning("that a night is over could not be noted: %s", error)


def _write(settings: DataRepoSettings, night: LastNight) -> bool:
    path = _path(settings)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps(asdict(night), default=datetime.isoformat, indent=1)
        write_whole(path, text, beside=path.with_suffix(f".{night.run_id}"), mode=0o600)
    except OSError as error:
        _log.warning("how the night went could not be noted: %s", error)
        return False
    return True


def _path(settings: DataRepoSettings) -> Path:
    return state_file(settings).with_name(_FILE)


def _lock(settings: DataRepoSettings) -> Path:
    """Held by each night as long as it is at work: the kernel lets go of it for one that died."""
    return _path(settings).with_suffix(".lock")
