"""The steps of a night, each with an opening of the data repository for itself."""

from __future__ import annotations

from typing import Any

from ppr_assets.data_repo.clone import upkeep
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.operations.dumping import counting
from ppr_assets.operations.dumping import dump as dumping
from ppr_assets.operations.published import standing as standings
from ppr_assets.operations.publishing import publish as publishing
from ppr_assets.settings import DataRepoSettings, Settings


def count_records(settings: Settings, **options: Any) -> counting.RecordCount:
    with open_data_repo(settings.data_repo) as repo:
        return counting.count_records(settings, repo, **options)


def dump(settings: Settings, **options: Any) -> dumping.DumpOutcome:
    with open_data_repo(settings.data_repo) as repo:
        return dumping.dump(settings, repo, **options)


def publish(settings: Settings, **options: Any) -> publishing.PublishOutcome:
    with open_data_repo(settings.data_repo) as repo:
        return publishing.publish(settings.dump, repo, **options)


def standing(settings: Settings, commit: str) -> standings.Standing:
    with open_data_repo(settings.data_repo) as repo:
        return standings.standing(repo, commit)


def keep_small(settings: DataRepoSettings) -> upkeep.CloneState:
    with open_data_repo(settings) as repo:
        return upkeep.keep_small(repo)
