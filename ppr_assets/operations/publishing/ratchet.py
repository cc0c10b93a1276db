"""Set the mark on purpose: an explicit, recorded act, and the only way down."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import working_alone
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo, checked_out_branch
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.message import Signed
from ppr_assets.errors import DataRepoError, RatchetFileError, SettingsError
from ppr_assets.files import write_whole
from ppr_assets.operations.published.standing_mark import ShallowHistory
from ppr_assets.operations.publishing.delivery import Delivery, Ground
from ppr_assets.operations.publishing.dump_commit import write_reset_commit
from ppr_assets.operations.publishing.gate import mark_at
from ppr_assets.operations.publishing.landing import land
from ppr_assets.rules.mark import RESET, Mark, render_mark
from ppr_assets.rules.naming import RATCHET
from ppr_assets.settings import Settings


class ResetOutcome(Struct, frozen=True):
    """``before`` is None where there was no mark, or none that could be read."""

    before: Mark | None
    after: Mark
    commit: str
    delivery: Delivery


def reset(settings: Settings, *, to: int, reason: str) -> ResetOutcome:
    """Commit the mark ``to`` (organizations). The other tables' marks are forgotten; the next
    dump earns them anew. Raises :class:`SettingsError` without a reason.
    """
    if not reason.strip():
        raise SettingsError("the reason is empty, must be a sentence for whoever asks later")
    signed = Signed(reason.strip(), settings.operator)
    after = Mark(
        organization=to,
        updated_at=datetime.now(UTC),
        updated_by=f"{signed.by}, {RESET}{signed.reason}",
    )
    with open_data_repo(settings.data_repo) as repo:

        def build(ground: Ground) -> tuple[tuple[Mark | None, Mark, str], str | None]:
            try:
                before = mark_at(repo, ground.base)
            except ShallowHistory:  # nobody needs to know it to set another
                before = dump_folder(repo, ground.base).mark
            except RatchetFileError:  # what cannot be read is what this is to mend
                before = None
            mark = replace(after, extra=before.extra) if before else after
            commit = write_reset_commit(repo, ground.base, before, mark, signed)
            return (before, mark, commit), commit

        with working_alone(repo):
            (before, mark, commit), delivery = land(repo, build)
            _replace_changed_file(repo, mark)
        return ResetOutcome(before, mark, commit, delivery)


def _replace_changed_file(repo: DataRepo, mark: Mark) -> None:
    """A ratchet file that somebody changed by hand stays theirs in a commit; this act ends it."""
    if repo.bare or checked_out_branch(repo) != repo.branch:
        return
    path = repo.path / repo.dump_dir / RATCHET
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, render_mark(mark), beside=path.with_name(f"{path.name}.partial"))
    except OSError as error:
        raise DataRepoError(
            f"the mark is committed, but `{path}` cannot be replaced: {error.strerror}",
            hint="move away what lies there, then bring the file back: "
            f"`git checkout -- {repo.dump_dir}/{RATCHET}`.",
        ) from error
