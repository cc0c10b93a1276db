"""A search for values that must not be found, in whatever form somebody has written them.

A value's letters stay together in plain text, COPY's and JSON's escapes and ``repr``; in base64, in
hexadecimal digits and in what is compressed they do not, so those forms are looked for as well.
"""

from __future__ import annotations

import base64
import gzip
import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_GZIP, _ZLIB = b"\x1f\x8b", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def found_in(data: bytes, words: Iterable[str]) -> list[str]:
    """Those of the ``words``, in any case, that are in ``data`` in some form."""
    texts = [*_unpacked(data)]
    return [word for word in words if any(_forms(word).search(text) for text in texts)]


def _forms(word: str) -> re.Pattern[bytes]:
    plain = word.encode()
    forms = [plain, plain.hex().encode(), word.encode("utf-16-le"), *_in_base64(plain)]
    pattern = b"|".join(b"(?i:%b)" % re.escape(form) for form in forms[:3])
    return re.compile(pattern + b"|" + b"|".join(map(re.escape, forms[3:])))


def _in_base64(word: bytes) -> Iterator[bytes]:
    """What is the same wherever the word begins in what was encoded."""
    for before in range(3):
        digits = base64.b64encode(bytes(before) + word)
        yield digits[-(-before * 4 // 3) : len(word) * 4 // 3 - 1]


def _unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    try:
        if data.startswith(_GZIP):
            yield gzip.decompress(data)
        elif data.startswith(_ZLIB):
            yield zlib.decompress(data)
    except (OSError, EOFError, zlib.error):  # it only begins like one
        return


def objects_of(repository: Path) -> bytes:
    """Every object of it, also what no commit leads to."""
    command = ["git", "-C", str(repository), "cat-file", "--batch", "--batch-all-objects"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its name, a link's target as its content."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            yield str(path), str(path.readlink()).encode()
        elif path.is_file():
            yield str(path), path.read_bytes()
        yield f"the name of {path}", path.name.encode()
