"""A data repository with published dumps, made without a database, and places for copies."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.operations.copying.copy import copy_published
from ppr_assets.operations.copying.outcome import CopyOutcome, PlaceOutcome
from ppr_assets.rules.naming import dump_moment
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import DatabaseIdentity, Proof, TableRecord
from ppr_assets.settings import Settings
from ppr_assets_tests.fix_git import GitWorld, commit_dump, set_git_environment, stage_dump

ROWS = "--\n-- PostgreSQL database dump\n--\n\n-- {}\n"


def dump_of(day: int, month: int = 11) -> str:
    return f"pantry_pirate_radio_2026-{month:02}-{day:02}_02-00-00.sql"


def manifest_of(name: str, text: str, **changes: object) -> Manifest:
    moment = dump_moment(name)
    assert moment is not None
    manifest = Manifest(
        dump=name,
        bytes=len(text.encode()),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        tables={"organization": TableRecord(2500, "0" * 64)},
        snapshot_at=moment,
        database=DatabaseIdentity("7", "hsds", "18.0"),
        tools={},
        verdict={},
        proof=Proof("server", datetime(2026, 11, 1, tzinfo=UTC), "18.0", 1.0),
    )
    return replace(manifest, **changes)


@dataclass
class CopyWorld:
    """``settings`` name the places; :meth:`publish` is a night, :meth:`copy` what follows it."""

    settings: Settings
    folder: Path
    texts: dict[str, str] = field(default_factory=dict)

    def publish(self, name: str, text: str = "", mark: int = 2500, **manifest: object) -> str:
        """Commit a dump as publishing does; its commit."""
        text = self.texts[name] = ROWS.format(text or name)
        with open_data_repo(self.settings.data_repo) as repo, data_repo_lock(repo):
            dump = stage_dump(repo, name, text)
            dump.manifest_path.write_text(manifest_of(name, text, **manifest).to_json())
            return self.land(repo, commit_dump(repo, tip(repo), dump, mark))

    def land(self, repo: DataRepo, commit: str) -> str:
        advance_branch(repo, tip(repo), commit)
        return commit

    def name(self, *places: str, **variables: str) -> None:
        """Have the settings name these places, and set other variables."""
        given = {"PPR_COPY_URLS": " ".join(places or [str(self.folder)]), **variables}
        path, url = self.settings.data_repo.path, self.settings.data_repo.url
        self.settings = Settings.from_environment(
            {"DATA_REPO_PATH": str(path), "DATA_REPO_URL": url or "", **given}, dotenv=None
        )

    def copy(self) -> CopyOutcome:
        with open_data_repo(self.settings.data_repo) as repo:
            return copy_published(self.settings, repo)

    def copied(self) -> PlaceOutcome:
        """The same where there is one place."""
        (outcome,) = self.copy().places
        return outcome

    def there(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def taken_along(self, target: Path) -> CopyWorld:
        """The same with repositories and copies of its own below ``target``."""
        theirs = GitWorld(self.folder.parent)
        for name in ("remote.git", "data-repo"):
            theirs.copy(name, target / name)
        shutil.copytree(self.folder, target / "copies")
        world = CopyWorld(_settings(target), target / "copies", dict(self.texts))
        world.name()
        return world


@pytest.fixture(scope="session")
def published_twice(tmp_path_factory: pytest.TempPathFactory, git_world: GitWorld) -> CopyWorld:
    """What each ``copy_world`` begins with."""
    folder = tmp_path_factory.mktemp("published-twice")
    (folder / "copies").mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_git_environment(monkeypatch)
        for name in ("remote.git", "data-repo"):
            git_world.copy(name, folder / name)
        world = CopyWorld(_settings(folder), folder / "copies")
        for day in (1, 2):
            world.publish(dump_of(day))
    return world


@pytest.fixture
def copy_world(tmp_path: Path, published_twice: CopyWorld, git_environment: None) -> CopyWorld:
    """Two dumps were published, and a folder is named for copies; pushing is disabled."""
    return published_twice.taken_along(tmp_path)


def _settings(folder: Path) -> Settings:
    variables = {
        "DATA_REPO_PATH": str(folder / "data-repo"),
        "DATA_REPO_URL": str(folder / "remote.git"),
    }
    return Settings.from_environment(variables, dotenv=None)
