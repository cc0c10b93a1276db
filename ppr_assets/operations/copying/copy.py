"""Copy what was published to every place that the settings name: one that fails stops no other."""

from __future__ import annotations

from ppr_assets.copies.opening import open_place
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import CopyFailed, DataRepoError, PreconditionFailed, SettingsError
from ppr_assets.operations.copying.one_place import Copying
from ppr_assets.operations.copying.outcome import CopyOutcome, PlaceOutcome
from ppr_assets.operations.copying.published_dumps import PublishedDumps, published_dumps
from ppr_assets.operations.copying.seen import remember, seen_at
from ppr_assets.operations.publishing.retention import keep_rules
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.settings import CopyUrl, Settings


def copy_published(settings: Settings, repo: DataRepo) -> CopyOutcome:
    """Raises :class:`SettingsError` where no place is named, and :class:`DataRepoError` where the
    data repository itself cannot be read."""
    urls = settings.data_repo.copies.urls
    if not urls:
        raise SettingsError(
            "PPR_COPY_URLS is not set, must name at least one place for copies",
            hint="docs/copies.md tells how to set one up.",
        )
    with scratch_folder(repo.state_dir / "copying") as scratch:
        dumps = published_dumps(repo, scratch)
        return CopyOutcome([_copy_to(url, settings, dumps) for url in urls])


def _copy_to(url: CopyUrl, settings: Settings, dumps: PublishedDumps) -> PlaceOutcome:
    repo, outcome = dumps.folder.repo, PlaceOutcome(url.shown)
    rules = keep_rules(settings.data_repo.copies.keep)
    seen = seen_at(repo, url.shown)
    try:
        copies = settings.data_repo.copies
        place = open_place(url)
        Copying(place, dumps, settings.dump, rules, seen, outcome, copies.sqlite).run()
    except (CopyFailed, DataRepoError, PreconditionFailed) as error:
        outcome.failure = error
    remember(repo, url.shown, seen)
    return outcome
