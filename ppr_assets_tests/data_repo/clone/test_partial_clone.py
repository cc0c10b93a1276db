"""The clone that is made here: what it goes without, from which remotes, and how it keeps small."""

from __future__ import annotations

import os
import random
import shutil
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.data_repo.checkout.advance import advance_branch, recover
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone import upkeep
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.upkeep import keep_small, repo_size
from ppr_assets.data_repo.git.errors import GitCommandFailed
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import entry_at, read_file, tip
from ppr_assets.data_repo.history.dump_history import newest_manifests
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.manifests import read_manifests
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.data_repo.remote.missing_objects import bring, lacking
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.settings import DataRepoSettings, Secret
from ppr_assets_tests.fix_git import Somebody, publish_dump
from ppr_assets_tests.fix_http_remote import HttpRemote, serve

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

OLD, SECOND, THIRD = (f"pantry_pirate_radio_2026-11-{day}_02-00-00.sql" for day in (20, 21, 22))
FILES = 20
ABSENT = 2 * FILES + 3
"""The files of all publications, a dump that has left the folder, and the mark of then."""

TOKEN = "ghp_recognisable0123456789"


def _json(number: int) -> dict[str, str]:
    """A publication: twenty files that do not compress, half a megabyte."""
    noise = random.Random(number)
    return {
        f"daily/2026-11-{number}/scrapers/s{one % 7}/{one}.json": b64encode(
            noise.randbytes(20_000)
        ).decode()
        for one in range(FILES)
    }


@pytest.fixture
def remote(bare_remote: Path, publisher: Somebody) -> Path:
    """A remote that offers filters, with two publications and two dumps, the older one retired."""
    Somebody(bare_remote).git("config", "uploadpack.allowFilter", "true")
    publisher.commit("Data update", _json(18))
    publisher.commit("Dump", _dump(OLD, "old\n"))
    publisher.commit("Data update", _json(19))
    publisher.commit("Dump", _dump(SECOND, "second\n"))
    publisher.git("rm", "-q", f"sql_dumps/{OLD}")
    publisher.git("commit", "-q", "-m", "Retire")
    publisher.git("push", "-q", "origin", "main")
    return bare_remote


def _dump(name: str, text: str) -> dict[str, str]:
    mark = f'{{"max_record_count": {2500 + len(text)}}}\n'
    files = {name: text, ".delta_base/dump.sql": text, ".record_count_ratchet": mark}
    return {f"sql_dumps/{path}": content for path, content in files.items()}


@pytest.fixture
def settings(repo_settings: DataRepoSettings, remote: Path) -> DataRepoSettings:
    return replace(repo_settings, url=str(remote))


@pytest.fixture
def ours(settings: DataRepoSettings) -> DataRepo:
    """The clone that is made here."""
    return open_data_repo(settings)


def _missing(repo: DataRepo, revision: str = "--all", *paths: str) -> list[str]:
    """What the clone lacks of the history, as git itself sees it."""
    listing = Somebody(repo.path).git(
        "rev-list", "--objects", "--missing=print", revision, "--", *paths
    )
    return [line[1:] for line in listing.splitlines() if line.startswith("?")]


def _shown(repo: DataRepo) -> list[str]:
    """The files of the work tree."""
    files = (path for path in repo.path.rglob("*") if not path.is_dir())
    names = (str(path.relative_to(repo.path)) for path in files)
    return sorted(name for name in names if not name.startswith(".git/"))


def _loosened(folder: Path) -> None:
    """Take the remote away."""
    folder.rename(folder.with_name("away.git"))


def _take_over(repo: DataRepo) -> None:
    """Bring the branch to where the remote is; its mark can be read before, as a gate does."""
    theirs = fetch(repo)
    assert theirs is not None
    assert read_file(repo, theirs, "sql_dumps/.record_count_ratchet")
    with data_repo_lock(repo):
        advance_branch(repo, tip(repo), theirs)


def test_our_own_clone_holds_all_commits_and_of_the_files_only_those_of_the_dump_folder(
    ours: DataRepo, remote: Path, publisher: Somebody
) -> None:
    owner = Somebody(ours.path)
    assert ours.partial
    assert owner.git("rev-list", "--count", "main") == publisher.git("rev-list", "--count", "main")
    assert _shown(ours) == ["README.md", "sql_dumps/.record_count_ratchet", f"sql_dumps/{SECOND}"]
    assert owner.status() == ""
    assert len(_missing(ours)) == ABSENT
    gone = (f"main~1:sql_dumps/{OLD}", "main~3:sql_dumps/.record_count_ratchet")
    blobs = sorted(publisher.git("rev-parse", name) for name in gone)
    assert sorted(_missing(ours, "main", "sql_dumps")) == blobs
    assert repo_size(ours).total < 100_000
    full = repo_size(open_data_repo(replace(ours.settings, path=publisher.path)))
    assert full.total > 800_000
    assert owner.git("config", "remote.origin.url") == str(remote)


