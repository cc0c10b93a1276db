"""What a file that should be a dump is instead, as far as its first bytes tell.

A dump travels: through git, LFS, browsers, mail and Windows. Each has its own way to leave
something else under the dump's name, and each has its own way out.
"""

from __future__ import annotations

import re

from msgspec import Struct

HEAD_BYTES = 512
"""How many of a file's first bytes are looked at."""

_GZIP = b"\x1f\x8b"
_PLAIN = b"--\n"
_LFS = b"version https://git-lfs"
_LFS_SIZE = re.compile(rb"^size (\d+)$", re.MULTILINE)
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"\xfd7zXZ": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
}
_WEB_PAGE = re.compile(rb"(?i)\s*(?:<!--[^>]*-->\s*)?<(?:!doctype|html|head|body)\b")
_BUNDLE = (b"# v2 git bundle", b"# v3 git bundle")
_SQLITE = b"SQLite format 3\0"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Impostor(Struct, frozen=True):
    """``what`` goes behind the file's name in a sentence; ``hint`` is the way out."""

    what: str
    hint: str


def impostor(head: bytes, *, gzipped: bool) -> Impostor | None:
    """What the file is instead of a dump; None: it begins as one, or cannot be told.

    ``gzipped``: by its name, ``head`` must be that of a gzip file.
    """
    if gzipped:
        if head.startswith(_GZIP):
            return None
        if head.startswith(_PLAIN):
            return Impostor(
                "is plain SQL under the name of a gzip file",
                "rename it without `.gz`; somebody decompressed it and kept the name.",
            )
    elif head.startswith(_PLAIN):
        return _other_sql(head)
    return _something_else(head) or Impostor(
        f"does not begin as {'a gzip file' if gzipped else 'a plain-SQL dump'} but with "
        f"{head[:40].decode('utf-8', 'replace')!r}",
        "something else was saved under its name; fetch the dump again.",
    )


def _other_sql(head: bytes) -> Impostor | None:
    if head.startswith(b"--\n-- PostgreSQL database cluster dump\n"):
        return Impostor(
            "was made by pg_dumpall, a dump of one database is needed",
            "make it with pg_dump; what pg_dumpall writes also holds roles with passwords, so "
            "never publish it.",
        )
    return None


def _something_else(head: bytes) -> Impostor | None:
    if head.startswith(_LFS):
        size = _LFS_SIZE.search(head)
        return Impostor(
            "is a Git LFS pointer, not the dump itself"
            + (f", which has {int(size.group(1))} bytes" if size else ""),
            "run `git lfs pull` in the data repository (`git lfs install` first, if git does not "
            "know it).",
        )
    if _WEB_PAGE.match(head):
        return Impostor(
            "is a web page (HTML), not a dump",
            "a browser or a download saved the page about the file: download the raw file "
            '("Download raw file" on GitHub), or clone the data repository.',
        )
    if head.startswith(b"PGDMP"):
        return Impostor(
            "is in pg_dump's custom format, plain SQL is needed",
            "`pg_restore -f dump.sql FILE` turns it into plain SQL; or make it without `-Fc`.",
        )
    if head.startswith(b"toc.dat\0"):
        return Impostor(
            "is in pg_dump's tar format, plain SQL is needed",
            "`pg_restore -f dump.sql FILE` turns it into plain SQL; or make it without `-Ft`.",
        )
    if head.startswith(_BUNDLE):
        return Impostor(
            "is a git bundle, not a dump",
            "`git clone FILE data` makes a data repository of it, which --from takes.",
        )
    if head.startswith(_SQLITE):
        return Impostor(
            "is an SQLite database, not a dump of a PostgreSQL one",
            "something else was saved under its name; fetch the dump again.",
        )
    return _converted(head) or _packed(head)


def _converted(head: bytes) -> Impostor | None:
    """A dump that something on the way wrote anew."""
    if head.startswith(b"--\r\n"):
        return Impostor(
            "has Windows line endings (CR LF), so its rows are not what they were",
            "run `git config core.autocrlf false` in the clone and check the file out again, or "
            "transfer it in binary mode.",
        )
    if head.startswith((*_UTF16, b"\xef\xbb\xbf--")):
        return Impostor(
            "was written anew by a Windows program (it begins with a byte order mark)",
            "`>` of PowerShell and some editors do that: use `pg_dump --file`, or fetch it again.",
        )
    return None


def _packed(head: bytes) -> Impostor | None:
    if head.startswith(_GZIP):
        return Impostor(
            "is a gzip file under the name of plain SQL",
            "rename it to end in `.sql.gz`, or decompress it with `gunzip`.",
        )
    for magic, what in _PACKED.items():
        if head.startswith(magic):
            return Impostor(f"is {what}, not a dump", "unpack it, and give the dump that is in it.")
    return None
