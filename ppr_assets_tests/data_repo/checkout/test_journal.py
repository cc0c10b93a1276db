"""The journal tells what it was given, whatever the names of folders are."""

from ppr_assets.data_repo.checkout.journal import (
    Journal,
    read_journal,
    remove_journal,
    write_journal,
)
from ppr_assets.data_repo.git.repository import DataRepo


def test_it_is_read_as_it_was_written_also_where_a_path_is_no_utf_8(data_repo: DataRepo) -> None:
    data_repo.state_dir.mkdir(parents=True, exist_ok=True)
    assert read_journal(data_repo) is None
    for old in (None, "0" * 40):
        journal = Journal("main", old, "1" * 40, ("/srv/clone", "/srv/d\udcff"))
        write_journal(data_repo, journal)
        assert read_journal(data_repo) == journal
    remove_journal(data_repo)
    assert read_journal(data_repo) is None
