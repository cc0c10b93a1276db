"""Dumps that were taken off the branch: a ref of ours keeps each, and its log tells why."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ppr_assets.data_repo.git.repository import DataRepo

_RAW = ("--no-show-signature", "--encoding=UTF-8")
_REFS = "refs/ppr_assets/set_aside"


class SetAside(Struct, frozen=True):
    """``dumps`` are the names of those that were taken off, newest first; ``ref`` keeps them.
    ``reason`` and ``moment`` are empty where git has forgotten them."""

    dumps: tuple[str, ...]
    ref: str
    reason: str = ""
    moment: str = ""


def keep(
    repo: DataRepo, commit: str, reason: str, dumps: Sequence[str], *, name: str = ""
) -> SetAside:
    """Have a ref keep ``commit``, whose log tells the ``reason``.

    One of the same ``name`` (for a dump that is refused night after night, its hash) gives way.
    """
    ref = f"{_REFS}/{(name or commit)[:12]}"
    repo.git("update-ref", "--create-reflog", "-m", " ".join(reason.split()), ref, commit)
    return SetAside(tuple(dumps), ref, reason)


def all_set_aside(repo: DataRepo) -> list[SetAside]:
    """What refs of ours keep, the newest commits first."""
    asked = ("for-each-ref", "--sort=-committerdate", "--format=%(refname)", f"{_REFS}/")
    return [_told(repo, ref) for ref in repo.word(*asked).splitlines()]


def _told(repo: DataRepo, ref: str) -> SetAside:
    ours = (repo.ref, f"refs/ppr_assets/remote/{repo.branch}")
    known = [f"^{name}" for name in ours if repo.word("for-each-ref", "--count=1", name)]
    told = "%(trailers:key=Dump,valueonly,separator=%x20)"
    listing = repo.word("log", "--first-parent", *_RAW, f"--format={told}", ref, *known, "--")
    dumps = tuple(name for name in listing.splitlines() if name)
    entry = ("log", "-1", "--walk-reflogs", *_RAW, "--date=iso-strict", "--format=%gs%x00%gd")
    reason, _, selector = repo.word(*entry, ref, "--", ok=(0, 128)).partition("\0")
    return SetAside(dumps, ref, reason, selector.partition("@{")[2].rstrip("}"))
