"""Files that are broken or mean harm: each ends as rejected, with the reason and its JSON path."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.records.drafts import MOST_OF_A_KIND
from ppr_assets.records.json_text import MOST_BYTES
from ppr_assets.records.reader import Loaded, NothingToLoad, Rejected, read_file
from ppr_assets_tests.records.told import BARE, job_file, text_file

TWICE = b'{"job_id": "1", "job": {"created_at": "2025-08-08"}, "result": "", "result": "{}"}'
FILES: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b" \n", "an empty file", "$"),
    "cut off": (text_file(BARE)[:-40], "cut off: Unterminated string", "$"),
    "cut off after a value": (text_file(BARE)[:-1], "cut off: Expecting", "$"),
    "something behind": (text_file(BARE) + b"}", "Extra data", "$"),
    "100 MB": (b"[" * (MOST_BYTES + 1), "too large: 8,388,609 bytes, at most", "$"),
    "deep nesting": (b'{"job":' * 50_000, "nested too deep", "$"),
    "not UTF-8": (text_file({"name": "Caf\xe9"}).replace(b"\\\\u00e9", b"\xe9"), "not UTF-8", "$"),
    "a list": (b"[]", "not a job: Expected `object`, got `array`", "$"),
    "no job": (b'{"job_id": "1"}', "not a job: Object missing required field `job`", "$"),
    "a job without a moment": (
        job_file("", job={"metadata": {}}),
        "not a job: Object missing required field `created_at`",
        "$.job",
    ),
    "no moment": (
        job_file("", job={"created_at": "yesterday"}),
        "not a moment",
        "$.job.created_at",
    ),
    "no result": (
        b'{"job_id": "1", "job": {"created_at": "2025-08-08"}}',
        "a job without a result",
        "$",
    ),
    "two results": (TWICE, "the key `result` more than once", "$.result"),
    "NaN": (job_file(0).replace(b'"result": 0', b'"result": NaN'), "NaN is not a JSON number", "$"),
    "a raw control character": (job_file("a").replace(b'"a"', b'"\x00"'), "Invalid control", "$"),
}
RESULTS: dict[str, tuple[object, str, str]] = {
    "cut off": ('{"name": "Hope', "cut off: Unterminated string", "$.result"),
    "a fence that was cut off": ('```json\n{"name": "Hope"', "a code fence that was cut off", ""),
    "a fence around what was cut off": ('```json\n{"name": "Hope"\n```', "cut off: Expecting", ""),
    "prose behind": ('{"name": "Hope"}\nIs that all?', "Extra data", "$.result"),
    "a comma too many": ('{"name": "Hope",}', "Expecting property name", "$.result"),
    "single quotes": ("{'name': 'Hope'}", "Expecting property name", "$.result"),
    "NaN": ('{"name": "Hope", "latitude": NaN}', "NaN is not a JSON number", "$.result"),
    "Infinity": ('{"name": "Hope", "x": -Infinity}', "-Infinity is not a JSON number", "$.result"),
    "a number beyond all": ('{"name": "Hope", "x": 1e999}', "a number out of range", "$.result"),
    "a thousand digits": ('{"name": ' + "9" * 5000 + "}", "of more than 4,300 digits", "$.result"),
    "half a pair": ('{"name": "\\ud800"}', "half of a surrogate pair", "$.result"),
    "NUL": ('{"name": "Hope\\u0000"}', "a NUL character", "$.result.name"),
    "NUL in an object": ({"name": "Hope", "x": ["\0"]}, "a NUL character", "$.result.x[0]"),
    "NUL in a key": ('{"name": "Hope", "\\u0000": 1}', "a NUL character", "$.result"),
    "deep nesting": ("[" * 100_000, "nested too deep", "$.result"),
    "in its text": ({"text": '{"name": '}, "cut off: Expecting value", "$.result.text"),
    "a number": (7, "a result that is not a text", "$.result"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_rejected_with_its_reason(case: str) -> None:
    data, reason, path = FILES[case]
    outcome = read_file(data)
    assert isinstance(outcome, Rejected), outcome
    assert reason in outcome.reason
    assert outcome.json_path == path


@pytest.mark.parametrize("case", RESULTS)
def test_a_broken_result_is_rejected_with_its_reason_and_job(case: str) -> None:
    result, reason, path = RESULTS[case]
    outcome = read_file(job_file(result))
    assert isinstance(outcome, Rejected), outcome
    assert reason in outcome.reason
    assert outcome.json_path == (path or "$.result")
    assert outcome.job
    assert outcome.job.scraper == "freshtrak"


def test_what_only_looks_broken_is_read() -> None:
    deep = '{"name": "Hope", "x": ' + "[" * 50 + "]" * 50 + "}"
    assert isinstance(read_file(job_file(deep)), Loaded)
    told = {"name": "Hope \N{SMILING FACE WITH SMILING EYES} \\u0000", "x": 10**30, "y": "NaN"}
    assert isinstance(read_file(text_file(told)), Loaded)
    assert isinstance(read_file(b"\xef\xbb\xbf" + text_file(BARE)), Loaded)
    said = job_file(json.dumps(BARE), said={"result": "of something else"})
    assert isinstance(read_file(said), Loaded)


@pytest.mark.slow
def test_more_than_any_file_tells_of_is_rejected_and_takes_no_time() -> None:
    started = time.process_time()
    for kind in ("locations", "services", "organizations"):
        many = [
            {"id": "same", "name": f"{n}", "street": f"{n} Oak St", "zip": "45056"}
            for n in range(1500)
        ]
        told = {"name": "Hope", kind: many}
        outcome = read_file(text_file(told))
        assert isinstance(outcome, Rejected)
        assert outcome.reason.startswith(f"more than {MOST_OF_A_KIND:,} of a kind")
    assert time.process_time() - started < 20


def test_a_file_of_unknown_keys_is_counted_in_bounded_room() -> None:
    told: dict[str, Any] = {"name": "Hope"} | {f"{'k' * 100}{n}": n for n in range(5000)}
    told |= {f"key{n}": 1 for n in range(5000)}
    outcome = read_file(text_file(told))
    assert isinstance(outcome, Loaded)
    assert sum(outcome.without_place.values()) == 10_000
    assert len(outcome.without_place) < 300
    assert max(map(len, outcome.without_place)) < 100


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_there_is_an_outcome(data: bytes) -> None:
    assert isinstance(read_file(data), Rejected)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_file_that_was_cut_or_changed_never_raises(at: int, byte: int) -> None:
    whole = text_file(BARE)
    assert isinstance(read_file(whole[: at % len(whole)]), Rejected)
    changed = bytearray(whole)
    changed[at % len(whole)] = byte
    assert isinstance(read_file(bytes(changed)), Loaded | NothingToLoad | Rejected)
