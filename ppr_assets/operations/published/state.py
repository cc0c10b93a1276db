"""What the data repository publishes at this moment: head, latest dump, mark."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.kept_dumps import SetAside, all_set_aside
from ppr_assets.errors import DataRepoError, PprError, RatchetFileError
from ppr_assets.operations.published.mark_history import Marks
from ppr_assets.operations.published.standing_mark import standing_mark
from ppr_assets.operations.published.view import View, look
from ppr_assets.operations.published.work_tree import OtherFiles, other_files
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DataRepoSettings


class Published(Struct, frozen=True):
    """``view``: what was looked at; ``head``: its commit; ``latest``: the dump that latest.sql
    names there, with its ``manifest`` where it has one. ``mark``: the mark that counts, some of
    which the ratchet file may have ``lost``; ``mark_error`` says why it cannot be told. None for
    what is not there yet. ``set_aside``: dumps that could not be delivered, newest first.
    ``other_files``: what of the latest dump lies otherwise in the work tree."""

    view: View
    latest: str | None
    manifest: Manifest | None
    mark: Mark | None
    set_aside: Sequence[SetAside] = ()
    other_files: OtherFiles | None = None
    lost: Marks = field(default_factory=dict)
    mark_error: PprError | None = None

    @property
    def head(self) -> str | None:
        return self.view.commit


def published_in(
    repo: DataRepo, *, offline: bool = False, answer_seconds: float | None = None
) -> Published:
    """Look at the branch, and at the remote's unless ``offline``; see :func:`look`."""
    view = look(repo, offline=offline, answer_seconds=answer_seconds)
    head = view.commit
    found, error = None, None
    try:
        found = standing_mark(repo, head)
    except (RatchetFileError, DataRepoError) as failure:  # the rest can be told all the same
        error = failure
    folder = dump_folder(repo, head)
    return Published(
        view=view,
        latest=folder.latest,
        manifest=folder.latest_manifest,
        mark=found.mark if found else None,
        lost=found.lost if found else {},
        mark_error=error,
        set_aside=all_set_aside(repo),
        other_files=other_files(repo, folder.latest) if folder.latest else None,
    )


def published(settings: DataRepoSettings, *, offline: bool = False) -> Published:
    """The same for who has not opened the data repository."""
    with open_data_repo(settings) as repo:
        return published_in(repo, offline=offline)
