"""What is said of a data repository that cannot be used, word by word: what is wrong in it, and
the way out. ``{clone}`` and ``{remote}`` stand for the two folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from ppr_assets.data_repo.checkout.journal import read_journal
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.plain_files import require_plain_files, require_same_bytes
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.clone.first_clone import make_clone
from ppr_assets.data_repo.git.command import Output
from ppr_assets.data_repo.git.errors import failure
from ppr_assets.data_repo.git.object_reader import SMALL_BYTES
from ppr_assets.data_repo.git.objects import NewFile, write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import FILE, TreeEntry, commit_named, read_file
from ppr_assets.data_repo.history.commits import folder_history
from ppr_assets.data_repo.history.dump_folder import DumpFolder, dump_folder
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.history.merge_dumps import merge_dumps
from ppr_assets.data_repo.remote.errors import push_failure
from ppr_assets.data_repo.remote.push import push
from ppr_assets.data_repo.remote.remote import fetch, remember_delivered, require_not_rewritten
from ppr_assets.errors import PprError
from ppr_assets.failures import file_failure
from ppr_assets.operations.audit.marks import mark_of
from ppr_assets.operations.publishing.dump_commit import commit_of_dump
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_git import Somebody, described, publish_dump

DUMP = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
pytestmark = pytest.mark.usefixtures("nobody_else")


@dataclass(frozen=True)
class World:
    repo: DataRepo
    owner: Somebody
    publisher: Somebody

    def again(self, **settings: object) -> None:
        """What the next run does first."""
        wanted = replace(self.repo.settings, **settings)  # type: ignore[arg-type]
        with open_data_repo(wanted):
            pass


@pytest.fixture
def world(data_repo: DataRepo, owner: Somebody, publisher: Somebody) -> World:
    return World(data_repo, owner, publisher)


def _a_file(world: World) -> None:
    world.again(path=world.owner.write("a_file", ""))


def _nothing_there(world: World) -> None:
    world.again(path=world.owner.path.parent / "gone", url=None)


def _not_a_clone(world: World) -> None:
    world.again(path=world.owner.write("folder/file", "").parent.parent.parent, url=None)


def _another_remote(world: World) -> None:
    world.again(url="https://example.com/data.git")


def _no_such_branch(world: World) -> None:
    world.again(branch="dumps")


def _no_such_remote(world: World) -> None:
    world.owner.path.with_name("remote.git").rename(world.owner.path.with_name("moved"))
    fetch(world.repo)


def _no_such_commit(world: World) -> None:
    commit_named(world.repo, "yesterday")


def _shallow(world: World) -> None:
    world.owner.commit("Two", {"two": ""})
    world.owner.git("push", "-q", "origin", "main")
    shallow = world.owner.path.parent / "shallow"
    world.owner.git("clone", "-q", "--depth=1", f"file://{world.owner.path}", str(shallow))
    with open_data_repo(replace(world.repo.settings, path=shallow, url=None)) as repo:
        folder_history(repo, "HEAD")


def _rewritten(world: World) -> None:
    ours = world.owner.commit("Ours", {"ours": ""})
    remember_delivered(world.repo, ours)
    require_not_rewritten(world.repo, ours, world.publisher.git("rev-parse", "main"))


def _filtered(world: World) -> None:
    world.owner.write(".git/info/attributes", "*.sql filter=lfs\n")
    require_plain_files(world.repo)


def _converted(world: World) -> None:
    world.owner.write(".git/info/attributes", "*.sql text eol=crlf\n")
    require_same_bytes(world.repo)


def _file_for_a_folder(world: World) -> None:
    start = world.owner.commit("A file", {"sql_dumps": ""})
    write_commit(
        world.repo,
        write_changed_tree(world.repo, start, {"sql_dumps/a.sql": NewFile(FILE, b"")}),
        parents=[start],
        message="no",
        author=identity(world.repo),
    )


def _rebased(world: World) -> None:
    world.owner.write(".git/rebase-merge/head-name", "refs/heads/main\n")
    publish_dump(world.repo, DUMP)


def _linked_elsewhere(world: World) -> None:
    (world.owner.path / "sql_dumps").mkdir()
    (world.owner.path / "sql_dumps" / "latest.sql").symlink_to("../README.md")
    world.owner.git("add", "-A")
    world.owner.git("commit", "-qm", "Link")
    dump_folder(world.repo, "HEAD").linked("latest.sql")


def _half_a_journal(world: World) -> None:
    world.owner.write(".git/ppr_assets/moving.json", "{")
    read_journal(world.repo)


def _nothing_to_lock(world: World) -> None:
    (world.repo.state_dir / "lock").mkdir(parents=True)
    with data_repo_lock(world.repo):
        pass


def _a_link_to_itself(world: World) -> None:
    loop = world.owner.path.parent / "loop"
    loop.symlink_to(loop)
    world.again(path=loop)


def _below_a_file(world: World) -> None:
    path = world.owner.write("a_file", "") / "clone"
    make_clone(replace(world.repo.settings, path=path, url="https://example.com/data.git"))


def _configuration_that_is_none(world: World) -> None:
    config = world.repo.git_dir / "config"
    before = config.read_bytes()
    config.write_text("[core\n")
    try:
        open_data_repo(world.repo.settings)
    finally:
        config.write_bytes(before)  # the test asks git for the other words


def _lost(world: World) -> None:
    world.repo.objects.read("1" * 40)


def _large(world: World) -> str:
    file = world.owner.write("sql_dumps/.record_count_ratchet", "")
    os.truncate(file, SMALL_BYTES + 1)
    world.owner.git("add", "-A")
    world.owner.git("-c", "core.compression=1", "commit", "-qm", "Large")
    return world.owner.git("rev-parse", "HEAD:sql_dumps/.record_count_ratchet")


def _large_object(world: World) -> None:
    world.repo.objects.read(_large(world))


def _large_file(world: World) -> None:
    _large(world)
    head = world.owner.git("rev-parse", "HEAD")
    read_file(world.repo, head, "sql_dumps/.record_count_ratchet")


def _link_for_a_mark(world: World) -> None:
    (world.owner.path / "sql_dumps").mkdir(exist_ok=True)
    (world.owner.path / "sql_dumps" / ".record_count_ratchet").symlink_to("../README.md")
    world.owner.git("add", "-A")
    world.owner.git("commit", "-qm", "Link")


def _linked_mark(world: World) -> None:
    _link_for_a_mark(world)
    _ = dump_folder(world.repo, world.owner.git("rev-parse", "HEAD")).mark


def _linked_mark_in_a_merge(world: World) -> None:
    theirs = world.owner.commit("A mark", {"sql_dumps/.record_count_ratchet": "{}"})
    world.owner.git("reset", "-q", "--hard", "HEAD~1")
    _link_for_a_mark(world)
    ours = world.owner.git("rev-parse", "HEAD")
    merge_dumps(world.repo, None, ours, theirs)


def _stopped_by_a_hook(world: World) -> None:
    hook = world.owner.write(".git/hooks/pre-push", "#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    push(world.repo, world.owner.commit("Ours", {"ours": ""}))


def _cut_off(world: World) -> None:
    """Where git says so by the exit code of a push that was refused."""
    stderr = "send-pack: unexpected disconnect while reading sideband packet\nfatal: hung up\n"
    failure = push_failure("origin", "refs/heads/main", Output(b"", stderr, 1))
    assert isinstance(failure, PprError)
    raise failure


def _lost_to_git(world: World) -> None:
    raise failure(("log", "-1"), 128, f"fatal: unable to read tree ({'1' * 40})")


def _never_committed(world: World) -> None:
    head = world.owner.git("rev-parse", "HEAD")
    commit_of_dump(world.repo, head, described(DUMP, "00" * 32, {}))


def _folder_for_a_dump(world: World) -> None:
    head = world.owner.commit("A folder", {f"sql_dumps/{DUMP}/file": ""})
    settings = replace(world.repo.settings, url=None)
    with found_dump(settings, Wanted(DUMP, at=head, offline=True)):
        pass


def _folder_for_an_audited_mark(world: World) -> None:
    head = world.owner.commit("A folder", {"sql_dumps/.record_count_ratchet/file": ""})
    mark_of(dump_folder(world.repo, head))


def _lost_audited_mark(world: World) -> None:
    gone = {".record_count_ratchet": TreeEntry(FILE, "blob", "1" * 40)}
    mark_of(DumpFolder(world.repo, "HEAD", gone))


def _unreadable_file(world: World) -> None:
    file = world.owner.path / "sql_dumps" / "latest.sql"
    settings = Settings.from_environment({"DATA_REPO_PATH": str(world.repo.path)})
    raise file_failure(OSError(errno.EACCES, "Permission denied", str(file)), settings)


LOOK_AT_THE_HISTORY = (
    "look at the file's history; to set the mark on purpose, `ppr-assets ratchet reset --to N "
    '--reason "…"`.'
)
BRING_BACK = (
    "in the clone, `git -c fetch.unpackLimit=1 fetch --refetch origin` brings back what the remote "
    "has. Should that not be enough, move the clone away and run again with DATA_REPO_URL set, "
    "which makes a new one."
)
NOT_OURS = "we write nothing that large there: look at the history of the dump folder (`git log`)."
NEED_A_LINE = (
    "put the line `* -text -filter -ident !working-tree-encoding -export-subst` last in "
    "`sql_dumps/.gitattributes` (a regular file, git follows no link there) and commit that, or "
    "take out what stands below it; what is in `{clone}/.git/info/attributes` wins over both."
)


@pytest.mark.parametrize(
    ("happened", "message", "hint"),
    [
        (
            _a_file,
            "`{clone}/a_file` is a file, and DATA_REPO_PATH must be a folder",
            "name the root of the clone.",
        ),
        (
            _nothing_there,
            "no data repository at `{above}/gone`, and no DATA_REPO_URL to clone it from",
            "set DATA_REPO_URL, or DATA_REPO_PATH to a clone that is there; `ppr-assets open URL` "
            "needs neither.",
        ),
        (
            _not_a_clone,
            "`{above}` is not a git repository",
            "DATA_REPO_PATH is the root of a clone, a bare repository, or a folder that is missing "
            "or empty and becomes a clone of DATA_REPO_URL.",
        ),
        (
            _another_remote,
            "remote `origin` of `{clone}` is {remote}, DATA_REPO_URL is "
            "https://example.com/data.git",
            "unset DATA_REPO_URL to use the clone's own remote, or correct one of them.",
        ),
        (
            _no_such_branch,
            "the data repository has no branch `dumps`, it has `main`",
            "set DATA_REPO_BRANCH to the branch that is published, or create it.",
        ),
        (
            _no_such_remote,
            "no use of remote `origin`: fatal: '{remote}' does not appear to be a git repository / "
            "fatal: Could not read from remote repository.",
            "is DATA_REPO_URL right, and may this account see the repository? `git remote -v` in "
            "the clone shows where git goes, after url.<base>.insteadOf and remote.origin.pushurl.",
        ),
        (
            _no_such_commit,
            "there is no commit `yesterday` in `{clone}`",
            "`git fetch` brings newer ones; a shallow clone lacks the older ones.",
        ),
        (
            _shallow,
            "`{above}/shallow` is a shallow clone, the whole history is needed",
            "`git fetch --unshallow` brings it.",
        ),
        (
            _rewritten,
            "the remote's branch `main` was rewritten: it no longer holds {head}, which was "
            "delivered, and pushing would bring that back",
            "if that was on purpose, follow it: `git fetch origin && git reset --keep origin/main` "
            "in `{clone}`. If not, push by hand once.",
        ),
        (
            _filtered,
            "dumps in `sql_dumps` would pass through git's filter `lfs`, they must be plain files",
            NEED_A_LINE,
        ),
        (
            _converted,
            "git's attributes for dumps in `sql_dumps` are `text=set`, so a checkout may have "
            "other bytes than were committed",
            NEED_A_LINE,
        ),
        (
            _file_for_a_folder,
            "`sql_dumps` is a file in the data repository, it must be a folder",
            "set SQL_DUMP_DIR to another folder, or remove that file.",
        ),
        (
            _rebased,
            "branch `main` is being rebased in `{clone}`",
            "finish it (`git rebase --continue`) or give it up (`git rebase --abort`).",
        ),
        (
            _linked_elsewhere,
            "`sql_dumps/latest.sql` in HEAD leads to `../README.md`, which is not a dump beside it",
            "point it to a dump in its folder (`ln -sf`) and commit that.",
        ),
        (
            _half_a_journal,
            "`{clone}/.git/ppr_assets/moving.json` does not tell which move of the branch is to be "
            "finished",
            "it is written whole or not at all, so the disk or somebody else changed it. Look at "
            "`git status` in the clone, put right what it shows, then remove the file.",
        ),
        (
            _nothing_to_lock,
            "cannot write in the data repository: `{clone}/.git/ppr_assets/lock`: Is a directory",
            "does the clone belong to the user who runs this, and is its disk writable?",
        ),
        (
            _a_link_to_itself,
            "cannot look into `{above}/loop`: Too many levels of symbolic links",
            "let the user that runs this read it, or set DATA_REPO_PATH to another folder.",
        ),
        (
            _below_a_file,
            "cannot make a clone in `{clone}/a_file/clone`: Not a directory",
            "let the user that runs this write there, make room where the disk is full, or set "
            "DATA_REPO_PATH to another folder.",
        ),
        (
            _configuration_that_is_none,
            "`git rev-parse` ended with exit code 128: fatal: bad config line 1 in file "
            ".git/config",
            "fix the clone's `.git/config`: `git config --list` names the line. If it is damaged, "
            "move it away and run again with DATA_REPO_URL set, which makes a new one.",
        ),
        (
            _lost,
            f"`{'1' * 40}` is not in `{{clone}}`",
            BRING_BACK,
        ),
        (
            _lost_to_git,
            f"the clone has lost object {'1' * 40}: `git log` says fatal: unable to read tree "
            f"({'1' * 40})",
            BRING_BACK,
        ),
        (
            _never_committed,
            f"no commit up to {{head}} holds {DUMP}",
            "a shallow clone knows only its last commits: `git fetch --unshallow`.",
        ),
        (
            _folder_for_a_dump,
            f"`{DUMP}` is not a file in commit {{head}}",
            "`ppr-assets list` names the dumps that are; take another one.",
        ),
        (_folder_for_an_audited_mark, "the ratchet file is not a regular file", ""),
        (_lost_audited_mark, "the ratchet file is lost, nobody can tell the mark", ""),
        (
            _unreadable_file,
            "the data repository cannot be used: `{clone}/sql_dumps/latest.sql`: Permission denied",
            "let the user that runs this read and write there, or name another place.",
        ),
        (
            _large_object,
            "`{mark}` has 16777217 bytes, at most 16777216 are read",
            NOT_OURS,
        ),
        (
            _large_file,
            "`sql_dumps/.record_count_ratchet` has 16777217 bytes in {head}, at most 16777216 are "
            "read",
            NOT_OURS,
        ),
        (
            _linked_mark,
            "`sql_dumps/.record_count_ratchet` is not a regular file in {head}",
            LOOK_AT_THE_HISTORY,
        ),
        (
            _linked_mark_in_a_merge,
            "`sql_dumps/.record_count_ratchet` is not a regular file in {head}",
            "commit a file in its place: a merge takes no symlink or folder for one.",
        ),
        (
            _stopped_by_a_hook,
            "nothing was pushed to remote `origin`: not today / error: failed to push some refs to "
            "'{remote}'",
            "was it a pre-push hook, of the clone or of core.hooksPath? The commit is kept in the "
            "clone; the next run that is not refused offers it again.",
        ),
        (
            _cut_off,
            "remote `origin` ended in the middle of the push, and may have taken it or not: "
            "fatal: hung up",
            "the commit is kept in the clone; the next run finds out.",
        ),
    ],
)
def test_what_is_wrong_and_the_way_out(
    world: World, happened: Callable[[World], None], message: str, hint: str
) -> None:
    with pytest.raises(PprError) as told:
        happened(world)
    assert told.value.exit_code in {3, 4, 6}
    places = {
        "{clone}": str(world.owner.path),
        "{remote}": str(world.owner.path.with_name("remote.git")),
        "{above}": str(world.owner.path.parent),
        "{head}": world.owner.git("rev-parse", "--short=10", "HEAD"),
        "{mark}": world.owner.git("rev-parse", "HEAD:sql_dumps/.record_count_ratchet", check=False),
    }
    wanted = f"{message}\nHINT: {hint}" if hint else message
    for name, value in places.items():
        wanted = wanted.replace(name, value)
    assert told.value.render() == wanted
