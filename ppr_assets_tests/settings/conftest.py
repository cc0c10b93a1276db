"""Secrets of these tests, a single blank among them, are not those of others in this process."""

from __future__ import annotations

import pytest

from ppr_assets.settings import secret


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_known", set())
