"""A dump in parts is one dump to an audit, and each part counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.audit import Audited, Scope, audit
from ppr_assets.operations.published.committed import committed_sha256, joined_dump
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline

MOST = 150_000
"""Bytes of a file; the sample's dump has four times as many."""


@pytest.fixture
def in_parts(pipeline: Pipeline) -> Pipeline:
    """Two nights in parts, packed."""
    pipeline.gate(max_file_bytes=MOST)
    pipeline.first_night()
    pipeline.change()
    pipeline.night()
    git(pipeline.clone, "repack", "-adq")
    return pipeline


def _audited(pipeline: Pipeline) -> list[Audited]:
    return list(audit(pipeline.settings.data_repo, Scope(every=True)))


def _findings(pipeline: Pipeline) -> list[str]:
    return [finding for one in _audited(pipeline) for finding in one.findings]


def _parts(pipeline: Pipeline) -> Path:
    folder = pipeline.dumps / pipeline.latest().replace(".sql", ".parts")
    assert len(list(folder.iterdir())) > 2
    return folder


def _amend(pipeline: Pipeline) -> None:
    git(pipeline.clone, "add", "-A", "sql_dumps")
    git(pipeline.clone, "commit", "-q", "--amend", "--no-edit")


@pytest.mark.parametrize("worth", [1, 99], ids=["in other processes", "here"])
def test_nights_in_parts_hold(
    in_parts: Pipeline, monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    monkeypatch.setattr("ppr_assets.operations.audit.dump_reader.WORTH_A_HELPER", worth)
    assert [(one.status, one.findings) for one in _audited(in_parts)] == [("holds", ())] * 2
    with open_data_repo(in_parts.settings.data_repo) as repo:
        stored = dump_folder(repo, tip(repo)).stored(in_parts.latest())
        with pytest.raises(DumpDamaged) as other:
            joined_dump(repo.objects, replace(stored, name="other.sql"))
    assert other.value.message == f"its script includes the parts of `{in_parts.latest()}`"


def test_a_byte_that_was_changed_in_a_part_before_the_commit_is_found(in_parts: Pipeline) -> None:
    part = _parts(in_parts) / "part_002.sql"
    part.write_bytes(part.read_bytes().replace(b"\t", b" ", 1))
    _amend(in_parts)
    (first, second) = _findings(in_parts)
    assert first.startswith(f"part_002.sql of `{in_parts.latest()}` has SHA-256 ")
    assert second == f".delta_base/dump.sql is another file than {in_parts.latest()}"


def test_a_part_that_was_changed_later_is_found(in_parts: Pipeline) -> None:
    (_parts(in_parts) / "part_002.sql").write_text("-- nothing\n")
    git(in_parts.clone, "commit", "-q", "-a", "-m", "Tamper")
    changed, *_ = _findings(in_parts)
    assert changed == f"it changed the parts of {in_parts.latest()} after it was published"


@pytest.mark.parametrize("how", ["missing", "foreign", "all gone", "none needed"])
def test_parts_that_do_not_belong_together_are_found(in_parts: Pipeline, how: str) -> None:
    folder, name = _parts(in_parts), in_parts.latest()
    if how == "missing":
        (folder / "part_002.sql").unlink()
        needed = f"part_002.sql of `{name}` is missing in {folder.name}"
    elif how == "foreign":
        (folder / "part_099.sql").write_text("SELECT 1;\n")
        needed = f"{folder.name} holds `part_099.sql`, which is not a part of `{name}`"
    elif how == "all gone":
        git(in_parts.clone, "rm", "-rq", f"sql_dumps/{folder.name}")
        needed = f"part_001.sql of `{name}` is missing in {folder.name}"
    else:
        (in_parts.dumps / name).write_text("-- nothing\n")
        needed = "it is one file, and there is a folder of parts beside it"
    _amend(in_parts)
    assert any(finding.startswith(needed) for finding in _findings(in_parts))


def test_a_link_of_the_very_bytes_is_not_a_part(in_parts: Pipeline) -> None:
    folder, name = _parts(in_parts), in_parts.latest()
    part = f"sql_dumps/{folder.name}/part_002.sql"
    blob = git(in_parts.clone, "rev-parse", f"HEAD:{part}").strip()
    git(in_parts.clone, "update-index", "--cacheinfo", f"120000,{blob},{part}")
    git(in_parts.clone, "commit", "-q", "--amend", "--no-edit")
    needed = f"part_002.sql of `{name}` is missing in {folder.name}"
    assert any(finding.startswith(needed) for finding in _findings(in_parts))
    with open_data_repo(in_parts.settings.data_repo) as repo:
        assert committed_sha256(dump_folder(repo, tip(repo)), name) is None
