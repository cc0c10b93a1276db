"""A database, a clone and its bare remote, together; and a picture of everything that may not move."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import psutil
import psycopg
import pytest

from ppr_assets.operations.dump import DumpOutcome, dump
from ppr_assets.operations.publish import PublishOutcome, publish
from ppr_assets.postgres.connection import connect
from ppr_assets.settings import DatabaseSettings, Settings


def git(folder: Path, *arguments: str) -> str:
    """Run git as a user would, and return what it says."""
    done = subprocess.run(
        ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@dataclass
class Pipeline:
    """One pipeline's world. ``settings`` may be replaced by a test."""

    settings: Settings
    clone: Path
    remote: Path

    @property
    def dumps(self) -> Path:
        return self.clone / "sql_dumps"

    def night(self, override_reason: str | None = None) -> tuple[DumpOutcome, PublishOutcome]:
        """Dump and publish, as the job does."""
        dumped = dump(self.settings, run_id="test-run", override_reason=override_reason)
        return dumped, publish(self.settings, override_reason=override_reason)

    def picture(self) -> dict[str, object]:
        """HEADs, the branch's files with their content, the folders' listings, git's status."""
        staged = self.clone / ".git" / "ppr_assets" / "staged"
        return {
            "head": git(self.clone, "rev-parse", "--verify", "-q", "main"),
            "remote": git(self.remote, "rev-parse", "--verify", "-q", "main"),
            "tree": git(self.clone, "ls-tree", "-r", "main"),
            "listing": sorted(p.name for p in self.dumps.iterdir()) if self.dumps.exists() else [],
            "staged": sorted(p.name for p in staged.iterdir()) if staged.exists() else [],
            "status": git(self.clone, "status", "--porcelain"),
            "children": [child.name() for child in psutil.Process().children(recursive=True)],
            "locks": self._advisory_locks(),
        }

    def execute(self, statement: str, *arguments: object) -> None:
        with connect(self.settings.database, autocommit=True) as session:
            session.execute(statement, arguments or None)  # type: ignore[arg-type]

    def count(self, table: str) -> int:
        with connect(self.settings.database) as session:
            row = session.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
            assert row is not None
            return int(row[0])

    def gate(self, **changes: object) -> None:
        """Change the dump's settings: ``min_records``, ``percentage``, ``stall_seconds`` …"""
        self.settings = replace(self.settings, dump=replace(self.settings.dump, **changes))  # type: ignore[arg-type]

    def repo(self, **changes: object) -> None:
        """Change the data repository's settings: ``push_enabled``, ``timeout_seconds`` …"""
        changed = replace(self.settings.data_repo, **changes)  # type: ignore[arg-type]
        self.settings = replace(self.settings, data_repo=changed)

    def _advisory_locks(self) -> int:
        with psycopg.connect(
            host=self.settings.database.host,
            port=self.settings.database.port,
            user="postgres",
            dbname="postgres",
        ) as session:
            row = session.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                "WHERE locktype = 'advisory' AND datname = %s",
                [self.settings.database.dbname],
            ).fetchone()
            assert row is not None
            return int(row[0])


@pytest.fixture
def pipeline(database: DatabaseSettings, tmp_path: Path, clean_git: None) -> Pipeline:
    """A sample database (200 organizations) and an empty data repository with one publication."""
    remote, clone = tmp_path / "remote.git", tmp_path / "data-repo"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(remote), str(clone)], check=True, capture_output=True)
    git(clone, "checkout", "-q", "-B", "main")
    (clone / "README.md").write_text("# data\n")
    git(clone, "add", "README.md")
    git(clone, "commit", "-qm", "Data update for 2025-08-09 06:56 UTC")
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
    }
    return Pipeline(Settings.from_environment(variables, dotenv=None), clone, remote)


@pytest.fixture
def clean_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the machine or its user counts."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def fake_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], Path]]:
    """Put a shell script first on PATH under a tool's name: ``fake_tool("pg_dump", "exit 1")``."""
    folder = tmp_path / "fake-bin"
    folder.mkdir()
    path = [str(folder)]

    def write(name: str, script: str) -> Path:
        tool = folder / name
        tool.write_text(f"#!/bin/bash\n{script}\n")
        tool.chmod(0o755)
        return tool

    import os

    monkeypatch.setenv("PATH", os.pathsep.join([*path, os.environ["PATH"]]))
    return write  # type: ignore[return-value]


PERCENTAGE = Decimal("0.9")
