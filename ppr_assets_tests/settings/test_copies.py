"""What a place of copies shows of itself."""

from __future__ import annotations

import pytest

from ppr_assets.settings.copies import copy_url


@pytest.mark.parametrize(
    "url",
    [
        "s3://KEYNAME:hunter2@bucket/dumps",
        "s3://bucket/dumps?secret_access_key=hunter2",
        "az://container/dumps?sv=2026&sig=hunter2",
        "az://container/dumps?anything=hunter2",
    ],
)
def test_no_key_of_a_url_is_seen_in_it(url: str) -> None:
    place = copy_url(url)
    assert "hunter2" not in f"{place} {place!r} {place.shown} {place.where}"
    assert "KEYNAME" not in repr(place)
