"""No damaged dump touches the database that it was to replace, whichever way it would."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.errors import DumpDamaged
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import TableRecord
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import MadeDump, Target

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 83886080\n"
)
CUTS = 200
FLIPS = 100
MOST = 25
"""Of each kind in the suite; a campaign has all of them."""


@dataclass(frozen=True)
class Case:
    """``manifest`` None: nobody has said what must be in it."""

    data: bytes
    manifest: Manifest | None
    name: str


Kind = Callable[[MadeDump], Iterator[bytes | Case]]


def _boundaries(dump: bytes) -> list[int]:
    """Where a statement, a COPY's head or its rows end: psql notices nothing of a cut there."""
    return [found.end() for found in re.finditer(rb"(?:;|^\\\.)\n", dump, re.MULTILINE)]


def _block(dump: bytes, table: str) -> tuple[int, int]:
    """Where a table's data stand, from pg_dump's comment to the next one."""
    start = dump.index(f"--\n-- Data for Name: {table};".encode())
    return start, dump.index(b"\n\\.\n\n\n", start) + 5


def _rows(dump: bytes, table: str) -> tuple[int, int]:
    start = dump.index(b"\n", dump.index(f"COPY public.{table} (".encode())) + 1
    return start, dump.index(b"\\.\n", start)


def cut_at_boundaries(made: MadeDump) -> Iterator[bytes]:
    boundaries = _boundaries(made.sql)
    assert len(boundaries) > 150
    assert sum(made.sql[:place].endswith(b"FROM stdin;\n") for place in boundaries) > 15
    yield from (made.sql[:place] for place in boundaries)


def cut_anywhere(made: MadeDump) -> Iterator[bytes]:
    places = random.Random(20261122).sample(range(1, len(made.sql)), CUTS)
    yield from (made.sql[:place] for place in places)
    yield made.sql[:-1]


def cut_without_a_manifest(made: MadeDump) -> Iterator[Case]:
    chance = random.Random(1)
    places = chance.sample(_boundaries(made.sql), 40) + chance.sample(range(len(made.sql)), 40)
    yield from (Case(made.sql[:place], None, made.path.name) for place in places)


def flipped(made: MadeDump) -> Iterator[bytes]:
    chance = random.Random(2)
    for place in chance.sample(range(len(made.sql)), FLIPS):
        damaged = bytearray(made.sql)
        damaged[place] ^= 1 << chance.randrange(8)
        yield bytes(damaged)


def a_table_less_twice_or_elsewhere(made: MadeDump) -> Iterator[bytes]:
    dump = made.sql
    for table in ("phone", "organization", "taxonomy"):
        start, end = _block(dump, table)
        yield dump[:start] + dump[end:]
        yield dump[:end] + dump[start:]
    (a, b), (c, d) = _block(dump, "language"), _block(dump, "phone")
    yield dump[:a] + dump[c:d] + dump[b:c] + dump[a:b] + dump[d:]
    (a, b), (c, d) = _rows(dump, "language"), _rows(dump, "phone")
    yield dump[:a] + dump[c:d] + dump[b:c] + dump[a:b] + dump[d:]


def rows_less_twice_or_changed(made: MadeDump) -> Iterator[bytes]:
    dump = made.sql
    start, end = _rows(dump, "organization")
    second = dump.index(b"\n", start) + 1
    yield dump[:start] + dump[second:]
    yield dump[:second] + dump[start:]
    yield dump[:start] + dump[end:]
    yield dump[:start] + dump[start:end].replace(b"\t", b" ", 1) + dump[end:]
    yield dump[:start] + dump[start:end].replace(b"e", b"a", 1) + dump[end:]


def other_statements(made: MadeDump) -> Iterator[bytes]:
    dump = made.sql
    yield dump.replace(b"ON DELETE CASCADE", b"ON DELETE SETNULL", 1)
    yield dump + b"DROP TABLE public.organization;\n"
    yield dump.replace(b"CREATE INDEX", b"-- REATE INDEX", 1)
    head = dump.index(b"\nSET statement_timeout")
    yield dump[:head] + b"\n\\! touch /tmp/here" + dump[head:]
    yield dump.replace(b"\\unrestrict ", b"\\unrestrict 0")
    yield dump.replace(b"\n", b"\r\n")


