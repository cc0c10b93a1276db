"""A record that nobody can follow; through many nights ``ppr-assets history`` does in its test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import DumpMissing
from ppr_assets.operations.looking.history import record_history
from ppr_assets.plain_sql.tables.one_record import SoughtRecord
from ppr_assets.settings import DataRepoSettings, Settings


def test_where_nothing_was_published_there_is_no_history(
    data_repo: DataRepo, repo_settings: DataRepoSettings
) -> None:
    settings = replace(Settings.from_environment({}, dotenv=None), data_repo=repo_settings)
    with pytest.raises(DumpMissing) as missing:
        record_history(settings, SoughtRecord("organization", ("1",)), offline=True)
    assert missing.value.render() == (
        f"no dump was published yet in `{data_repo.path}`\n"
        "HINT: `ppr-assets dump` makes one of a database."
    )
