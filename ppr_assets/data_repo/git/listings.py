"""What git prints of commits, trees and refs, read: a reader for each form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppr_assets.data_repo.git.tree import TreeEntry


def log_format(*fields: str) -> tuple[str, ...]:
    """Options by which ``git log`` tells ``fields`` (``%H``, ``%(trailers:…)``) of each commit,
    whatever is configured; :func:`log_rows` reads them."""
    form = "".join(f"%x00{field}" for field in (*fields, ""))
    return ("--no-show-signature", "--encoding=UTF-8", f"--format={form}")


def log_rows(log: bytes, fields: int) -> Iterator[tuple[str, ...]]:
    """Of each commit as many ``fields``, and the lines of its changes behind them in one text."""
    words = iter(log.decode("utf-8", "replace").split("\0")[1:])
    return zip(*[words] * (fields + 1), strict=True)


def changed(line: str) -> tuple[str, str, str]:
    """Path, mode and blob that a line of ``log --raw --no-abbrev`` ends with; git quotes a path
    whose folder has an unusual name."""
    facts, _, path = line.partition("\t")
    _, mode, _, sha, _ = facts.split()
    return path.removesuffix('"'), mode, sha


def listed(listing: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
    """Path and entry of each line of ``ls-tree -z``."""
    for line in filter(None, listing.split(b"\0")):
        facts, _, path = line.partition(b"\t")
        yield path, TreeEntry(*facts.decode().split())


def heads(listing: bytes) -> dict[str, str]:
    """Commit by branch name, from what ``ls-remote`` printed."""
    pairs = (line.split("\t", 1) for line in listing.decode("utf-8", "replace").splitlines())
    # The pattern also finds refs that merely end in it.
    return {
        name.removeprefix("refs/heads/"): commit
        for commit, name in pairs
        if name.startswith("refs/heads/")
    }


def default_branch(listing: bytes) -> str | None:
    """Where HEAD leads, from what ``ls-remote --symref`` printed; None where it leads nowhere."""
    found = re.search(rb"^ref: refs/heads/(\S+)\tHEAD$", listing, re.MULTILINE)
    return found[1].decode() if found else None


def work_tree_facts(listing: bytes) -> Iterator[dict[bytes, bytes]]:
    """What ``worktree list --porcelain -z`` tells of each: ``worktree``, ``HEAD``, ``branch``."""
    for block in listing.split(b"\0\0"):
        pairs = (line.partition(b" ") for line in block.strip(b"\0").split(b"\0"))
        yield {key: value for key, _, value in pairs}
