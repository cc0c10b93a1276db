"""A dump on its way into a database: verified first, with a promise about time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.deadline import Deadline
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.plain_sql.dump_file import open_dump, plain_dump, stored_bytes
from ppr_assets.plain_sql.parsing.byte_ranges import PlainDump
from ppr_assets.plain_sql.parsing.entries import Key
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.plain_sql.tables.shortened import Shortened, write_shortened
from ppr_assets.plain_sql.verify import VerifiedDump, verify_file
from ppr_assets.rules.recorded.manifest import Manifest

UNPROVEN = (
    "the dump has no manifest, so nobody has said what must be in it, or how its database was set: "
    "unproven"
)

MINUTES = 5
DEADLINE_SECONDS = 60.0 * MINUTES
"""The promise to whoever waits for the database, where nobody has said how long it may take."""
_PROOF_SECONDS = 3600.0
"""For whom nobody waits, at least: a dump's proof, and a drill."""
_GIGABYTE = 1_000_000_000

_SHORTENED = "shortened.sql"

OnStage = Callable[[str, float], None]


def silent(_stage: str, _seconds: float) -> None:
    """For those who do not follow the stages."""


class _Clock:
    """Seconds by stage; ``on_stage`` gets each when it is done."""

    def __init__(self, on_stage: OnStage = silent) -> None:
        self._on_stage = on_stage
        self._since = monotonic()
        self.laps: dict[str, float] = {}

    def elapsed(self) -> float:
        return monotonic() - self._since

    def lap(self, name: str) -> None:
        self.laps[name] = self.elapsed()
        self._on_stage(name, self.laps[name])
        self._since = monotonic()


class Loading(Struct, frozen=True):
    """A verified dump on its way into a database: until when, what took how long, and what whoever
    asked for it should hear. ``file``: the plain dump, where it is not the one that was found."""

    found: FoundDump
    verified: VerifiedDump
    deadline: Deadline
    clock: _Clock
    remarks: list[str] = field(default_factory=list)
    file: Path | None = None

    @classmethod
    def begin(cls, found: FoundDump, deadline: Deadline, on_stage: OnStage = silent) -> Loading:
        """Verify the dump. Raises :class:`DumpDamaged`."""
        clock = _Clock(on_stage)
        verified = verified_dump(found)
        clock.lap("verify")
        return cls(found, verified, deadline, clock)

    def without(self, keys: frozenset[Key]) -> Loading:
        """The same, going without these entries of the dump."""
        layout = self.verified.layout.without(keys)
        return replace(self, verified=replace(self.verified, layout=layout))

    def shortened(self, shortened: Shortened) -> Loading:
        """The same, with what stands in the place of tables' statements and rows."""
        if not shortened.statements:
            return self
        file = self.found.spill_folder / _SHORTENED
        write_shortened(self.plain(), self.verified.layout, shortened, file)
        chunks = open_dump(file, name=file.name)
        layout = read_layout(chunks, sorted_rows=False, spill_folder=self.found.spill_folder)
        return replace(self, file=file, verified=replace(self.verified, layout=layout))

    def plain(self) -> PlainDump:
        if self.file is not None:
            return self.file
        return plain_dump(self.found.path, name=self.found.name, folder=self.found.spill_folder)


def remarks_of(manifest: Manifest | None) -> list[str]:
    """What whoever restores the dump should know of it."""
    if manifest is None:
        return [UNPROVEN]
    return [f"the dump was {manifest.without}"] if manifest.without else []


def verified_dump(found: FoundDump) -> VerifiedDump:
    """The dump, found to be whole and what its manifest says. Raises :class:`DumpDamaged`."""
    return verify_file(
        found.path, name=found.name, manifest=found.manifest, spill_folder=found.spill_folder
    )


def limit_seconds(found: FoundDump) -> float:
    """Five minutes; for a dump of more than a gigabyte, five minutes for each."""
    return seconds_for(found.manifest.bytes if found.manifest else stored_bytes(found.path))


def seconds_for(size: int) -> float:
    """The same of so many bytes, a dump's or those of published records."""
    return DEADLINE_SECONDS * max(1.0, size / _GIGABYTE)


def proof_seconds(found: FoundDump) -> float:
    """How long restoring into a scratch database may take."""
    return max(_PROOF_SECONDS, limit_seconds(found))
