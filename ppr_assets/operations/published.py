"""What the data repository publishes at this moment: head, latest dump, mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ppr_assets.data_repo.clone import open_data_repo
from ppr_assets.data_repo.set_aside import SetAside, all_set_aside
from ppr_assets.data_repo.tree import latest_name, tip
from ppr_assets.operations.gate import mark_at
from ppr_assets.operations.latest import latest_manifest
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.mark import Mark
from ppr_assets.settings import DataRepoSettings


@dataclass(frozen=True)
class Published:
    """``head``: the branch's tip; ``latest``: the dump that latest.sql names there, with its
    ``manifest`` where it has one; ``mark``: the mark; None for what is not there yet.
    ``set_aside``: dumps that could not be delivered, newest first."""

    head: str | None
    latest: str | None
    manifest: Manifest | None
    mark: Mark | None
    set_aside: Sequence[SetAside] = ()


def published(settings: DataRepoSettings) -> Published:
    """Look at the branch of the clone; the remote is not asked."""
    repo = open_data_repo(settings)
    head = tip(repo)
    return Published(
        head=head,
        latest=latest_name(repo, head) if head else None,
        manifest=latest_manifest(repo, head),
        mark=mark_at(repo, head),
        set_aside=all_set_aside(repo),
    )
