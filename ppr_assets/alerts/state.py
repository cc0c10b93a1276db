"""What is remembered from one process to the next: incidents, what is still to be said, channels.

One file beside the clone's own state, since every run, the daemon's and the command line's, works
on that clone; in the user's state folder while there is no clone. Held while it is changed, and
replaced by a rename.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, convert, field, to_builtins
from msgspec.json import decode
from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone_folder import state_dir_at
from ppr_assets.errors import Busy
from ppr_assets.files import held_or, write_whole
from ppr_assets.rules.incidents import Incident, Known, Message
from ppr_assets.settings import DataRepoSettings, state_home

_NAME = "alerts.json"
_WAIT_SECONDS = 30.0


class Channel(Struct, frozen=True):
    """``unsent`` are messages that it has not taken yet, oldest first; ``lost`` how many were given
    up, since there were too many. ``error`` is of the last attempt, empty where it succeeded."""

    unsent: tuple[Message, ...] = ()
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""
    lost: int = 0


class _Kept(Struct):
    """A state as the file has it."""

    open: Sequence[Incident]
    told: Mapping[str, datetime]
    good: Mapping[str, datetime]
    channels: Mapping[str, Channel] = field(default_factory=dict)


class State(Struct, frozen=True):
    """``channels`` by what may be shown of them."""

    known: Known = field(default_factory=Known)
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def with_channel(self, name: str, channel: Channel) -> State:
        return replace(self, channels={**self.channels, name: channel})


def state_file(settings: DataRepoSettings) -> Path:
    """Where the state is kept now."""
    beside = state_dir_at(settings.path)
    return beside / _NAME if beside is not None else _without_clone(settings)


def read_state(settings: DataRepoSettings) -> State:
    """What is known, for who only looks."""
    return _joined(settings, state_file(settings))


@contextmanager
def changed_state(settings: DataRepoSettings) -> Iterator[list[State]]:
    """The state in a list of one, whose element the block replaces; written when it ends well.

    Raises ``OSError`` for files that cannot be used, and :class:`Busy`.
    """
    path = state_file(settings)
    with _held(path.with_suffix(".lock")):
        before = _joined(settings, path)
        box = [before]
        yield box
        if box[0] != before or not path.exists():
            write_whole(path, _text(box[0]), beside=path.with_suffix(".partial"), mode=0o600)
        if path != (left := _without_clone(settings)):
            left.unlink(missing_ok=True)


def sending(settings: DataRepoSettings) -> AbstractContextManager[None]:
    """Alone among those that send: two would say everything twice. Raises :class:`Busy`."""
    return _held(state_file(settings).with_suffix(".sending"))


@contextmanager
def _held(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    busy = Busy(f"busy: another process holds `{path}`", hint="it will be done soon.")
    with held_or(busy, path, wait_seconds=_WAIT_SECONDS):
        yield


def _without_clone(settings: DataRepoSettings) -> Path:
    digest = hashlib.sha256(str(settings.path).encode()).hexdigest()[:16]
    return state_home() / "ppr_assets" / digest / _NAME


def _joined(settings: DataRepoSettings, path: Path) -> State:
    """With what was kept elsewhere while there was no clone."""
    state = _read(path)
    left = _without_clone(settings)
    if path == left or not left.exists():
        return state
    earlier = _read(left)
    return State(state.known.joined(earlier.known), {**earlier.channels, **state.channels})


def _read(path: Path) -> State:
    """Nothing where there is no file, and where nobody can read it: to hear of an incident twice
    is better than never."""
    try:
        kept = decode(path.read_bytes(), type=_Kept)
    except (FileNotFoundError, ValueError):
        return State()
    return State(_known(kept), kept.channels)


def _text(state: State) -> str:
    channels = to_builtins(state.channels, builtin_types=(datetime,))
    kept = {**known_to_json(state.known), "channels": channels}
    return json.dumps(kept, default=datetime.isoformat, indent=1, ensure_ascii=False)


def adopt(settings: DataRepoSettings, kept: Known) -> None:
    """Take in what somebody else has kept, where there is nothing here: the clone is a new one."""
    if state_file(settings).exists() or not (kept.incidents or kept.good):
        return
    with changed_state(settings) as box:
        box[0] = replace(box[0], known=box[0].known.joined(kept))


def known_to_json(known: Known) -> dict[str, Any]:
    """Its moments as they are: whoever writes them down has ``isoformat`` for them."""
    kept = {"open": [*known.incidents.values()], "told": known.told, "good": known.good}
    plain: dict[str, Any] = to_builtins(kept, builtin_types=(datetime,))
    return plain


def known_from_json(given: Any) -> Known:
    """Raises ``ValueError`` for anything else."""
    return _known(convert(given, _Kept))


def _known(kept: _Kept) -> Known:
    return Known({one.key: one for one in kept.open}, kept.told, kept.good)
