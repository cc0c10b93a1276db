"""The published files of two days: each has its outcome, and hardly any is lost."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter
from typing import Any

import pytest

from ppr_assets.records.reader import Loaded, NothingToLoad, Outcome, read_file
from ppr_assets.rules.replay.merging.merge import merge
from ppr_assets.rules.replay.telling import Named, Telling, named
from ppr_assets_tests.places import SHARED

SAMPLE = SHARED / "data/haarrrvest-sample.tar.xz"
pytestmark = pytest.mark.skipif(not SAMPLE.is_file(), reason=f"no {SAMPLE}")
AT_LEAST = 0.995


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    with tarfile.open(SAMPLE) as tar:
        return {
            member.name: held.read()
            for member in tar
            if "/daily/" in f"/{member.name}"
            and member.isfile()
            and (held := tar.extractfile(member))
        }


@pytest.fixture(scope="module")
def outcomes(files: dict[str, bytes]) -> dict[str, Outcome]:
    return {name: read_file(data) for name, data in files.items()}


def test_every_file_has_one_outcome(outcomes: dict[str, Outcome]) -> None:
    seen = Counter(
        (type(outcome).__name__, getattr(outcome, "reason", "")) for outcome in outcomes.values()
    )
    assert seen == {("Loaded", ""): 419, ("NothingToLoad", "a refusal in prose"): 21}
    assert {name for name, outcome in outcomes.items() if outcome.job is None} == set()


def _holds_an_organization(data: bytes) -> bool:
    """As somebody sees it who only reads the JSON."""
    text = re.sub(r"^```(?:json)?\s*|\s*```$", "", json.loads(data)["result"].strip())
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return bool(re.search(r'"(name|organizations?)"', json.dumps(value)))


def test_hardly_any_file_that_holds_an_organization_is_not_loaded(
    files: dict[str, bytes], outcomes: dict[str, Outcome]
) -> None:
    holding = [name for name, data in files.items() if _holds_an_organization(data)]
    loaded = [name for name in holding if isinstance(outcomes[name], Loaded)]
    assert len(holding) > 400
    assert len(loaded) >= AT_LEAST * len(holding)


def test_the_day_and_the_scraper_in_a_file_are_those_of_its_folder(
    outcomes: dict[str, Outcome],
) -> None:
    for name, outcome in outcomes.items():
        assert outcome.job
        day, *rest = name.split("/")[-4:] if "/scrapers/" in name else name.split("/")[-3:]
        if "/scrapers/" in name:
            assert rest[1] == outcome.job.scraper
            day = name.split("/")[-4]
        else:
            assert outcome.job.scraper is None
        assert outcome.job.day == day


def test_what_is_in_the_files_is_in_the_records(outcomes: dict[str, Outcome]) -> None:
    told = [one for o in outcomes.values() if isinstance(o, Loaded) for one in o.organizations]
    places = [place for one in told for place in one.locations]
    counts = {
        "organizations": len(told),
        "locations": len(places),
        "services": sum(len(one.services) for one in told),
        "with an address": sum(bool(place.addresses) for place in places),
        "with coordinates": sum(bool(place.coordinates) for place in places),
        "schedules of locations": sum(len(place.schedules) for place in places),
    }
    assert counts == {
        "organizations": 420,
        "locations": 432,
        "services": 230,
        "with an address": 414,
        "with coordinates": 416,
        "schedules of locations": 298,
    }


def test_the_order_of_the_files_makes_no_difference(outcomes: dict[str, Outcome]) -> None:
    tellings = [
        named(
            one,
            Telling(o.job.day, o.job.created_at, o.job.scraper or "", o.job.job_id, _content(o)),
        )
        for o in outcomes.values()
        if isinstance(o, Loaded)
        for one in o.organizations
    ]
    whole = merge(tellings)
    assert merge(reversed(tellings)) == whole == merge(_by_id(tellings))
    assert len(set(whole.organizations.records.values())) == 405
    assert whole.common.points == {(40.71305, -74.00723): 21}


def _content(outcome: Loaded) -> str:
    return outcome.job.content_hash or outcome.job.job_id


def _by_id(tellings: list[Named]) -> Any:
    return sorted(tellings, key=lambda one: one.id)


def test_nothing_to_load_is_what_the_sample_calls_so(
    files: dict[str, bytes], outcomes: dict[str, Outcome]
) -> None:
    empty = [name for name, o in outcomes.items() if isinstance(o, NothingToLoad)]
    results = Counter(json.loads(files[name])["result"] for name in empty)
    assert results == {"Test response": 20, "Invalid JSON response": 1}
