"""Which remote is known without a look at anything but the clone's configuration."""

from __future__ import annotations

import pytest

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.remote_head import Remote, known_remote
from ppr_assets.errors import DataRepoError
from ppr_assets.settings import DataRepoSettings
from ppr_assets_tests.fix_git import Somebody


def test_an_origin_in_an_included_file_is_known(repo_settings: DataRepoSettings) -> None:
    repo_settings.path.mkdir()
    owner = Somebody(repo_settings.path)
    owner.git("init", "-q", "-b", repo_settings.branch)
    owner.commit("First", {"README": "theirs"})
    url = "https://example.com/data.git"
    included = repo_settings.path.with_name("included")
    included.write_text(f'[remote "origin"]\n\turl = {url}\n')
    owner.git("config", "include.path", str(included))
    assert open_data_repo(repo_settings).remote_url == url
    assert known_remote(repo_settings) == Remote("origin", url)


def test_a_file_has_no_remote(repo_settings: DataRepoSettings) -> None:
    repo_settings.path.write_text("a file")
    with pytest.raises(DataRepoError, match="is not a git repository"):
        known_remote(repo_settings)
