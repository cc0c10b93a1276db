"""Many small files of the repository at once: two processes, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ppr_assets.data_repo.git.command import run
from ppr_assets.data_repo.git.object_reader import SMALL_BYTES
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.remote.credentials import credentials_for


def read_small_files(repo: DataRepo, blobs: Collection[str]) -> Mapping[str, bytes]:
    """The content of ``blobs`` by name; what is lost or larger than SMALL_BYTES is left out.

    A partial clone fetches what it lacks. Raises :class:`GitCommandFailed` where the remote does
    not give it, and :class:`GitTimeout`.
    """
    options, secret = credentials_for(repo.settings, repo.remote_url or "")

    def ask(how: str, names: Collection[str]) -> bytes:
        asked = "".join(f"{name}\n" for name in names).encode()
        limit = repo.settings.timeout_seconds
        command = (*options, "cat-file", how)
        return run(repo.path, *command, stdin=asked, timeout=limit, env=secret).stdout

    found = (line.split() for line in ask("--batch-check", blobs).decode().splitlines())
    sizes = {name: int(size[0]) for name, kind, *size in found if kind == "blob"}
    small = [name for name, size in sizes.items() if size <= SMALL_BYTES]
    answer = ask("--batch", small) if small else b""
    files = {}
    for name in small:
        start = answer.index(b"\n") + 1
        end = start + sizes[name]
        files[name] = answer[start:end]
        answer = answer[end + 1 :]
    return files
