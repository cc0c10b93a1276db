"""A bucket (S3, Google Cloud Storage, Azure) or a folder, by obstore.

Keys that the URL does not hold are found where the cloud's own tools look for them: in AWS_…,
GOOGLE_… and AZURE_… variables, or by the machine's role.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, from_url

from ppr_assets.copies.place import PlacedObject
from ppr_assets.errors import CopyFailed
from ppr_assets.files import sync_folder
from ppr_assets.settings import CopyUrl, Secret, without_secrets

_CHUNK = 4 * 1024 * 1024
_TIMES = {"timeout": "1h", "connect_timeout": "10s", "read_timeout": "60s"}
_QUERY = re.compile(r"\?[^\s\"')]*")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_DENIED = re.compile(r"\b40[13]\b|[Pp]ermission denied")
_ASKED_FOR_KEYS = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")
"""Where a cloud's own machines have theirs."""
_LONGEST = 300

_KEYS_HINT = (
    "look at the keys and what they may do there: list, read, write, and delete for the keep rules."
)
_FOLDER_HINT = (
    "look at the folder and its disk: may this user read and write there, and is there room (`ls "
    "-la`, `df`)?"
)
_HINT = "look at the URL (bucket, endpoint, region) and the network."

T = TypeVar("T")


class BucketPlace:
    """Objects are written with a checksum, which buckets with object lock ask for."""

    def __init__(self, url: CopyUrl) -> None:
        self.shown = url.shown
        self._store = self._do("used", lambda: _client(url))

    def objects(self) -> Mapping[str, PlacedObject]:
        found = self._do("listed", lambda: obstore.list_with_delimiter(self._store)["objects"])
        return {
            one["path"].rpartition("/")[2]: PlacedObject(one["size"], _tag(one)) for one in found
        }

    def put_new(self, name: str, content: Path | bytes) -> bool:
        try:
            self._do(
                f"given `{name}`", lambda: obstore.put(self._store, name, content, mode="create")
            )
        except _Exists:
            return False
        return True

    def read(self, name: str) -> Iterator[bytes]:
        doing = f"asked for `{name}`"
        stream = self._do(doing, lambda: iter(obstore.get(self._store, name).stream(_CHUNK)))
        while (chunk := self._do(doing, lambda: next(stream, None))) is not None:
            yield bytes(chunk)

    def remove(self, name: str) -> None:
        try:
            self._do(f"freed of `{name}`", lambda: obstore.delete(self._store, name))
        except CopyFailed as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise

    def _do(self, done: str, call: Callable[[], T]) -> T:
        try:
            return interruptibly(call)
        except AlreadyExistsError as error:
            raise _Exists from error
        except (BaseError, OSError, ValueError) as error:
            raise CopyFailed(
                f"`{self.shown}` cannot be {done}: {_words(error)}",
                hint=self._hint(error),
            ) from error

    def _hint(self, error: Exception) -> str:
        return _KEYS_HINT if _DENIED.search(f"{error}") else _HINT


class FolderPlace(BucketPlace):
    """It has to be there: what is not mounted would be filled on this machine's own disk."""

    def __init__(self, url: CopyUrl) -> None:
        super().__init__(url)
        self._folder = Path(url.where)

    def put_new(self, name: str, content: Path | bytes) -> bool:
        for left in self._folder.glob(f"{name}#*"):  # what a killed run was writing
            left.unlink(missing_ok=True)
        made = super().put_new(name, content)
        if made:
            with (self._folder / name).open("rb") as file:
                os.fsync(file.fileno())
            sync_folder(self._folder)
        return made

    def _hint(self, error: Exception) -> str:  # noqa: ARG002 - what it is, the error says
        return _FOLDER_HINT


class _Exists(Exception):
    """An object of that name is there."""


def _client(url: CopyUrl) -> Any:
    if url.kind == "folder":
        if not Path(url.where).is_dir():
            raise CopyFailed(
                f"there is no folder `{url.where}` for copies",
                hint="is its disk mounted? A folder that is to be new: `mkdir` makes it.",
            )
        return LocalStore(url.where)
    options = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in url.options.items()
    }
    if url.where.startswith("s3:"):
        options.setdefault("checksum_algorithm", "SHA256")
    plain = any(value.startswith("http://") for value in options.values())  # a server of one's own
    make: Any = from_url  # typed for each cloud, and which one it is only the URL knows
    client = {**_TIMES, "allow_http": plain}
    return make(url.where, config=options, client_options=client, retry_config={"max_retries": 3})


def _tag(one: Mapping[str, Any]) -> str:
    return f"{one.get('e_tag') or one['last_modified']}"


def _words(error: Exception) -> str:
    """Its first line, and the server's own code; no query, in which Azure has signatures."""
    said = str(error)
    if any(server in said for server in _ASKED_FOR_KEYS):
        return "no keys were found, neither in the URL nor in the environment nor for this machine"
    first = _QUERY.sub("", said.partition("\n")[0].partition(": <?xml")[0])[:_LONGEST]
    code = _CODE.search(said)
    return without_secrets(f"{first} ({code[1]})" if code else first)


def interruptibly(call: Callable[[], T]) -> T:
    """What ``call`` gives or raises: the library does not listen to interrupts while it waits for
    the network. One ends the waiting; the call itself is left to end by its own time limit, and
    keeps no process alive."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result()
