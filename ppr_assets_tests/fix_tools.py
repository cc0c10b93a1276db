"""Programs that stand first on PATH under another one's name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import pytest


class FakeTool(Protocol):
    """Put a shell script first on PATH under a tool's name: ``fake_tool("pg_dump", "exit 1")``."""

    def __call__(self, name: str, script: str) -> Path: ...


@pytest.fixture
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """See :class:`FakeTool`."""
    folder = tmp_path / "fake-bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def write(name: str, script: str) -> Path:
        tool = folder / name
        tool.write_text(f"#!/bin/bash\n{script}\n")
        tool.chmod(0o755)
        return tool

    return write