def test_manifests_that_are_not_here_are_fetched_and_without_a_remote_the_others_are_read(
    settings: DataRepoSettings, remote: Path, publisher: Somebody
) -> None:
    names = [dump.replace(".sql", ".json") for dump in (OLD, SECOND)]
    for name in names:
        publisher.commit("Dump", {f"sql_dumps/{name}": f'{{"schema_version": "{name}"}}'})
    publisher.git("rm", "-q", f"sql_dumps/{names[0]}")
    publisher.git("commit", "-q", "-m", "Retire")
    publisher.git("push", "-q", "origin", "main")
    ours = open_data_repo(settings)
    blobs = newest_manifests(ours, ours.word("rev-parse", "main"), 60)
    assert [*blobs] == [*reversed(names)]
    assert len(lacking(ours, blobs.values())) == 1
    _loosened(remote)
    away = read_manifests(ours, blobs)
    assert names[1] in str(away[names[1]])
    assert "the manifest cannot be read: no use of remote" in str(away[names[0]])
    remote.with_name("away.git").rename(remote)
    assert all(name in str(told) for name, told in read_manifests(ours, blobs).items())


def test_a_folder_further_down_is_shown_with_the_files_on_the_way(
    settings: DataRepoSettings, publisher: Somebody
) -> None:
    files = ["a/read.me", "a/other/x", "a/my dumps/x", "a/my dumps/.delta_base/dump.sql", "b/a/x"]
    publisher.commit("Elsewhere", dict.fromkeys(files, "x\n"))
    publisher.git("push", "-q", "origin", "main")
    repo = open_data_repo(replace(settings, dump_dir="a/my dumps"))
    assert _shown(repo) == ["README.md", "a/my dumps/x", "a/read.me"]
    assert Somebody(repo.path).status() == ""


