"""The policy as it is, where a test is about what may be published."""

from __future__ import annotations

import pytest

from ppr_assets.operations.publishing import publication
from ppr_assets.rules.publication.planning import plan


@pytest.fixture
def strict_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is public that neither the shipped policy nor the data repository allows."""
    monkeypatch.setattr(publication, "plan", plan)
