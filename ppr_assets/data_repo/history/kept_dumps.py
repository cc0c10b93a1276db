"""Dumps that were taken off the branch: a ref of ours keeps each, and its log tells why."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ppr_assets.data_repo.git.listings import log_format, log_rows
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.remote.remote import fetched_tip

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
    return [_kept(repo, ref) for ref in repo.word(*asked).splitlines()]


def _kept(repo: DataRepo, ref: str) -> SetAside:
    tips = (tip(repo), fetched_tip(repo))
    known = [f"^{commit}" for commit in tips if commit]
    field = log_format("%(trailers:key=Dump,valueonly,separator=%x20)")
    log = repo.git("log", "--first-parent", *field, ref, *known, "--")
    dumps = tuple(name for name, _ in log_rows(log, 1) if name)
    entry = ("log", "-1", "--walk-reflogs", "--date=iso-strict", *log_format("%gs", "%gd"))
    for reason, selector, _ in log_rows(repo.git(*entry, ref, "--", ok=(0, 128)), 2):
        return SetAside(dumps, ref, reason, selector.partition("@{")[2].rstrip("}"))
    return SetAside(dumps, ref)
