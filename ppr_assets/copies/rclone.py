"""A remote of an installed rclone: SFTP, WebDAV and whatever else it knows.

Its configuration stays rclone's own (``rclone config``, or RCLONE_CONFIG_… variables): no password
goes through us. What several remotes lack is writing only where nothing is, so it is looked first.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from ppr_assets.child_process import supervised
from ppr_assets.copies.place import PlacedObject
from ppr_assets.errors import CopyFailed
from ppr_assets.settings import CopyUrl, child_environment, without_secrets

_CHUNK = 1024 * 1024
_NO_SUCH_FOLDER = 3
_TIMES = ("--contimeout=10s", "--timeout=60s", "--retries=3", "--low-level-retries=3")


class RclonePlace:
    def __init__(self, url: CopyUrl) -> None:
        self.shown = url.shown
        self._where = url.where

    def objects(self) -> Mapping[str, PlacedObject]:
        said, status = self._run("lsjson", "--files-only", self._where, ok=(0, _NO_SUCH_FOLDER))
        if status == _NO_SUCH_FOLDER:
            return {}
        return {one["Name"]: PlacedObject(one["Size"], one["ModTime"]) for one in json.loads(said)}

    def put_new(self, name: str, content: Path | bytes) -> bool:
        if name in self.objects():
            return False
        if isinstance(content, bytes):
            self._run("rcat", self._at(name), stdin=content)
        else:
            self._run("copyto", "--immutable", str(content), self._at(name))
        return True

    def read(self, name: str) -> Iterator[bytes]:
        with self._started("cat", self._at(name), stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            while chunk := process.stdout.read(_CHUNK):
                yield chunk
            _, said = process.communicate()
            self._require(process.returncode, said)

    def remove(self, name: str) -> None:
        if name in self.objects():
            self._run("deletefile", self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._where}{'' if self._where.endswith((':', '/')) else '/'}{name}"

    def _run(
        self, *words: str, stdin: bytes | None = None, ok: tuple[int, ...] = (0,)
    ) -> tuple[bytes, int]:
        with self._started(*words, stdin=subprocess.PIPE) as process:
            out, said = process.communicate(stdin)
            self._require(process.returncode, said, ok)
        return out, process.returncode

    def _started(self, *words: str, stdin: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
        if shutil.which("rclone") is None:
            raise CopyFailed(
                f"`{self.shown}` needs rclone, which is not installed here",
                hint="install it (Debian, Ubuntu: `apt-get install rclone`).",
            )
        return supervised(
            ["rclone", *_TIMES, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment({"RCLONE_ASK_PASSWORD": "false"}),
        )

    def _require(self, status: int, said: bytes, ok: tuple[int, ...] = (0,)) -> None:
        if status in ok:
            return
        lines = said.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        raise CopyFailed(
            f"`{self.shown}`: rclone failed: {without_secrets(lines[-1])[:300]}",
            hint=f"`rclone lsf {self._where}` shows whether it gets there.",
        )
