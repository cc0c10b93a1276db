"""By which road a database without records is filled: the latest dump, else an older one, else a
replay of the published records.

Only what is wrong with a dump leads to the next road. A server that is away or lacks something,
sessions in the database and a deadline end the start: the next one finds them gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone_folder import wants_clone
from ppr_assets.deadline import Deadline
from ppr_assets.errors import (
    DumpDamaged,
    DumpMissing,
    DumpUnproven,
    NoRecords,
    PprError,
    PreconditionFailed,
    SettingsError,
)
from ppr_assets.operations.replaying.input import Input, opened_input
from ppr_assets.operations.replaying.published_files import Selection
from ppr_assets.operations.replaying.rebuild import rebuild
from ppr_assets.operations.replaying.terms import RebuildOutcome, RebuildTerms
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.loading import limit_seconds, seconds_for
from ppr_assets.operations.restoring.replacing import Terms, dropped_if_empty
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.restoring.serving.guarding import guard_of
from ppr_assets.operations.sources.shelf import Shelf, opened_shelf
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.snapshot.records import missing_tables
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.settings import DatabaseSettings, Settings

WAIT_SECONDS = 60.0
"""For the server, which usually starts together with who asks for it."""

_OF_A_DUMP = (DumpDamaged, DumpMissing, DumpUnproven, NoRecords)

_NO_DUMP = (
    "publish one with `ppr-assets dump` where the data are, or point DATA_REPO_URL to a data "
    "repository that has dumps. To start with an empty database on purpose, set SKIP_DB_INIT=true."
)


class InitOutcome(Struct, frozen=True):
    """``database`` was filled by what was ``restored`` or ``replayed``, or left as it is, and
    ``reason`` says why. ``not_taken``: better roads, and why they did not lead there."""

    status: Literal["restored", "replayed", "left alone"]
    database: str
    reason: str = ""
    restored: RestoreOutcome | None = None
    replayed: RebuildOutcome | None = None
    not_taken: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class InitTerms(Struct, frozen=True):
    """What an application's start lets a restore do.

    ``force``: over a database that holds records, too. ``deadline_seconds`` is the time for a
    restore or a replay, that of another process too; by default what is promised for a dump of that
    size, or for as many bytes of published records. The
    others are those of :class:`~ppr_assets.operations.restoring.restore.Terms`.
    """

    force: bool = False
    disconnect: bool = False
    wait_seconds: float = WAIT_SECONDS
    deadline_seconds: float | None = None
    override: Override | None = None
    accept: Override | None = None


AT_A_START = InitTerms()


class Roads(Struct):
    """To the ``target``, which ``exists`` or not; ``in_place`` for a role that may make no other
    database."""

    settings: Settings
    target: DatabaseSettings
    terms: InitTerms
    exists: bool
    in_place: bool
    began: float = field(default_factory=monotonic)
    failures: dict[str, PprError] = field(default_factory=dict)
    """What was wrong with each dump, by its name, the best road first."""

    def take(self) -> InitOutcome:
        return self._by_a_dump() or self._by_records()

    @property
    def _place(self) -> Wanted:
        """The clone, brought up to date, where there is one; else the remote, from which only what
        is needed is fetched, and nothing is left at DATA_REPO_PATH."""
        repository = self.settings.data_repo
        return Wanted(source=repository.url if wants_clone(repository.path) else None)

    @property
    def _guard(self) -> Guard:
        return guard_of(self.settings.dump, for_service=True, override=self.terms.override)

    @property
    def _not_taken(self) -> tuple[str, ...]:
        said = ((name, error.message) for name, error in self.failures.items())
        return tuple(told if name in told else f"{name}: {told}" for name, told in said)

    def _by_a_dump(self) -> InitOutcome | None:
        try:
            with opened_shelf(self.settings.data_repo, self._place) as shelf:
                for name, found in self._dumps(shelf):
                    try:
                        return self._restored(found)
                    except _OF_A_DUMP as error:
                        self.failures[name] = error
        except DumpMissing as error:
            self.failures["latest dump"] = error
        return None

    def _dumps(self, shelf: Shelf) -> Iterator[tuple[str, FoundDump]]:
        """The latest, and then the others from the newest on."""
        names = sorted(shelf.names, reverse=True)
        for wanted in [self._place, *(replace(self._place, dump=name) for name in names)]:
            name = wanted.dump or "latest dump"
            if name in self.failures:
                continue
            try:
                found = shelf.take(wanted)
            except _OF_A_DUMP as error:
                self.failures[name] = error
                continue
            yield found.name, found

    def _deadline(self, usual_seconds: float) -> Deadline:
        """What was promised for all roads together, or else from now on what is usual."""
        promised = self.terms.deadline_seconds
        return Deadline(promised, since=self.began) if promised else Deadline(usual_seconds)

    def _restored(self, found: FoundDump) -> InitOutcome:
        way = restore_in_place if self.in_place else restore
        allowed = Terms(
            self._guard,
            disconnect=self.terms.disconnect,
            grants=True,  # what a database was set up with stays, records or not
            accept=self.terms.accept,
        )
        outcome = way(self.target, found, allowed, deadline=self._deadline(limit_seconds(found)))
        remarks = [*found.remarks, *outcome.remarks]
        if outcome.former is not None:
            force = self.terms.force
            why = "--force was given" if force else dropped_if_empty(self.target, outcome.former)
            if why is not None:
                remarks.append(f"the former database is kept as {outcome.former}: {why}")
        return InitOutcome(
            "restored",
            self.target.dbname,
            restored=outcome,
            not_taken=self._not_taken,
            remarks=tuple(remarks),
        )

    def _by_records(self) -> InitOutcome:
        """Raises what was wrong with the best dump where the records do not help either."""
        selection = Selection(self.settings.db_init_days_to_sync)
        try:
            with opened_input(self.settings.data_repo, (), self._place, selection) as given:
                outcome = self._rebuilt(given)
        except (SettingsError, DumpMissing, NoRecords) as error:
            raise self._best(error.message) from error
        return InitOutcome(
            "replayed",
            self.target.dbname,
            replayed=outcome,
            not_taken=self._not_taken,
            remarks=tuple(outcome.remarks),
        )

    def _rebuilt(self, given: Input) -> RebuildOutcome:
        deadline = self._deadline(seconds_for(given.bytes()))
        for schema in self._schemas():
            terms = RebuildTerms(
                replace=self.exists and self.terms.force,
                schema=replace(self._place, dump=schema) if schema else None,
                disconnect=self.terms.disconnect,
                guard=self._guard,
                deadline=deadline,
            )
            try:
                return rebuild(self.settings, self.target, given, terms)
            except (DumpDamaged, PreconditionFailed) as error:  # of this server, all dumps said so
                if not schema:
                    raise
                self.failures.setdefault(schema, error)
        raise DumpMissing("there is no dump whose tables could be made")

    def _schemas(self) -> Sequence[str]:
        """Dumps whose tables may be made, from the newest on; an empty name for those of the
        database."""
        if self.exists:
            with connect(self.target, autocommit=True) as connection:
                if not missing_tables(connection, CORE_TABLES):
                    return [""]
        return [
            name
            for name, error in self.failures.items()
            if not isinstance(error, (DumpDamaged, DumpMissing))
        ]

    def _best(self, replay: str) -> PprError:
        """What was wrong with the best road, and that the last one did not lead there either."""
        found = next(iter(self.failures.values()))
        hint = _NO_DUMP if isinstance(found, DumpMissing) else found.hint
        found.hint = f"{hint} The published records could not take its place: {replay}."
        return found
