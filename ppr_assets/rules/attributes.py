"""The dump folder's ``.gitattributes``: every checkout has the bytes that were committed.

Without it, what lies around the folder decides: ``core.autocrlf`` of a Windows clone ends each line
with CR LF (psql restores that without a word, and other rows), and an LFS rule above the folder
replaces a dump by a pointer. git lets the deeper file win, and in a file the later line.
"""

from __future__ import annotations

ATTRIBUTES = ".gitattributes"

# `-text` also settles `eol`. git refuses `-working-tree-encoding`, so that is taken back instead.
_SETTLED = "-text -filter -ident !working-tree-encoding -export-subst"
LINE = f"* {_SETTLED}"
_WHY = "# Written by ppr_assets: dumps are checked out byte for byte. Lines of yours go below."

CONVERTING = ("filter", "text", "ident", "working-tree-encoding")
"""The attributes by which git changes a file's bytes on the way into a work tree."""


def with_our_line(content: bytes | None) -> bytes:
    """``content`` (None: there is no file yet) with our line in it, once; all else as it was."""
    lines = (content or b"").splitlines()
    if LINE.encode() in (line.strip() for line in lines):
        return content or b""
    ours = f"{_WHY}\n{LINE}\n".encode()
    if not content:
        return ours
    return content + (b"" if content.endswith(b"\n") else b"\n") + ours
