from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest

from ppr_assets.settings.secret import Secret

HIDDEN = "correct-horse-battery"


@dataclass(frozen=True)
class Holder:
    secret: Secret | None


def test_a_secret_gives_itself_away_only_when_asked() -> None:
    secret = Secret(HIDDEN)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        "%s %r" % (secret, secret),  # noqa: UP031
        repr([secret]),
        repr(Holder(secret)),
        repr(vars(Holder(secret))),
        repr(asdict(Holder(secret))),
        json.dumps(asdict(Holder(secret)), default=str),
        repr(copy.copy(secret)),
        repr(copy.deepcopy(secret)),
    ]
    assert not [text for text in shown if HIDDEN in text or "********" not in text]
    assert secret.reveal() == HIDDEN


def test_a_secret_has_no_attributes_to_list() -> None:
    with pytest.raises(TypeError):
        vars(Secret(HIDDEN))


def test_a_secret_is_not_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps(Secret(HIDDEN))
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Holder(Secret(HIDDEN)), protocol)


def test_secrets_are_equal_by_what_they_hold() -> None:
    assert Secret(HIDDEN) == Secret(HIDDEN)
    assert hash(Secret(HIDDEN)) == hash(Secret(HIDDEN))
    assert Secret(HIDDEN) != Secret("other")
    assert Secret(HIDDEN) != HIDDEN


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret(" ")
