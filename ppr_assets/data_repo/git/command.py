"""Run git: in a group of its own, with a time limit, ended whatever happens, heard when it fails.

No git of ours outlives its call, nor what it has started itself: they are asked to end before they
are killed, also when this process has died, because a git that is killed outright leaves its
``.lock`` files to block everybody else.

Nothing can prompt: there is no terminal for git, and a session of its own gives ssh none either.
"""

from __future__ import annotations

import fcntl
import functools
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from ppr_assets.child_process import supervised
from ppr_assets.data_repo.git.errors import failure, scrub, too_slow
from ppr_assets.data_repo.git.progress_lines import followed
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import child_environment

_GRACE_SECONDS = 2  # it removes its lock files
_CHUNK = 1 << 20

_ENVIRONMENT = {
    # In the words that are looked for in what it says.
    "LANGUAGE": "C",
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    # What only looks must not take locks that the owner of the work tree needs.
    "GIT_OPTIONAL_LOCKS": "0",
}
# As `-c` hands it on: somebody's file system monitor, a program or a daemon, is not started by us.
_HANDED_ON = "GIT_CONFIG_PARAMETERS"
_ALONE = "'core.fsmonitor=false'"
# Set inside hooks, for example, they would send git to another repository than the one asked for.
_FOREIGN = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_WORK_TREE",
)

WITHOUT_LAZY_FETCH = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for a git that does not know the other
}
"""The environment in which a partial clone does not fetch what it lacks when that is read."""

OFFLINE = {
    **WITHOUT_LAZY_FETCH,
    "GIT_NO_REPLACE_OBJECTS": "1",  # what was published, not what somebody here shows instead
}
"""The environment for looking at history as it is in this clone."""

WITHOUT_UPKEEP = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")
"""Options for a git that would otherwise tidy up in somebody's clone when it is done."""

WHOLE_LOG = ("-c", "log.showRoot=true", "-c", "log.follow=false")
"""Options for a log that tells of first commits and follows no renames, whatever is configured."""

WITHIN_MEMORY = (
    *("-c", "pack.threads=1"),
    *("-c", "pack.windowMemory=64m"),
    *("-c", "pack.deltaCacheSize=64m"),
    *("-c", "pack.deltaCacheLimit=1000000"),
    *("-c", "core.packedGitWindowSize=16m"),
    *("-c", "core.packedGitLimit=64m"),
)
"""Options for a git that looks for differences between dumps: five times the largest part, that is
two versions of it and the index of one, however many parts a dump has. A difference that was found
is kept and not made once more to be written. A second thread was not faster."""

WHOLE = ("-c", "pack.window=0", "-c", "core.bigFileThreshold=1m")
"""Options for a git that looks for no differences, and holds nothing larger in memory."""

NEEDED = (2, 38)
"""``merge-tree --write-tree``: merges without a work tree."""

_START_SECONDS = 30.0


class Output(Struct, frozen=True):
    """What a call of git said; ``stderr`` without credentials."""

    stdout: bytes
    stderr: str
    status: int


def run(
    path: Path,
    *args: str,
    timeout: float,
    stdin: bytes | BinaryIO | None = None,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
) -> Output:
    """Run ``git args`` in the folder ``path``; ``timeout`` is in seconds.

    ``env`` comes on top of the environment. Raises :class:`GitTimeout`, and
    :class:`GitCommandFailed` for an exit code that is not ``ok``.
    """
    given = stdin if isinstance(stdin, bytes) else None
    with _started(path, args, stdin, env) as process:
        result = _output(process, args, given, timeout)
    if result.status not in ok:
        raise failure(args, result.status, result.stderr)
    return result


@contextmanager
def begun(
    path: Path,
    *args: str,
    timeout: float,
    stdin: BinaryIO,
    env: Mapping[str, str] | None = None,
) -> Iterator[Callable[[], Output]]:
    """``git args`` at work beside others: what is given waits for its end, and raises what
    :func:`run` raises. It is ended when the block ends."""
    with _started(path, args, stdin, env) as process:

        def finish() -> Output:
            result = _output(process, args, None, timeout)
            if result.status:
                raise failure(args, result.status, result.stderr)
            return result

        yield finish


def _output(
    process: subprocess.Popen[bytes], args: tuple[str, ...], given: bytes | None, timeout: float
) -> Output:
    try:
        if "--progress" in args:
            with followed(process, timeout) as words:
                out, _ = process.communicate(given, timeout=timeout)
                err = words()
        else:
            out, err = process.communicate(given, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise too_slow(args, timeout) from None
    return Output(out, scrub(err), process.returncode)


@contextmanager
def conversation(
    path: Path, *args: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """``git args`` with pipes to ask and to listen; it is ended when the block ends."""
    with _started(path, args, b"", env) as process:
        _widen(process)
        yield process


def _widen(process: subprocess.Popen[bytes]) -> int:
    """Let its output come in fewer, larger pieces, where Linux offers that; the descriptor."""
    assert process.stdout is not None  # a pipe, see _started
    pipe = process.stdout.fileno()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)
    return pipe


@contextmanager
def _started(
    path: Path,
    args: tuple[str, ...],
    stdin: bytes | BinaryIO | None,
    env: Mapping[str, str] | None,
) -> Iterator[subprocess.Popen[bytes]]:
    require_git()
    with supervised(
        ["git", *args],
        grace_seconds=_GRACE_SECONDS,
        cwd=path,
        env=_environment(path, env or {}),
        stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process


def _environment(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """That of a git in ``path``, without our secrets: the hooks of a clone are other people's
    programs. The token comes under another name, and only with the calls that need it."""
    around = child_environment({})
    around[_HANDED_ON] = f"{around.get(_HANDED_ON, '')} {_ALONE}".strip()
    # A folder without a repository must not be taken for a part of the one around it.
    around["GIT_CEILING_DIRECTORIES"] = str(path.resolve().parent)
    own = {name: value for name, value in around.items() if name not in _FOREIGN}
    return {**own, **_ENVIRONMENT, **given}


@functools.cache
def require_git() -> None:
    """Raise :class:`DataRepoError` for a git that is missing or too old, :class:`GitTimeout` for
    one that does not answer."""
    if shutil.which("git") is None:
        raise DataRepoError(
            f"no `git` on PATH, {_dotted(NEEDED)} or newer needed",
            hint="install git, and run again.",
        )
    with supervised(["git", "version"], stdout=subprocess.PIPE) as process:
        try:
            answer, _ = process.communicate(timeout=_START_SECONDS)
        except subprocess.TimeoutExpired:
            raise too_slow(("version",), _START_SECONDS) from None
    found = re.search(rb"(\d+)\.(\d+)", answer)
    if found is None or (int(found[1]), int(found[2])) < NEEDED:
        have = answer.decode("utf-8", "replace").strip() or f"exit code {process.returncode}"
        raise DataRepoError(
            f"`git version` says `{have}`, {_dotted(NEEDED)} or newer needed",
            hint="install a newer git: older ones cannot merge without a work tree.",
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