@pytest.mark.parametrize(
    "refusal",
    [
        {"uploadpack.allowFilter": "false"},
        {"uploadpackfilter.allow": "false"},
        {"uploadpack.allowFilter": "true", "protocol.version": "0"},
    ],
    ids=["knows no filter", "refuses ours", "gives no single objects"],
)
def test_a_remote_that_gives_no_parts_gives_a_full_clone(
    settings: DataRepoSettings,
    remote: Path,
    refusal: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in refusal.items():
        Somebody(remote).git("config", name, value)
    if "protocol.version" in refusal:
        (tmp_path / "gitconfig").write_text("[protocol]\n\tversion = 0\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repo = open_data_repo(settings)
    owner = Somebody(repo.path)
    assert not repo.partial
    assert _missing(repo) == []
    assert owner.status() == ""
    assert _shown(repo) == ["README.md", "sql_dumps/.record_count_ratchet", f"sql_dumps/{SECOND}"]
    assert list(repo.path.rglob("*.promisor")) == []
    local = owner.git("config", "--local", "--list")
    assert not any(word in local for word in ("promisor", "filter", "gc.auto"))


def test_a_clone_of_somebodys_is_used_as_it_is(settings: DataRepoSettings, remote: Path) -> None:
    Somebody(remote.parent).git("clone", "-q", str(remote), str(settings.path))
    before = (settings.path / ".git" / "config").read_text()
    repo = open_data_repo(settings)
    assert fetch(repo) == tip(repo)
    assert not repo.partial
    assert _missing(repo) == []
    assert (settings.path / ".git" / "config").read_text() == before
    assert (settings.path / "daily").is_dir()


def test_a_dump_is_pushed_as_a_difference_and_nothing_is_fetched_for_it(
    ours: DataRepo, publisher: Somebody
) -> None:
    lines = [f"row {number} {random.Random(number).random()}\n" for number in range(20_000)]
    first = publish_dump(ours, THIRD, "".join(lines))
    assert push(ours, first).bytes > 100_000
    packs = sorted((ours.git_dir / "objects" / "pack").iterdir())
    lines[10_000] = "changed\n"
    (ours.path / "sql_dumps" / THIRD).write_text("".join(lines))
    owner = Somebody(ours.path)
    owner.git("commit", "-q", "-a", "-m", "The same name, so that git finds what it resembles")
    second = owner.git("rev-parse", "HEAD")
    assert push(ours, second).bytes < 2000
    assert sorted((ours.git_dir / "objects" / "pack").iterdir()) == packs
    publisher.git("pull", "-q")
    publisher.git("fsck", "--strict")


def test_what_others_publish_outside_of_the_dump_folder_is_neither_fetched_nor_shown(
    ours: DataRepo, publisher: Somebody
) -> None:
    before = len(_missing(ours))
    publisher.commit("Data update", {"README.md": "# more\n", "STATS.md": "1\n", **_json(21)})
    publisher.commit("Dump", _dump(THIRD, "third\n"))
    publisher.git("push", "-q", "origin", "main")
    _take_over(ours)
    assert _shown(ours) == [
        "README.md",
        "STATS.md",
        "sql_dumps/.record_count_ratchet",
        f"sql_dumps/{SECOND}",
        f"sql_dumps/{THIRD}",
    ]
    assert (ours.path / "README.md").read_text() == "# more\n"
    assert len(_missing(ours)) == before + FILES
    owner = Somebody(ours.path)
    assert owner.status() == ""
    publisher.git("rm", "-q", "-r", "daily/2026-11-18")
    publisher.commit("Data update", {"daily/2026-11-19/scrapers/s0/0.json": "{}\n"})
    publisher.git("push", "-q", "origin", "main")
    _take_over(ours)
    assert owner.status() == ""
    owner.git("sparse-checkout", "reapply")
    assert owner.status() == ""
    assert "daily" not in {path.name for path in ours.path.iterdir()}


def test_a_kill_before_the_files_left_out_are_marked_is_mended(
    ours: DataRepo, publisher: Somebody
) -> None:
    """git writes many entries in one call and marks them in another."""
    publisher.commit("Data update", _json(21))
    publisher.git("push", "-q", "origin", "main")
    owner = Somebody(ours.path)
    theirs, old = fetch(ours), tip(ours)
    assert theirs and old
    with data_repo_lock(ours):
        advance_branch(ours, old, theirs)
        changed = owner.git("ls-files", "daily/2026-11-21").splitlines()
        owner.git("update-index", "--no-skip-worktree", *changed)
        journal = ours.state_dir / "moving.json"
        journal.write_text(
            f'{{"branch": "main", "old": "{old}", "new": "{theirs}", "touched": []}}'
        )
        assert owner.status() != ""
        assert recover(ours)
    assert owner.status() == ""
    assert "daily" not in {path.name for path in ours.path.iterdir()}


def test_both_sides_are_merged_without_the_files_that_others_have_changed(
    ours: DataRepo, publisher: Somebody
) -> None:
    publisher.git("mv", "daily/2026-11-18", "daily/moved")
    publisher.commit("Data update", _json(21))
    publisher.git("push", "-q", "origin", "main")
    local, before = publish_dump(ours, THIRD, "third\n"), len(_missing(ours))
    merged = base_for_publishing(ours, local, fetch(ours))
    assert merged is not None
    assert len(_missing(ours)) == before + FILES
    push(ours, merged)
    publisher.git("pull", "-q")
    assert (publisher.path / f"sql_dumps/{THIRD}").read_text() == "third\n"
    assert (publisher.path / "daily/moved").is_dir()


def test_a_file_that_both_have_changed_is_fetched_to_be_merged(
    ours: DataRepo, publisher: Somebody
) -> None:
    path = "daily/2025-08-09/b.json"
    text = "".join(f"{number}\n" for number in range(20))
    publisher.commit("Data update", {path: text})
    publisher.git("push", "-q", "origin", "main")
    _take_over(ours)
    publisher.commit("Theirs", {path: text.replace("2\n", "two\n", 1)})
    publisher.git("push", "-q", "origin", "main")
    owner = Somebody(ours.path)
    owner.git("sparse-checkout", "disable")
    local = owner.commit("Ours", {path: text.replace("19\n", "nineteen\n")})
    merged = base_for_publishing(ours, local, fetch(ours))
    assert merged is not None
    assert "two" in owner.git("show", f"{merged}:{path}")
    assert "nineteen" in owner.git("show", f"{merged}:{path}")


def test_an_old_dump_is_fetched_when_it_is_wanted_and_only_then(
    ours: DataRepo, remote: Path
) -> None:
    published = Somebody(ours.path).git("rev-parse", "main~3")
    entry = entry_at(ours, published, f"sql_dumps/{OLD}")
    assert entry is not None
    assert lacking(ours, [entry.sha, "1" * 40]) == [entry.sha, "1" * 40]
    with pytest.raises(GitCommandFailed) as caught:
        read_file(ours, published, f"sql_dumps/{OLD}")
    assert caught.value.render() == (
        f"`{ours.path}` is a partial clone and lacks object {entry.sha[:10]}, which its branch "
        f"needs\nHINT: `git -C {ours.path} -c gc.auto=0 fetch --refetch origin` brings back all "
        "that it should have; `git gc` may have taken it for something that the remote keeps."
    )
    before = len(_missing(ours))
    bring(ours, entry.sha)
    assert len(_missing(ours)) == before - 1
    file = read_file(ours, published, f"sql_dumps/{OLD}")
    assert file is not None
    assert file.data == b"old\n"
    _loosened(remote)
    bring(ours, entry.sha)  # nothing is missing, nobody is asked


def test_an_old_dump_while_the_remote_is_away_is_a_clear_error(
    ours: DataRepo, remote: Path
) -> None:
    sha = _missing(ours, "main", "sql_dumps")[0]
    _loosened(remote)
    with pytest.raises(RemoteUnreachable, match=r"no use of remote `origin`") as caught:
        bring(ours, sha)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_night_offline_needs_nothing_that_is_not_here(ours: DataRepo, remote: Path) -> None:
    _loosened(remote)
    publish_dump(ours, THIRD, "third\n")
    with pytest.raises(RemoteUnreachable):
        fetch(ours)
    assert Somebody(ours.path).status() == ""
    assert (ours.path / "sql_dumps/latest.sql").read_text() == "third\n"


def test_the_token_also_reaches_what_is_fetched_later_and_is_written_nowhere(
    settings: DataRepoSettings, remote: Path, publisher: Somebody
) -> None:
    with serve(HttpRemote(remote.parent, TOKEN)) as http:
        by_http = replace(settings, url=f"{http.url}/{remote.name}", token=Secret(TOKEN))
        repo = open_data_repo(by_http)
        assert repo.partial
        assert len(_missing(repo)) == ABSENT
        bring(repo, *_missing(repo, "main", "sql_dumps"))
        publisher.commit("Dump", _dump(THIRD, "third\n"))
        publisher.git("push", "-q", "origin", "main")
        _take_over(repo)
        assert _missing(repo, "main", "sql_dumps") == []
        wrong = replace(repo, settings=replace(by_http, token=Secret("wrong")))
        with pytest.raises(RemoteUnreachable) as caught:
            bring(wrong, _missing(repo)[0])
        assert "DATA_REPO_TOKEN" in caught.value.hint
    encoded = b64encode(f"x-access-token:{TOKEN}".encode())
    for path in repo.path.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
            assert encoded not in path.read_bytes(), path


@pytest.mark.parametrize("small", [True, False], ids=["small", "large"])
def test_upkeep_packs_a_partial_clone_and_loses_nothing(
    ours: DataRepo, publisher: Somebody, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    """Also what others have built on: git takes that for something that the remote keeps."""
    monkeypatch.setattr(upkeep, "LOOSE_BYTES", 1000)
    if not small:
        monkeypatch.setattr(upkeep, "ALL_BYTES", 2000)
    rows = os.urandom(100_000).hex()
    names = [f"pantry_pirate_radio_2026-12-0{day}_02-00-00.sql" for day in range(1, 4)]
    for name in names:
        push(ours, publish_dump(ours, name, f"{rows} {name}\n"))
        publisher.git("pull", "-q")
        publisher.commit("Data update", {f"daily/{name}.json": f"{name}\n"})
        publisher.git("push", "-q", "origin", "main")
        _take_over(ours)
    before, lost = repo_size(ours), _missing(ours)
    after = keep_small(ours)
    assert (after.remark, after.packed_seconds > 0) == ("", True)
    assert after.size.loose == 0
    assert after.size.total < before.total
    assert (after.size.packs < before.packs) == small
    assert _missing(ours) == lost
    for name in names:
        file = read_file(ours, "main", f"sql_dumps/{name}")
        assert file is not None
        assert file.data.decode() == f"{rows} {name}\n"
    assert Somebody(ours.path).status() == ""


def test_many_packs_of_a_partial_clone_are_joined(
    ours: DataRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MANY_PACKS", 3)
    for sha in _missing(ours)[:3]:
        bring(ours, sha)
    before, lost = repo_size(ours), _missing(ours)
    assert before.packs > 3
    assert keep_small(ours).size.packs <= 2
    assert _missing(ours) == lost
    assert keep_small(ours).packed_seconds == 0


def test_what_gits_own_upkeep_took_away_is_said_with_the_way_to_get_it_back(
    ours: DataRepo, publisher: Somebody
) -> None:
    owner = Somebody(ours.path)
    push(ours, publish_dump(ours, THIRD, "third\n"))
    folder = owner.git("rev-parse", "HEAD:sql_dumps")
    shutil.rmtree(ours.git_dir / "objects" / folder[:2])
    with pytest.raises(GitCommandFailed) as caught:
        ours.git("rev-list", "--objects", "-1", "HEAD")
    command = caught.value.hint.split("`")[1].removeprefix(f"git -C {ours.path} ")
    owner.git(*command.split())
    assert ours.git("ls-tree", "-r", "HEAD")
