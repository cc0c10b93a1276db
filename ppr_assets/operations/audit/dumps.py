"""One dump that a commit brought: its bytes, its manifest, its trailers, its gate, its mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from msgspec import Struct

from ppr_assets.data_repo.git.object_reader import ObjectMissing
from ppr_assets.data_repo.history.commits import FolderCommit
from ppr_assets.data_repo.history.dump_folder import DumpFolder, StoredDump
from ppr_assets.data_repo.history.message import dump_message, parse_records, parse_trailers
from ppr_assets.errors import DumpDamaged, RatchetFileError
from ppr_assets.operations.audit.dump_reader import DumpReader
from ppr_assets.operations.audit.gate_check import rejudged, wrong_rise, wrong_verdict
from ppr_assets.operations.audit.marks import Standings, mark_of, readable_mark
from ppr_assets.operations.published.nights import nights_in
from ppr_assets.plain_sql.verify import require_as_described, require_manifest_of
from ppr_assets.rules.gate.ratchet import Verdict
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.naming import dump_moment, manifest_name
from ppr_assets.rules.policy import CORE_TABLES, FLOOR_TABLE
from ppr_assets.rules.profile.movements import EarlierNight
from ppr_assets.rules.recorded.manifest import Manifest

_RENAMED_WITHIN = timedelta(minutes=1)
"""A dump whose name is taken gets that of the next free second."""
_SHOWN = 3
_OPTIONAL = {"Run", "Override", "Override-By", "Proof", "Moved"}
"""Trailers that a message need not have."""


class Brought(Struct, frozen=True):
    """A dump that was in no parent of the commit. ``described``: with a manifest. ``alone``: by
    itself and not with others or in a merge, so that the commit's message must tell of it.
    ``objects``: all that its bytes are in."""

    commit: FolderCommit
    name: str
    stored: StoredDump
    described: bool
    alone: bool
    objects: tuple[str, ...] = ()


class CheckedDump(Struct, frozen=True):
    """``unread``: its bytes were not looked at, so it cannot be said to hold."""

    manifest: Manifest | None
    findings: tuple[str, ...]
    notes: tuple[str, ...]
    unread: bool = False


class Evidence(Struct, frozen=True):
    """What dumps are held against: their bytes, the marks that counted, and the objects that were
    ``absent`` because the remote has lost them, or, ``offline``, was not asked for them."""

    dumps: DumpReader
    standings: Standings
    absent: frozenset[str]
    offline: bool


def check_dump(
    evidence: Evidence, brought: Brought, folder: DumpFolder, parents: Sequence[DumpFolder]
) -> CheckedDump:
    """Hold everything that is recorded of a dump against its bytes and against each other."""
    name = brought.name
    if not brought.described:
        if brought.commit.subject.startswith("Dump ") and "\nSha256: " in brought.commit.message:
            return CheckedDump(None, ("its manifest is missing",), ())
        note = "no manifest: made by other scripts, so there is nothing to hold it to"
        return CheckedDump(None, (), (note,))
    manifest = _readable_manifest(folder, name)
    if isinstance(manifest, str):
        return CheckedDump(None, (manifest,), ())
    absent = not evidence.absent.isdisjoint(brought.objects)
    unread = absent and evidence.offline
    lost = "its bytes are lost, here and on the remote"
    layout = lost if absent else evidence.dumps.read(brought.stored)
    findings: list[str] = []
    rows: Mapping[str, int] = manifest.counts
    if unread:
        pass
    elif isinstance(layout, str):
        findings.append(layout)
    else:
        read = {table: record.rows for table, record in layout.tables.items()}
        rows = {**manifest.counts, **read}
        try:
            require_as_described(layout, manifest)
        except DumpDamaged as error:
            findings.append(error.message)
    findings += _wrong_record(brought, manifest, folder, parents)
    judged = partial(rejudged, manifest, rows, nights=_nights(manifest, parents))
    wrong, notes = _wrong_gate(evidence, brought, manifest, folder, judged)
    notes += _notes(brought, manifest)
    if unread:
        notes.append("its bytes are not in this clone, and the remote was not asked: --offline")
    return CheckedDump(manifest, (*findings, *wrong), tuple(notes), unread)


def _readable_manifest(folder: DumpFolder, name: str) -> Manifest | str:
    """Or what is wrong with it."""
    try:
        manifest = Manifest.from_json(folder.text(manifest_name(name)))
        require_manifest_of(manifest, name)
    except DumpDamaged as error:
        return error.message
    except ObjectMissing:
        return "its manifest is lost, here and on the remote"
    return manifest


def _wrong_record(
    brought: Brought, manifest: Manifest, folder: DumpFolder, parents: Sequence[DumpFolder]
) -> Iterator[str]:
    moment = dump_moment(brought.name)
    late = moment - manifest.snapshot_at if moment else None
    if late is None or not -timedelta(seconds=1) < late < _RENAMED_WITHIN:
        yield f"its snapshot is of {manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC by its manifest"
    if brought.alone:
        yield from wrong_trailers(brought.commit.message, manifest, readable_mark(folder))
        stood = parents[0].leads_to if parents else None
        if manifest.previous != stood and (stood is None or parents[0].manifest_sha(stood)):
            yield f"the dump before it is {manifest.previous} by its manifest, it was {stood}"


def _wrong_gate(
    evidence: Evidence,
    brought: Brought,
    manifest: Manifest,
    folder: DumpFolder,
    judged: Callable[..., Verdict | str],
) -> tuple[list[str], list[str]]:
    """Findings and notes; ``judged``: the gate once more, by a mark. Of dumps that came together
    each was judged against a mark that only the others tell, at least as high as the one before
    all of them.

    Who dumped before lost marks were known judged by the ratchet file alone. Where the marks that
    it had lost change nothing, that is not a finding.
    """
    before = evidence.standings.before(brought.commit)
    mark, lost = (before.mark, before.lost) if before else (None, {})
    verdict = judged(mark, lost)
    if isinstance(verdict, str):
        return [verdict], []
    if not verdict.passed:
        return [f"published although {verdict.message}"], []
    if not brought.alone:
        return [], []
    wrong = _wrong_outcome(manifest, verdict, folder)
    by_file = judged(evidence.standings.written_before(brought.commit))
    if wrong and not isinstance(by_file, str) and not _wrong_outcome(manifest, by_file, folder):
        return [], ["it was judged without the marks that the ratchet file had lost"]
    return wrong, []


def _nights(manifest: Manifest, parents: Sequence[DumpFolder]) -> Sequence[EarlierNight]:
    """What its profile was held to, where it was held to anything."""
    if "max_point_share" not in manifest.verdict or not parents:
        return ()
    return nights_in(parents[0])


def _wrong_outcome(manifest: Manifest, verdict: Verdict, folder: DumpFolder) -> list[str]:
    wrong = [*wrong_verdict(manifest, verdict)]
    try:
        rise = wrong_rise(verdict.mark, mark_of(folder), verdict)
    except RatchetFileError as error:
        rise = error.message
    return [*wrong, *([rise] if rise is not None else [])]


def _notes(brought: Brought, manifest: Manifest) -> Iterator[str]:
    override = manifest.override
    if override is not None:
        yield f"overridden ({override.whence}): {' '.join(override.reason.split())}"
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


def wrong_trailers(message: str, manifest: Manifest, mark: Mark | None) -> Iterator[str]:
    """Each trailer that is not what publishing would have written; ``mark`` None: not compared."""
    found = parse_trailers(message)
    needed = parse_trailers(dump_message(manifest, mark.organization if mark else None))
    if "Dump" not in found:
        yield "its commit's message has no trailers that tell of it"
        return
    for key in needed.keys() | (found.keys() & _OPTIONAL):
        have, need = found.get(key), needed.get(key)
        if have == need or (key == "Mark" and mark is None):
            continue
        if key == "Records" and have and need:
            yield from _wrong_records(have, need)
        else:
            yield f"trailer {key} says {_shown(have)}, the manifest {_shown(need)}"


def _wrong_records(have: str, need: str) -> Iterator[str]:
    told, right = parse_records(have), parse_records(need)
    differ = [table for table in sorted(told.keys() | right) if told.get(table) != right.get(table)]
    for table in differ[:_SHOWN]:
        yield (
            f"trailer Records says {table}={told.get(table, 'nothing')}, the manifest "
            f"{right.get(table, 'nothing')}"
        )
    if len(differ) > _SHOWN:
        yield f"trailer Records is wrong about {len(differ) - _SHOWN} more tables"
    if not differ:
        yield "trailer Records is not as publishing writes it"


def _shown(value: str | None) -> str:
    return "nothing" if value is None else f"`{value}`"