def no_dump_at_all(made: MadeDump) -> Iterator[bytes | Case]:
    html = b"<!DOCTYPE html>\n<html><body>404: not found</body></html>\n"
    packed = gzip.compress(made.sql, 1)
    for data in (b"", b"\n", b"\0" * 4096, POINTER, html, packed, b"PGDMP\x01\x0e" + bytes(100)):
        yield data
        yield Case(data, None, made.path.name)
    name = f"{made.path.name}.gz"
    for data in (b"", made.sql, POINTER, html, packed[:-1], packed[:5000], gzip.compress(b"")):
        yield Case(data, None, name)
    yield Case(packed[:20000] + b"\0" + packed[20001:], None, name)


def another_manifest(made: MadeDump) -> Iterator[Case]:
    right = made.manifest
    all_tables = dict(right.tables)
    tables = dict(right.tables)
    phone = tables.pop("phone")
    for wrong in (
        replace(right, dump="pantry_pirate_radio_2026-11-20_02-00-00.sql"),
        replace(right, bytes=right.bytes + 1),
        replace(right, sha256="0" * 64),
        replace(right, schema_version=2),
        replace(right, tables=tables),
        replace(right, tables={}),
        replace(right, tables=all_tables | {"gone": TableRecord(7, "0" * 64)}),
        replace(right, tables=all_tables | {"phone": TableRecord(phone.rows + 1, phone.sha256)}),
        replace(right, tables=all_tables | {"phone": TableRecord(phone.rows, "0" * 64)}),
    ):
        yield Case(made.sql, wrong, made.path.name)


KINDS: tuple[Kind, ...] = (
    cut_at_boundaries,
    cut_anywhere,
    cut_without_a_manifest,
    flipped,
    a_table_less_twice_or_elsewhere,
    rows_less_twice_or_changed,
    other_statements,
    no_dump_at_all,
    another_manifest,
)


def _cases(kind: Kind, made: MadeDump) -> list[Case]:
    return [
        case if isinstance(case, Case) else Case(case, made.manifest, made.path.name)
        for case in kind(made)
    ]


def _found(case: Case, folder: Path) -> FoundDump:
    path = folder / case.name
    path.write_bytes(case.data)
    return FoundDump(case.name, path, case.manifest, None, folder)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_dump_is_refused_before_the_target_is_touched(
    kind: Kind,
    target: Target,
    old_dump: MadeDump,
    new_dump: MadeDump,
    tmp_path: Path,
    campaign: Campaign,
) -> None:
    databases, cases = target.databases(), _cases(kind, new_dump)
    if campaign.until is None:
        cases = campaign.dice.sample(cases, min(MOST, len(cases)))
    for case in cases:
        with pytest.raises(DumpDamaged) as refused:
            restore(
                target.settings, _found(case, tmp_path), Terms(drop_old=True), deadline=Deadline(60)
            )
        assert refused.value.hint
        assert target.databases() == databases, refused.value.message
    assert target.content() == old_dump.content


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_dump_is_refused_in_place_before_the_target_is_touched(
    kind: Kind, target: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    cases = _cases(kind, new_dump)
    for case in random.Random(3).sample(cases, min(10, len(cases))):
        with pytest.raises(DumpDamaged):
            restore_in_place(target.settings, _found(case, tmp_path), deadline=Deadline(60))
        assert target.content() == old_dump.content


def test_a_manifest_that_cannot_be_read_is_refused_and_named(
    pipeline: Pipeline, target: Target, old_dump: MadeDump, new_dump: MadeDump, tmp_path: Path
) -> None:
    """A damaged manifest is not taken for none."""
    path = tmp_path / new_dump.path.name
    path.write_bytes(new_dump.sql)
    text = new_dump.manifest.to_json()
    for wrong in ("", text[:-20], text.replace('"bytes"', '"octets"'), POINTER.decode(), "[]"):
        path.with_suffix(".json").write_text(wrong)
        with (
            pytest.raises(DumpDamaged, match="the manifest "),
            found_dump(pipeline.settings.data_repo, Wanted(dump=str(path))) as found,
        ):
            restore(target.settings, found, deadline=Deadline(60))
    assert target.content() == old_dump.content
