"""An honest history holds; whatever is changed in it afterwards is found, and named."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppr_assets.cli.dumps.audit import AuditReport
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.object_reader import ObjectReader
from ppr_assets.data_repo.history.dump_folder import StoredDump
from ppr_assets.data_repo.remote.errors import RemoteUnreachable
from ppr_assets.errors import DataRepoError, DumpMissing
from ppr_assets.operations.audit import Audited, Scope, audit, dump_reader
from ppr_assets.operations.audit.dump_reader import DumpReader
from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets.rules.naming import dump_name, manifest_name
from ppr_assets.settings import DataRepoSettings, Settings
from ppr_assets_tests.fix_git import PUBLICATION, commit_files, git, own_children
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline, wait_for_a_later_name
from ppr_assets_tests.fix_postgres import Databases

EVERYTHING = Scope(every=True)
FEW = dump_reader.WORTH_A_HELPER
OLD = "pantry_pirate_radio_2025-01-01_02-00-00.sql"
"""A dump as upstream's own scripts published it: no manifest, no trailers."""


@pytest.fixture(scope="module")
def honest(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A history with everything that may happen to one; no test may change it."""
    folder = tmp_path_factory.mktemp("honest")
    database = databases.create(databases.template(200, 1))
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_NAME": "Somebody Else" for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": "else@example.com" for role in ("AUTHOR", "COMMITTER")},
        }.items():
            monkeypatch.setenv(name, value)
        remote, clone = folder / "remote.git", folder / "data-repo"
        git(folder, "init", "-q", "--bare", "-b", "main", str(remote))
        git(folder, "clone", "-q", str(remote), str(clone))
        git(clone, "checkout", "-q", "-B", "main")
        commit_files(clone, PUBLICATION, {"README.md": "# data\n"})
        (clone / "sql_dumps").mkdir()
        (clone / "sql_dumps" / "latest.sql").symlink_to(OLD)
        mark = '{"max_record_count": 190, "updated_by": "create-sql-dump.sh"}\n'
        commit_files(clone, "Add SQL dump", {f"sql_dumps/{OLD}": "-- whatever\n", RATCHET: mark})
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "--amend", "--no-edit")
        git(clone, "push", "-q", "origin", "main")
        variables = {
            "POSTGRES_HOST": database.host,
            "POSTGRES_PORT": str(database.port),
            "POSTGRES_USER": database.user,
            "POSTGRES_DB": database.dbname,
            "POSTGRES_PASSWORD": "",
            "DATA_REPO_PATH": str(clone),
            "DATA_REPO_URL": str(remote),
            "PUBLISHER_PUSH_ENABLED": "true",
            "SQL_DUMP_PROOF": "off",
        }
        settings = Settings.from_environment(variables, dotenv=None)
        pipeline = Pipeline(settings, clone, remote, variables)
        _live(pipeline)
        yield pipeline
    databases.drop(database)


def _live(pipeline: Pipeline) -> None:
    pipeline.night()
    pipeline.change()
    pipeline.night()
    pipeline.lose_a_third()
    pipeline.night(override_reason="county closed, ticket 214")
    reset(pipeline.settings.signed_by("Ann Lee"), to=134, reason="the county is gone")
    # Two machines publish, one of them offline; the second merges what the first has pushed.
    other = pipeline.elsewhere(pipeline.clone_again("other"))
    pipeline.change()
    pipeline.repo(push_enabled=False)
    pipeline.night()
    pipeline.repo(push_enabled=True)
    pipeline.change()
    wait_for_a_later_name(pipeline.latest())
    other.night()
    pipeline.change()
    pipeline.night()
    # The scrapers' publisher works on a branch and merges it.
    clone = pipeline.clone
    git(clone, "checkout", "-q", "-b", "data-update")
    commit_files(clone, "Data update", {"STATS.md": "1\n"})
    git(clone, "checkout", "-q", "main")
    commit_files(clone, "Auto-commit content store updates", {"content_store": "1\n"})
    git(clone, "merge", "-q", "--no-edit", "data-update")
    # The oldest dump goes, by a policy that says so.
    name = _dumps(clone)[1]
    git(clone, "rm", "-q", f"sql_dumps/{name}", f"sql_dumps/{manifest_name(name)}")
    git(clone, "commit", "-q", "-m", f"Retire a dump\n\nRetired: {name}")


def _dumps(clone: Path, revision: str = "HEAD") -> list[str]:
    listed = git(clone, "ls-tree", "--name-only", f"{revision}:sql_dumps").splitlines()
    return sorted(name for name in listed if re.fullmatch(r"pantry.*\.sql", name))


@dataclass(frozen=True)
class Copy:
    """A clone of the honest history, in which a test may do what it likes."""

    path: Path
    settings: DataRepoSettings

    def audit(self, scope: Scope = EVERYTHING) -> list[Audited]:
        return list(audit(self.settings, scope))

    def findings(self, scope: Scope = EVERYTHING) -> list[tuple[str, str]]:
        """Subject of the commit, and what is wrong with it."""
        return [
            (one.commit.subject, finding) for one in self.audit(scope) for finding in one.findings
        ]

    def rewrite(self, path: str, old: str, new: str) -> None:
        """Change a text in a committed file."""
        file = self.path / path
        text = file.read_text()
        assert old in text
        commit_files(self.path, "Tamper", {path: text.replace(old, new, 1)})

    def amend(self, path: str | None = None, old: str = "", new: str = "") -> None:
        """Change the newest commit itself: a file of it, or its message."""
        if path is not None:
            file = self.path / path
            text = file.read_text()
            assert old in text
            file.write_text(text.replace(old, new, 1))
            git(self.path, "commit", "-q", "--amend", "--no-edit", "--", path)
        else:
            message = git(self.path, "log", "-1", "--format=%B")
            assert re.search(old, message)
            git(self.path, "commit", "-q", "--amend", "-m", re.sub(old, new, message, count=1))

    def newest(self) -> str:
        """Go back to the commit of the newest dump, so that it can be amended; the dump's name."""
        name = _dumps(self.path)[-1]
        git(self.path, "reset", "-q", "--hard", self.bringer(name))
        return name

    def bringer(self, name: str) -> str:
        found = git(
            self.path, "log", "-1", "--diff-filter=A", "--format=%H", "--", f"sql_dumps/{name}"
        )
        assert found
        return found


@pytest.fixture
def copy(honest: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """Its few small dumps are read in this process, in a tenth of the time that others take to
    start; what is about those asks for ``readers``."""
    monkeypatch.setattr(dump_reader, "WORTH_A_HELPER", sys.maxsize)
    path = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(honest.clone), str(path))
    return Copy(path, replace(honest.settings.data_repo, path=path, url=None))


@pytest.fixture
def readers(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that read dumps, on a machine with one processor too."""
    monkeypatch.setattr(dump_reader, "WORTH_A_HELPER", FEW)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_an_honest_history_holds_and_tells_what_was_decided(copy: Copy, readers: None) -> None:
    found = copy.audit()
    assert [finding for one in found for finding in one.findings] == []
    dumps = [one for one in found if one.dump]
    assert len(dumps) == 7
    assert [one.status for one in dumps].count("unverifiable") == 1
    assert dumps[0].dump == OLD
    overridden = [one for one in dumps if one.manifest and one.manifest.override]
    assert len(overridden) == 1
    assert "overridden (Ann Lee, Launchpad): county closed, ticket 214" in overridden[0].notes
    assert [one.reset for one in found if one.reset] == ["the county is gone"]
    assert [one.mark for one in found if one.reset] == [134]
    assert [one.to_json()["reset_by"] for one in found if one.reset] == ["Ann Lee"]
    report = AuditReport()
    lines = [line for one in found for line in report.lines(one)]
    assert "            reset by Ann Lee: the county is gone" in lines
    assert {one.signature.state for one in found} == {"unsigned"}
    assert all("published without a restore" in one.notes for one in dumps if one.manifest)


def test_without_a_scope_it_is_the_latest_dump_and_what_came_after(copy: Copy) -> None:
    newest = _dumps(copy.path)[-1]
    assert [one.dump for one in copy.audit(Scope())] == [newest]
    before = f"{copy.bringer(newest)}^1"
    assert newest not in [one.dump for one in copy.audit(Scope(commit=before))]
    copy.rewrite(f"sql_dumps/{_dumps(copy.path)[2]}", "\t", " \t")
    assert [one.status for one in copy.audit(Scope())] == ["holds", "broken"]


def test_since_takes_what_was_committed_from_then_on(copy: Copy) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert copy.audit(Scope(since=tomorrow)) == []
    everything = [one.commit.sha for one in copy.audit()]
    assert [one.commit.sha for one in copy.audit(Scope(since=tomorrow - timedelta(2)))] == (
        everything
    )


@pytest.mark.parametrize("which", ["dump", "manifest"])
def test_a_published_file_that_is_changed_later_is_found(copy: Copy, which: str) -> None:
    name = _dumps(copy.path)[2]
    if which == "dump":
        copy.rewrite(f"sql_dumps/{name}", "\t", " \t")
        needed = f"it changed {name} after it was published"
    else:
        copy.rewrite(f"sql_dumps/{manifest_name(name)}", '"rows": ', '"rows": 1')
        needed = f"it changed the manifest of {name} after it was published"
    assert copy.findings() == [("Tamper", needed)]


def test_a_byte_that_was_changed_before_the_commit_is_found(copy: Copy, readers: None) -> None:
    name = copy.newest()
    copy.amend(f"sql_dumps/{name}", "\t\\N\t", " \t\\N\t")
    (first, second) = [finding for _, finding in copy.findings()]
    assert first.startswith(f"`{name}` is not what its manifest says: it has ")
    assert "rows of accessibility at bytes " in first
    assert second == f".delta_base/dump.sql is another file than {name}"


def test_a_manifest_with_another_row_count_is_found(copy: Copy) -> None:
    name = copy.newest()
    path = f"sql_dumps/{manifest_name(name)}"
    rows = json.loads((copy.path / path).read_text())["tables"]["organization"]["rows"]
    copy.amend(path, f'"rows": {rows},', f'"rows": {rows + 1},')
    findings = [finding for _, finding in copy.findings()]
    assert any("is not what its manifest says" in finding for finding in findings)
    assert any(finding.startswith("trailer Records says ") for finding in findings)


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (r"organization=\d+", "organization=9999", "trailer Records says organization=9999, "),
        (r"Sha256: .", "Sha256: x", "trailer Sha256 says `x"),
        (r"Mark: \d+", "Mark: 1", "trailer Mark says `1`, the manifest `134`"),
        (r"Run: test-run", "Run: another", "trailer Run says `another`, the manifest `test-run`"),
        (r"Proof: off", "Proof: server", "trailer Proof says `server`, the manifest `off`"),
        (r"Proof: off", "Override: x: y", "trailer Override says `x: y`, the manifest nothing"),
        (r"(?s)\n\nDump: .*", "", "its commit's message has no trailers that tell of it"),
    ],
)
def test_a_trailer_that_says_otherwise_is_found(
    copy: Copy, old: str, new: str, finding: str
) -> None:
    copy.newest()
    copy.amend(None, old, new)
    assert any(found.startswith(finding) for _, found in copy.findings())


def test_a_mark_that_was_lowered_without_a_reset_is_found(copy: Copy) -> None:
    copy.rewrite(RATCHET, '"max_record_count": 134', '"max_record_count": 100')
    lowered = "the mark was lowered without a recorded reset: organization 100, 134 before"
    assert copy.findings() == [("Tamper", lowered)]


def test_a_mark_that_was_lowered_in_the_commit_of_a_dump_is_found(copy: Copy) -> None:
    copy.newest()
    copy.amend(RATCHET, '"max_record_count": 134', '"max_record_count": 100')
    findings = [finding for _, finding in copy.findings()]
    assert "the mark after it is wrong: organization 100, 134 needed" in findings
    assert "trailer Mark says `134`, the manifest `100`" in findings


def test_a_mark_lowered_by_a_merge_that_nobody_recorded_is_found(copy: Copy) -> None:
    git(copy.path, "checkout", "-q", "-b", "side", "HEAD~3")
    commit_files(copy.path, "Something", {"STATS.md": "2\n"})
    git(copy.path, "checkout", "-q", "main")
    git(copy.path, "merge", "-q", "--no-commit", "-s", "ours", "side")
    text = (copy.path / RATCHET).read_text().replace("134", "99", 1)
    (copy.path / RATCHET).write_text(text)
    git(copy.path, "commit", "-q", "-a", "-m", "Merge side")
    ((subject, finding),) = copy.findings()
    assert subject == "Merge side"
    assert finding.startswith("the mark was lowered without a recorded reset: organization 99, ")


def test_a_merge_may_carry_what_one_side_has_recorded(copy: Copy) -> None:
    """A branch from before the reset and the retirement, merged after them."""
    reset_commit = next(one.commit.sha for one in copy.audit() if one.reset)
    git(copy.path, "checkout", "-q", "-b", "side", f"{reset_commit}^")
    commit_files(copy.path, "Something", {"STATS2.md": "2\n"})
    git(copy.path, "checkout", "-q", "main")
    git(copy.path, "merge", "-q", "--no-edit", "side")
    assert len(git(copy.path, "log", "-1", "--format=%P").split()) == 2
    assert copy.findings() == []


def test_a_ratchet_file_that_is_gone_or_nonsense_is_found(copy: Copy) -> None:
    copy.rewrite(RATCHET, '"max_record_count"', '"max"')
    commit_files(copy.path, "Remove it", {RATCHET: None})
    assert copy.findings() == [
        ("Tamper", "the ratchet file has no max_record_count"),
        ("Remove it", "it removed the ratchet file"),
    ]


def test_latest_that_leads_to_an_older_dump_is_found(copy: Copy) -> None:
    older, newest = _dumps(copy.path)[-2:]
    latest = copy.path / "sql_dumps" / "latest.sql"
    latest.unlink()
    latest.symlink_to(older)
    git(copy.path, "commit", "-q", "-a", "-m", "Go back")
    found = ("Go back", f"latest.sql leads to {older}, and {newest} is newer")
    assert copy.findings() == [found]
    assert copy.findings(Scope()) == [found]


def test_a_dump_that_was_removed_without_a_word_is_found(copy: Copy) -> None:
    name = _dumps(copy.path)[2]
    commit_files(copy.path, "Clean up", {f"sql_dumps/{name}": None})
    found = f"it removed {name} and does not say that it retires it"
    assert copy.findings() == [("Clean up", found)]


def test_a_dump_that_stays_although_it_is_said_to_retire_is_found(copy: Copy) -> None:
    name = _dumps(copy.path)[2]
    git(copy.path, "commit", "-q", "--amend", "-m", f"Retire two\n\nRetired: {name}")
    (said, removed) = [finding for _, finding in copy.findings()]
    assert said == f"it says that it retires {name}, which is still there"
    assert removed.endswith(".sql and does not say that it retires it")


def test_a_manifest_that_was_removed_is_found(copy: Copy) -> None:
    name = _dumps(copy.path)[2]
    commit_files(copy.path, "Clean up", {f"sql_dumps/{manifest_name(name)}": None})
    assert copy.findings() == [("Clean up", f"it removed the manifest of {name}, and not the dump")]


def test_a_dump_that_a_merge_dropped_is_found(copy: Copy) -> None:
    name = _dumps(copy.path)[2]
    git(copy.path, "checkout", "-q", "-b", "side", "HEAD~3")
    commit_files(copy.path, "Something", {"STATS.md": "2\n"})
    git(copy.path, "checkout", "-q", "main")
    git(copy.path, "merge", "-q", "--no-commit", "-s", "ours", "side")
    git(copy.path, "rm", "-q", f"sql_dumps/{name}", f"sql_dumps/{manifest_name(name)}")
    git(copy.path, "commit", "-q", "-m", "Merge side")
    found = f"it removed {name} and does not say that it retires it"
    assert copy.findings() == [("Merge side", found)]


def test_a_gate_that_should_have_refused_is_found(copy: Copy) -> None:
    name = next(one.dump for one in copy.audit() if one.manifest and one.manifest.override) or ""
    git(copy.path, "reset", "-q", "--hard", copy.bringer(name))
    path = f"sql_dumps/{manifest_name(name)}"
    manifest = json.loads((copy.path / path).read_text())
    manifest["override"] = None
    (copy.path / path).write_text(json.dumps(manifest))
    git(copy.path, "commit", "-q", "--amend", "--no-edit", "--", path)
    findings = [finding for _, finding in copy.findings()]
    assert any(
        finding.startswith("published although record-count ratchet refused the dump: ")
        for finding in findings
    )
    assert any(finding.startswith("trailer Override says `Launchpad: ") for finding in findings)


def test_a_dump_that_was_judged_against_another_mark_is_found(copy: Copy) -> None:
    name = copy.newest()
    path = f"sql_dumps/{manifest_name(name)}"
    copy.amend(path, '"mark": 134', '"mark": 20')
    (finding,) = [finding for _, finding in copy.findings()]
    assert finding == "it was judged against mark 20, the mark before it was 134"


def test_dumps_that_came_in_one_squashed_commit_are_held_to_their_manifests(copy: Copy) -> None:
    first = copy.audit()[0].commit.sha
    git(copy.path, "reset", "-q", "--soft", first)
    git(copy.path, "commit", "-q", "-m", "Squash it all")
    found = copy.audit()
    assert [one.commit.subject for one in found[1:]] == ["Squash it all"] * 5
    told = "it came with others or in a merge, so the message is not held against it"
    assert all(told in one.notes for one in found[1:])
    # The mark was lowered on the way, and this commit says neither that nor why.
    assert {finding[:43] for _, finding in copy.findings()} == {
        "the mark was lowered without a recorded res",
        "published although record-count ratchet ref",
    }


def test_a_gap_is_told_with_what_was_published_in_it(copy: Copy) -> None:
    """The first night of the history came long after the last one of upstream's own scripts."""
    gaps = [one.gap for one in copy.audit() if one.gap]
    assert len(gaps) == 1
    assert gaps[0].hours > 24 * 365
    assert gaps[0].publications >= 1
    assert all(one.gap is None for one in copy.audit(Scope(every=True, gap_hours=1e9)))


def test_the_same_bytes_are_read_once(copy: Copy) -> None:
    """A dump of the same data under a later name is the same object."""
    name = _dumps(copy.path)[-1]
    again = dump_name(datetime.now(UTC) + timedelta(days=1))
    text = (copy.path / "sql_dumps" / manifest_name(name)).read_text()
    (copy.path / "sql_dumps" / again).write_bytes((copy.path / "sql_dumps" / name).read_bytes())
    (copy.path / "sql_dumps" / manifest_name(again)).write_text(text.replace(name, again, 1))
    git(copy.path, "add", "-A")
    git(copy.path, "commit", "-q", "-m", "Once more")
    repo = open_data_repo(copy.settings)
    dumps = [
        StoredDump(git(copy.path, "rev-parse", f"HEAD:sql_dumps/{one}")) for one in (name, again)
    ]
    with (
        ObjectReader(repo.path, 60) as reader,
        DumpReader(repo, reader, dumps * 9) as found,
    ):
        assert found.read(dumps[0]) is found.read(dumps[1])
        assert not isinstance(found.read(dumps[0]), str)
    assert any("its commit's message has no trailers" in text for _, text in copy.findings())


def test_a_reader_that_dies_ends_the_audit_with_an_error(
    copy: Copy, readers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("true"))
    with pytest.raises(DataRepoError) as died:
        copy.audit()
    assert died.value.render() == (
        "a process that reads dumps has ended before its answer\nHINT: run again; if it ends "
        "again, the system's log says what ended it, as a lack of memory does."
    )


def test_an_audit_that_is_left_early_leaves_no_git_behind(copy: Copy, readers: None) -> None:
    going = audit(copy.settings, EVERYTHING)
    next(going)
    assert own_children() != []
    assert isinstance(going, Generator)
    going.close()
    assert own_children() == []


def test_a_shallow_clone_and_an_unknown_commit_are_refused(copy: Copy, tmp_path: Path) -> None:
    with pytest.raises(DataRepoError, match="there is no commit `nonsense` in "):
        copy.audit(Scope(commit="nonsense"))
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", copy.path.as_uri(), str(shallow))
    with pytest.raises(DataRepoError, match="is a shallow clone, the whole history is needed"):
        list(audit(replace(copy.settings, path=shallow), EVERYTHING))
    first = git(copy.path, "rev-list", "--max-parents=0", "HEAD")
    with pytest.raises(DumpMissing, match="no dump was published up to commit "):
        copy.audit(Scope(commit=first))


def test_a_partial_clone_fetches_what_it_lacks_or_says_that_it_cannot(
    copy: Copy, readers: None, tmp_path: Path
) -> None:
    git(copy.path, "config", "uploadpack.allowFilter", "true")
    clones = tmp_path / "partial", tmp_path / "partial and alone"
    for clone in clones:
        arguments = ("-q", "--filter=blob:none", "--no-checkout", copy.path.as_uri())
        git(tmp_path, "clone", *arguments, str(clone))
    found = list(audit(replace(copy.settings, path=clones[0]), EVERYTHING))
    assert [one.findings for one in found if one.manifest] == [()] * 6
    copy.path.rename(tmp_path / "away")
    assert list(audit(replace(copy.settings, path=clones[0]), EVERYTHING)) == found
    with pytest.raises(RemoteUnreachable, match="no use of remote `origin`"):
        list(audit(replace(copy.settings, path=clones[1]), EVERYTHING))


def test_an_object_that_is_replaced_in_the_clone_changes_nothing(copy: Copy, readers: None) -> None:
    """``git replace`` shows other bytes to everybody but an audit."""
    dump, manifest = (
        git(copy.path, "rev-parse", f"HEAD:sql_dumps/{name}")
        for name in (_dumps(copy.path)[-1], "latest.sql")
    )
    git(copy.path, "replace", dump, manifest)
    assert copy.findings() == []
