"""Every damaged dump is refused, with its first damage, where it is, and what to do."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged, PreconditionFailed
from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.plain_sql.verify import VerifiedDump, verify_file
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import DatabaseIdentity, TableRecord
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.fix_postgres import Databases

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
OURS = ("--no-owner", "--no-privileges", "--if-exists", "--clean")
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 83886080\n"
)
Verify = Callable[..., VerifiedDump]
FEW = 60
"""Of cuts and flips in the suite; a campaign goes on."""


@dataclass(frozen=True)
class Sample:
    """A canonical dump of a sample, with its manifest, and as upstream's scripts would have it:
    rows in any order, no key, no manifest."""

    dump: bytes
    manifest: Manifest
    foreign: bytes


@pytest.fixture(scope="module")
def sample(databases: Databases) -> Iterator[Sample]:
    database = databases.create(databases.template(10, 1))
    raw = subprocess.run(
        [EMBEDDED_BIN / "pg_dump", *OURS],
        env=client_environment(database) | {"PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    ).stdout
    target = io.BytesIO()
    tables = canonicalize([raw], target, spill_folder=Path()).tables
    dump = target.getvalue()
    key = dump.split(b"\n\\restrict ")[1].split(b"\n")[0]
    foreign = raw.replace(raw.split(b"\\restrict ")[1].split(b"\n")[0], key)
    foreign = foreign.replace(b"\\restrict " + key + b"\n\n", b"")
    foreign = foreign.replace(b"\\unrestrict " + key + b"\n\n", b"")
    yield Sample(dump, _manifest(dump, tables), foreign)
    databases.drop(database)


def _manifest(dump: bytes, tables: Mapping[str, TableRecord]) -> Manifest:
    return Manifest(
        dump=NAME,
        bytes=len(dump),
        sha256=hashlib.sha256(dump).hexdigest(),
        tables=tables,
        snapshot_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
        database=DatabaseIdentity("1", "pantry_pirate_radio", "18.6"),
        tools={},
        verdict={},
    )


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Write bytes to a file and verify it."""

    def run(data: bytes, manifest: Manifest | None = None, *, name: str = NAME) -> VerifiedDump:
        path = tmp_path / name
        path.write_bytes(data)
        return verify_file(path, name=name, manifest=manifest, spill_folder=tmp_path)

    return run


@pytest.fixture
def refusal(verify: Verify) -> Callable[..., DumpDamaged]:
    def run(data: bytes, manifest: Manifest | None = None, *, name: str = NAME) -> DumpDamaged:
        with pytest.raises(DumpDamaged) as refused:
            verify(data, manifest, name=name)
        assert refused.value.hint, "what to do is part of every refusal"
        assert "\n" not in refused.value.message
        return refused.value

    return run


Refusal = Callable[..., DumpDamaged]


def _boundaries(dump: bytes) -> list[int]:
    """Where a statement, a COPY or its rows end: psql notices nothing of a cut there."""
    ends = [i + 1 for i in range(len(dump)) if dump[i : i + 1] == b"\n" and dump[i - 1 : i] == b";"]
    rows = [i + 3 for i in range(len(dump)) if dump.startswith(b"\\.\n", i)]
    return sorted({*ends, *rows})


def _block(dump: bytes, table: str) -> tuple[int, int]:
    """Where a table's data stand, from pg_dump's comment to the next one."""
    start = dump.index(f"--\n-- Data for Name: {table};".encode())
    return start, dump.index(b"\n\\.\n\n\n", start) + 5


def test_a_whole_dump_is_what_its_manifest_says(verify: Verify, sample: Sample) -> None:
    verified = verify(sample.dump, sample.manifest)
    assert verified.name == NAME
    assert verified.manifest is sample.manifest
    assert verified.layout.tables == sample.manifest.tables
    assert verified.layout.sha256 == sample.manifest.sha256


@pytest.mark.parametrize("name", [NAME, f"{NAME}.gz", "latest.sql", "latest.sql.gz"])
def test_upstreams_dump_without_a_manifest_is_accepted_unproven(
    verify: Verify, sample: Sample, name: str
) -> None:
    data = gzip.compress(sample.foreign, 1) if name.endswith(".gz") else sample.foreign
    verified = verify(data, name=name)
    assert verified.manifest is None
    assert verified.layout.restrict_key is None
    assert verified.layout.tables == sample.manifest.tables, "the order of rows does not matter"


