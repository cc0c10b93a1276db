"""What is set of a dump: the account stands wherever a name may stand."""

from __future__ import annotations

import socket

import pytest

from ppr_assets.settings import kinds
from ppr_assets.settings.dump import account


@pytest.mark.parametrize("user", ["volunteer", "v" * 150])
def test_an_account_of_any_length_is_a_name_that_may_sign(
    user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", user)
    monkeypatch.setattr(socket, "gethostname", lambda: "node." * 50)
    assert kinds.name(account()) == account()
    assert account().startswith(f"account {user[:50]}")
