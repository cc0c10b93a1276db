from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.gate.ratchet import Override, judge
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.naming import dump_name
from ppr_assets.rules.policy import GatePolicy
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import DatabaseIdentity, Proof, TableRecord

SHA = "0123456789abcdef" * 4
MANIFEST = Manifest(
    dump="pantry_pirate_radio_2026-11-22_02-00-00.sql",
    bytes=4096,
    sha256=SHA,
    tables={"organization": TableRecord(812, SHA), "location": TableRecord(0, SHA)},
    snapshot_at=datetime(2026, 11, 22, 2, 0, 0, 5, tzinfo=UTC),
    database=DatabaseIdentity("7312893421", "pantry_pirate_radio", "18.6"),
    tools={"pg_dump": "18.6", "ppr_assets": "0.1.0"},
    verdict=judge(
        {"organization": 812},
        Mark(1260),
        GatePolicy(100, Decimal("0.9")),
        Override("source closed", "Launchpad", "Ann Lee"),
    ).to_json(),
    override=Override("source closed", "Launchpad", "Ann Lee"),
    run_id="3f1e",
    previous="pantry_pirate_radio_2026-11-21_02-00-00.sql",
    publication="8d1f2c",
)

HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
MOMENTS = st.datetimes(timezones=st.just(UTC))
OPTIONAL_TEXT = st.none() | st.text()
TEXTS = st.dictionaries(st.text(), st.text())
MANIFESTS = st.builds(
    Manifest,
    dump=MOMENTS.map(dump_name),
    bytes=st.integers(0),
    sha256=HASHES,
    tables=st.dictionaries(st.text(), st.builds(TableRecord, st.integers(0), HASHES)),
    snapshot_at=MOMENTS,
    database=st.builds(DatabaseIdentity, st.text(), st.text(), st.text()),
    tools=st.dictionaries(st.text(), st.text()),
    verdict=st.dictionaries(st.text(), st.none() | st.integers() | st.text()),
    override=st.none()
    | st.builds(Override, st.text().filter(lambda reason: reason.strip() != ""), st.text()),
    run_id=OPTIONAL_TEXT,
    previous=OPTIONAL_TEXT,
    publication=OPTIONAL_TEXT,
    schema=st.none() | st.builds(Schema, st.dictionaries(st.text(), TEXTS), TEXTS),
)


@pytest.mark.slow
@given(MANIFESTS)
def test_a_manifest_comes_back_from_its_text(manifest: Manifest) -> None:
    text = manifest.to_json()
    assert Manifest.from_json(text) == manifest
    assert Manifest.from_json(text).to_json() == text
    assert text.encode().decode() == text


def test_the_text_is_sorted_and_indented_and_names_everything() -> None:
    text = MANIFEST.to_json()
    content = json.loads(text)
    assert text == json.dumps(content, indent=2, sort_keys=True) + "\n"
    assert content["schema_version"] == 1
    assert content["tables"]["organization"] == {"rows": 812, "sha256": SHA}
    assert content["snapshot_at"] == "2026-11-22T02:00:00.000005+00:00"
    assert content["override"] == {
        "reason": "source closed",
        "source": "Launchpad",
        "by": "Ann Lee",
    }
    assert content["verdict"]["status"] == "overridden"


def test_the_snapshots_moment_is_written_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    moved = replace(MANIFEST, snapshot_at=MANIFEST.snapshot_at.astimezone(east))
    assert moved.to_json() == MANIFEST.to_json()


def test_the_rows_are_given_by_table() -> None:
    assert MANIFEST.rows == {"organization": 812, "location": 0}


def test_a_manifest_from_before_there_were_proofs_is_read() -> None:
    content = json.loads(MANIFEST.to_json())
    del content["proof"], content["database"]["encoding"], content["database"]["collation"]
    read = Manifest.from_json(json.dumps(content))
    assert read.proof is None
    assert (read.database.encoding, read.database.collation) == ("", "")


def test_a_proof_is_read_back_and_says_where_it_was_made() -> None:
    proof = Proof("server", datetime(2026, 11, 22, 2, 0, tzinfo=UTC), "18.6", 2.125)
    assert Manifest.from_json(replace(MANIFEST, proof=proof).to_json()).proof == proof
    assert proof.proven and str(proof) == "server, PostgreSQL 18.6, 2.1 s"
    off = replace(proof, where="off")
    assert not off.proven and str(off) == "off"


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    content: dict[str, Any] = json.loads(MANIFEST.to_json())
    change(content)
    return json.dumps(content)


