"""One dump that a commit brought: its bytes, its manifest, its trailers, its gate, its mark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ppr_assets.data_repo.history import FolderCommit
from ppr_assets.errors import DumpDamaged, RatchetFileError
from ppr_assets.operations.audit.dump_reader import DumpReader
from ppr_assets.operations.audit.folders import Folder
from ppr_assets.operations.audit.gate_check import rejudged, wrong_rise, wrong_verdict
from ppr_assets.operations.audit.marks import mark_before
from ppr_assets.operations.audit.trailers import wrong_trailers
from ppr_assets.operations.recount import StoredDump
from ppr_assets.operations.verify import require_as_described, require_manifest_of
from ppr_assets.rules.manifest import Manifest
from ppr_assets.rules.naming import dump_moment, manifest_name
from ppr_assets.rules.policy import CORE_TABLES, FLOOR_TABLE

_RENAMED_WITHIN = timedelta(minutes=1)
"""A dump whose name is taken gets that of the next free second."""


@dataclass(frozen=True)
class Brought:
    """A dump that was in no parent of the commit. ``described``: with a manifest. ``alone``: by
    itself and not with others or in a merge, so that the commit's message must tell of it."""

    commit: FolderCommit
    name: str
    stored: StoredDump
    described: bool
    alone: bool


@dataclass(frozen=True)
class CheckedDump:
    manifest: Manifest | None
    findings: tuple[str, ...]
    notes: tuple[str, ...]


def check_dump(
    dumps: DumpReader,
    brought: Brought,
    folder: Folder,
    parents: Sequence[Folder],
) -> CheckedDump:
    """Hold everything that is recorded of a dump against its bytes and against each other."""
    name = brought.name
    if not brought.described:
        if brought.commit.subject.startswith("Dump ") and "\nSha256: " in brought.commit.message:
            return CheckedDump(None, ("its manifest is missing",), ())
        note = "no manifest: made by other scripts, so there is nothing to hold it to"
        return CheckedDump(None, (), (note,))
    try:
        manifest = Manifest.from_json(folder.text(manifest_name(name)))
        require_manifest_of(manifest, name)
    except DumpDamaged as error:
        return CheckedDump(None, (error.message,), ())
    layout = dumps.read(brought.stored)
    findings: list[str] = []
    rows: Mapping[str, int] = manifest.rows
    if isinstance(layout, str):
        findings.append(layout)
    else:
        rows = {table: record.rows for table, record in layout.tables.items()}
        try:
            require_as_described(layout, manifest)
        except DumpDamaged as error:
            findings.append(error.message)
    findings += _wrong_record(brought, manifest, folder, parents)
    findings += _wrong_gate(brought, manifest, rows, folder, parents)
    return CheckedDump(manifest, tuple(findings), tuple(_notes(brought, manifest)))


def _wrong_record(
    brought: Brought, manifest: Manifest, folder: Folder, parents: Sequence[Folder]
) -> Iterator[str]:
    moment = dump_moment(brought.name)
    late = moment - manifest.snapshot_at if moment else None
    if late is None or not -timedelta(seconds=1) < late < _RENAMED_WITHIN:
        yield f"its snapshot is of {manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC by its manifest"
    if brought.alone:
        yield from wrong_trailers(brought.commit.message, manifest, folder.readable_mark)
        stood = parents[0].latest if parents else None
        if manifest.previous != stood and (stood is None or parents[0].manifest_sha(stood)):
            yield f"the dump before it is {manifest.previous} by its manifest, it was {stood}"


def _wrong_gate(
    brought: Brought,
    manifest: Manifest,
    rows: Mapping[str, int],
    folder: Folder,
    parents: Sequence[Folder],
) -> Iterator[str]:
    """Of dumps that came together each was judged against a mark that only the others tell, at
    least as high as the one before all of them."""
    before = mark_before(parents)
    verdict = rejudged(manifest, rows, before)
    if isinstance(verdict, str):
        yield verdict
    elif brought.alone:
        yield from wrong_verdict(manifest, verdict)
        try:
            wrong = wrong_rise(before, folder.mark, verdict)
        except RatchetFileError as error:
            wrong = error.message
        if wrong is not None:
            yield wrong
    elif not verdict.passed:
        yield f"published although {verdict.message}"


def _notes(brought: Brought, manifest: Manifest) -> Iterator[str]:
    override = manifest.override
    if override is not None:
        yield f"overridden from the {override.source}: {' '.join(override.reason.split())}"
    if manifest.proof is None or not manifest.proof.proven:
        yield "published without a restore" if manifest.proof else "no proof is recorded"
    if not brought.alone:
        yield "it came with others or in a merge, so the message is not held against it"
    judged = manifest.verdict.get("headroom")
    if isinstance(judged, Mapping) and FLOOR_TABLE in judged:
        left_out = [
            table for table in CORE_TABLES if table not in judged and _marked(manifest, table)
        ]
        if left_out:
            yield f"the ratchet was not asked about {', '.join(left_out)}"


def _marked(manifest: Manifest, table: str) -> bool:
    """Whether the ratchet would have judged the table, had it been among those to judge."""
    marks, floor = manifest.verdict.get("marks"), manifest.verdict.get("min_records")
    mark = marks.get(table) if isinstance(marks, Mapping) else None
    return isinstance(mark, int) and isinstance(floor, int) and mark >= floor