def test_a_symlink_within_its_folder_is_followed(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.gz").write_bytes(gzip.compress(sample.foreign, 1))
    (tmp_path / "latest.sql.gz").symlink_to(f"{NAME}.gz")
    verified = verify_file(
        tmp_path / "latest.sql.gz", name="latest.sql.gz", manifest=None, spill_folder=tmp_path
    )
    assert verified.layout.bytes == len(sample.foreign)


def test_every_cut_at_a_boundary_is_refused(
    refusal: Refusal, sample: Sample, campaign: Campaign
) -> None:
    """Each of them in a campaign, in the suite every third one."""
    for length in _boundaries(sample.dump)[:: 3 if campaign.until is None else 1]:
        found = refusal(sample.dump[:length], sample.manifest)
        assert f" at byte {length}" in found.message
        assert f"it has {length} bytes, {len(sample.dump)} needed" in found.message


def test_every_cut_anywhere_is_refused(
    refusal: Refusal, sample: Sample, campaign: Campaign
) -> None:
    tail = range(len(sample.dump) - 100, len(sample.dump))
    for length in tail[::3]:
        assert " byte " in refusal(sample.dump[:length], sample.manifest).message
        assert " byte " in refusal(sample.dump[:length]).message
    dice = campaign.dice
    for _ in campaign.rounds(FEW):
        length = dice.randrange(len(sample.dump))
        assert " byte " in refusal(sample.dump[:length], sample.manifest).message


def test_every_cut_of_a_dump_without_key_and_manifest_is_refused(
    refusal: Refusal, sample: Sample, campaign: Campaign
) -> None:
    tail = range(len(sample.foreign) - 40, len(sample.foreign))
    for length in (*tail, *_boundaries(sample.foreign)[:: 12 if campaign.until is None else 1]):
        assert " byte " in refusal(sample.foreign[:length]).message
    dice = campaign.dice
    for _ in campaign.rounds(FEW):
        assert " byte " in refusal(sample.foreign[: dice.randrange(len(sample.foreign))]).message


def test_every_flipped_bit_is_refused(refusal: Refusal, sample: Sample, campaign: Campaign) -> None:
    dice = campaign.dice
    for _ in campaign.rounds(FEW):
        damaged = bytearray(sample.dump)
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        refusal(bytes(damaged), sample.manifest)


def test_a_changed_row_is_named_by_its_table_and_place(refusal: Refusal, sample: Sample) -> None:
    start = sample.dump.index(b"\n", sample.dump.index(b"COPY public.location ")) + 1
    end = sample.dump.index(b"\\.\n", start)
    place = sample.dump.index(b"a", start)
    found = refusal(sample.dump[:place] + b"b" + sample.dump[place + 1 :], sample.manifest)
    rows = sample.manifest.tables["location"].rows
    assert f"the {rows} rows of location at bytes {start} to {end} were changed" in found.message
    assert "its SHA-256 is " in found.message


def test_a_changed_statement_is_told_from_changed_rows(refusal: Refusal, sample: Sample) -> None:
    damaged = sample.dump.replace(b"ON DELETE CASCADE", b"ON DELETE SETNULL", 1)
    found = refusal(damaged, sample.manifest)
    assert "the rows of all tables are right, so the SQL around them was changed" in found.message


def test_a_dropped_table_is_missed(refusal: Refusal, sample: Sample) -> None:
    start, end = _block(sample.dump, "phone")
    found = refusal(sample.dump[:start] + sample.dump[end:], sample.manifest)
    rows = sample.manifest.tables["phone"].rows
    assert f"the rows of phone are missing, {rows} needed" in found.message
    assert (
        f"it has {len(sample.dump) - end + start} bytes, {len(sample.dump)} need" in found.message
    )


def test_a_doubled_table_is_refused(refusal: Refusal, sample: Sample) -> None:
    start, end = _block(sample.dump, "phone")
    doubled = sample.dump[:end] + sample.dump[start:]
    for manifest in (sample.manifest, None):
        assert "phone has two COPY blocks, the second at byte" in refusal(doubled, manifest).message


def test_swapped_rows_of_two_tables_are_refused(refusal: Refusal, sample: Sample) -> None:
    """Under each other's COPY. Two tables of equally many columns differ in nothing else."""
    one, two = (_rows(sample.dump, table) for table in ("language", "taxonomy_term"))
    assert one[1] < two[0]
    swapped = (
        sample.dump[: one[0]]
        + sample.dump[slice(*two)]
        + sample.dump[one[1] : two[0]]
        + sample.dump[slice(*one)]
        + sample.dump[two[1] :]
    )
    assert len(swapped) == len(sample.dump)
    assert "language" in refusal(swapped, sample.manifest).message


def _rows(dump: bytes, table: str) -> tuple[int, int]:
    start = dump.index(b"\n", dump.index(f"COPY public.{table} (".encode())) + 1
    return start, dump.index(b"\\.\n", start)


def test_swapped_blocks_are_refused(refusal: Refusal, sample: Sample) -> None:
    (a, b), (c, d) = _block(sample.dump, "language"), _block(sample.dump, "phone")
    dump = sample.dump
    swapped = dump[:a] + dump[c:d] + dump[b:c] + dump[a:b] + dump[d:]
    assert "its SHA-256 is" in refusal(swapped, sample.manifest).message


def test_a_lost_row_is_counted(refusal: Refusal, sample: Sample) -> None:
    start, end = _rows(sample.dump, "phone")
    second = sample.dump.index(b"\n", start) + 1
    found = refusal(sample.dump[:start] + sample.dump[second:], sample.manifest)
    rows = sample.manifest.tables["phone"].rows
    assert (
        f"phone has {rows - 1} rows at bytes {start} to {end - second + start}, {rows} needed"
        in found.message
    )


def test_the_damage_is_told_before_the_hash(refusal: Refusal, sample: Sample) -> None:
    place = sample.dump.index(b"\t", sample.dump.index(b"COPY public.phone "))
    damaged = sample.dump[:place] + b" " + sample.dump[place + 1 :]
    found = refusal(damaged, sample.manifest)
    assert "a row of phone has" in found.message
    assert "SHA-256" not in found.message


def test_more_after_the_end_is_refused(refusal: Refusal, sample: Sample) -> None:
    for manifest in (sample.manifest, None):
        found = refusal(sample.dump + b"DROP TABLE organization;\n", manifest)
        assert f"goes on after its closing comment at byte {len(sample.dump)}" in found.message


IMPOSTORS: dict[str, tuple[bytes, str, str, str]] = {
    "nothing": (b"", NAME, "is empty: it has 0 bytes", "interrupted download"),
    "nothing, compressed": (gzip.compress(b""), f"{NAME}.gz", "is empty", "ppr-assets list"),
    "pointer": (POINTER, NAME, "a Git LFS pointer, .* has 83886080 bytes", "git lfs pull"),
    "pointer, gz": (POINTER, f"{NAME}.gz", "a Git LFS pointer", "git lfs pull"),
    "HTML": (b"\n<!DOCTYPE html>\n<html>", NAME, r"a web page \(HTML\)", "download the raw file"),
    "HTML, compressed": (gzip.compress(b"<html>"), f"{NAME}.gz", "a web page", "download the raw"),
    "gzip": (gzip.compress(b"--\n"), NAME, "a gzip file under the name of plain", "gunzip"),
    "plain": (b"--\n-- PostgreSQL", f"{NAME}.gz", "plain SQL under the name of a gzip", "rename"),
    "custom": (b"PGDMP\x01\x0e", NAME, "pg_dump's custom format", "pg_restore"),
    "cluster": (b"--\n-- PostgreSQL database cluster dump\n", NAME, "pg_dumpall", "never publish"),
    "zip": (b"PK\x03\x04", NAME, "a zip archive", "unpack"),
    "UTF-16": ("--\n".encode("utf-16"), NAME, "Windows program", "PowerShell"),
    "API": (b'{"message": "Not Found"}', NAME, "does not begin as a plain-SQL dump", "fetch"),
    "not gzip": (b"404: Not Found", f"{NAME}.gz", "as a gzip file but with '404: Not F", "fetch"),
    "other SQL": (b"--\n-- MySQL dump\n--\n", NAME, "not begin as a plain-SQL dump", "list"),
}


@pytest.mark.parametrize(("data", "name", "what", "hint"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_what_is_no_dump_at_all_is_called_by_its_name(
    refusal: Refusal, sample: Sample, data: bytes, name: str, what: str, hint: str
) -> None:
    for manifest in (None, replace(sample.manifest, dump=name)):
        found = refusal(data, manifest, name=name)
        assert found.exit_code == 4
        with pytest.raises(DumpDamaged, match=f"`{name}`.*{what}"):
            raise found
        assert hint in found.hint
        assert " byte" in found.message


def test_windows_line_ends_are_named(refusal: Refusal, sample: Sample) -> None:
    found = refusal(sample.dump.replace(b"\n", b"\r\n"), sample.manifest)
    assert "Windows line endings" in found.message
    assert "core.autocrlf" in found.hint


def test_a_compressed_dump_that_is_cut_or_corrupt_is_refused(
    refusal: Refusal, sample: Sample
) -> None:
    packed, name = gzip.compress(sample.foreign, 1), f"{NAME}.gz"
    for length in (*random.Random(4).sample(range(1, len(packed)), 30), len(packed) - 1):
        assert "byte" in refusal(packed[:length], name=name).message
    for position in random.Random(5).sample(range(len(packed)), 30):
        if 3 < position < 10:  # time and system: they say nothing about the content
            continue
        damaged = bytearray(packed)
        damaged[position] ^= 4
        assert "byte" in refusal(bytes(damaged), name=name).message
    assert "corrupt" in refusal(packed + b"more", name=name).message


def test_the_wrong_manifest_is_refused(refusal: Refusal, sample: Sample) -> None:
    other = "pantry_pirate_radio_2026-11-21_02-00-00.sql"
    found = refusal(sample.dump, replace(sample.manifest, dump=other))
    assert f"the manifest is that of `{other}`, that of `{NAME}` is needed" in found.message
    found = refusal(sample.dump, replace(sample.manifest, schema_version=2))
    assert "has schema version 2, 1 needed" in found.message
    tables = dict(sample.manifest.tables) | {"gone": TableRecord(7, "0" * 64)}
    found = refusal(sample.dump, replace(sample.manifest, tables=tables))
    assert "the rows of gone are missing, 7 needed" in found.message
    del tables["gone"], tables["phone"]
    found = refusal(sample.dump, replace(sample.manifest, tables=tables))
    assert "is not in the manifest" in found.message


def test_a_symlink_out_of_its_folder_is_refused(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "sql_dumps"
    folder.mkdir()
    (tmp_path / NAME).write_bytes(sample.dump)
    (folder / NAME).symlink_to(f"../{NAME}")
    (folder / "gone.sql").symlink_to("nowhere.sql")
    (folder / "loop.sql").symlink_to("loop.sql")
    (folder / "folder.sql").mkdir()
    os.mkfifo(folder / "pipe.sql")
    for name, what in {
        NAME: "is a symlink out of its folder",
        "gone.sql": "leads to `nowhere.sql`, which cannot be read: No such file",
        "loop.sql": "cannot be read: Too many levels of symbolic links",
        "folder.sql": "is a folder, a file is needed",
        "pipe.sql": "is a device, pipe or socket, a file is needed",
        "absent.sql": "cannot be read: No such file or directory",
    }.items():
        with pytest.raises(DumpDamaged, match=what) as refused:
            verify_file(folder / name, name=name, manifest=None, spill_folder=tmp_path)
        assert refused.value.hint


def test_a_full_spill_folder_is_not_called_damage(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spilling = partial(SortedRows, memory=1024)
    monkeypatch.setattr("ppr_assets.plain_sql.parsing.layout.SortedRows", spilling)
    rows = b"".join(b"%d\t%s\n" % (i, b"x" * 1000) for i in range(2_000))
    start, end = _rows(sample.foreign, "language")
    columns = sample.foreign[start:end].split(b"\n")[0].count(b"\t")
    dump = sample.foreign[:start] + rows.replace(b"\n", b"\t" * (columns - 1) + b"\n")
    (tmp_path / NAME).write_bytes(dump + sample.foreign[end:])
    with pytest.raises(PreconditionFailed, match="could not sort the rows"):
        verify_file(tmp_path / NAME, name=NAME, manifest=None, spill_folder=tmp_path / "not there")


def test_a_large_dump_needs_little_memory(sample: Sample, tmp_path: Path) -> None:
    """150 MB of rows, read in a process of its own, in MiB above what importing takes."""
    start, end = _rows(sample.foreign, "language")
    columns = sample.foreign[start:end].split(b"\n")[0].count(b"\t") + 1
    row = b"\t".join([b"x" * 900] * columns)
    with (tmp_path / NAME).open("wb") as file:
        file.write(sample.foreign[:start])
        for number in range(150_000_000 // len(row)):
            file.write(b"%08d%s\n" % (number, row))
        file.write(sample.foreign[end:])
    assert _peak(tmp_path / NAME, sorted_rows=True) < 8
    assert _peak(tmp_path / NAME, sorted_rows=False) < 128
    (tmp_path / NAME).unlink()


def _peak(path: Path, *, sorted_rows: bool) -> float:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from resource import RUSAGE_SELF, getrusage
        from ppr_assets.plain_sql.dump_file import open_dump
        from ppr_assets.plain_sql.parsing.layout import read_layout
        path = Path({str(path)!r})
        before = getrusage(RUSAGE_SELF).ru_maxrss
        chunks = open_dump(path, name=path.name)
        layout = read_layout(chunks, sorted_rows={sorted_rows}, spill_folder=path.parent)
        assert layout.bytes == path.stat().st_size > 147_000_000
        print(getrusage(RUSAGE_SELF).ru_maxrss - before)
    """)
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