def _set(*path: str, to: object) -> str:
    def change(content: dict[str, Any]) -> None:
        for name in path[:-1]:
            content = content[name]
        content[path[-1]] = to

    return _changed(change)


@pytest.mark.parametrize(
    "field",
    sorted(json.loads(MANIFEST.to_json()).keys() - {"proof", "without_rows", "computing"}),
)
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(DumpDamaged, match=f"^the manifest cannot be read: {field} is missing$"):
        Manifest.from_json(_changed(lambda content: content.pop(field)))


def test_what_older_manifests_lack_is_none() -> None:
    for field in ("proof", "computing"):
        text = _changed(lambda content, field=field: content.pop(field))  # type: ignore[misc]
        assert getattr(Manifest.from_json(text), field) is None


@pytest.mark.parametrize("field", ["system_identifier", "name", "server_version"])
def test_a_missing_field_of_the_database_is_named(field: str) -> None:
    with pytest.raises(DumpDamaged, match=f"database.{field} is missing"):
        Manifest.from_json(_changed(lambda content: content["database"].pop(field)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not JSON"),
        (MANIFEST.to_json()[:300], "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"schema_version": NaN}', "is not JSON: NaN is not a number"),
        ("[]", "it is [], must be an object"),
        ("null", "it is None, must be an object"),
        (_set("schema_version", to="1"), "schema_version is '1', must be a whole number"),
        (_set("schema_version", to=True), "schema_version is True, must be a whole number"),
        (_set("dump", to="../../etc/passwd"), "dump is '../../etc/passwd', must be the name"),
        (_set("dump", to=None), "dump is None, must be a text"),
        (_set("bytes", to=-1), "bytes is -1, must be a whole number of at least 0"),
        (_set("bytes", to=1.5), "bytes is 1.5, must be a whole number of at least 0"),
        (_set("bytes", to="4096"), "bytes is '4096', must be a whole number of at least 0"),
        (_set("sha256", to=SHA[:-1]), "must be 64 hex digits"),
        (_set("tables", to=[]), "tables is [], must be an object"),
        (_set("tables", "location", to=7), "tables.location is 7, must be an object"),
        (_set("tables", "location", to={"rows": 1}), "tables.location.sha256 is missing"),
        (_set("tables", "location", "rows", to=True), "tables.location.rows is True, must be a"),
        (_set("snapshot_at", to="tonight"), "snapshot_at is 'tonight', must be a timestamp"),
        (_set("snapshot_at", to="2026-11-22T02:00:00"), "must be a timestamp with its time zone"),
        (_set("database", "name", to=3), "database.name is 3, must be a text"),
        (_set("tools", "pg_dump", to=18), "tools.pg_dump is 18, must be a text"),
        (_set("verdict", to="accepted"), "verdict is 'accepted', must be an object"),
        (_set("override", to="yes"), "override is 'yes', must be an object"),
        (_set("override", "reason", to=" "), "override.reason is empty"),
        (_set("run_id", to=5), "run_id is 5, must be a text"),
    ],
)
def test_a_damaged_field_is_named_with_what_it_must_be(text: str, why: str) -> None:
    with pytest.raises(DumpDamaged) as caught:
        Manifest.from_json(text)
    assert caught.value.message.startswith("the manifest ")
    assert why in caught.value.message


def test_a_newer_manifest_is_refused_with_have_and_need() -> None:
    with pytest.raises(DumpDamaged) as caught:
        Manifest.from_json(_set("schema_version", to=2))
    assert caught.value.render() == (
        "the manifest has schema version 2, 1 needed\n"
        "HINT: a newer ppr-assets wrote it: update this one."
    )


def test_a_field_that_is_not_known_does_no_harm() -> None:
    assert Manifest.from_json(_set("note", to="added by hand")) == MANIFEST


@pytest.mark.slow
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_the_text_holds_nothing_but_damage_is_raised(text: str) -> None:
    with pytest.raises(DumpDamaged):
        Manifest.from_json(text)
