"""Copy what was published to every place that the settings name, and look whether each is as it
should be: one that fails stops no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from ppr_assets.copies.contents import Contents, contents, open_place
from ppr_assets.copies.place import Place
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.errors import (
    CopyFailed,
    DataRepoError,
    DumpDamaged,
    PolicyRefused,
    PreconditionFailed,
    SettingsError,
)
from ppr_assets.operations.copying.beside import put_sqlite
from ppr_assets.operations.copying.outcome import CopyOutcome, PlaceOutcome
from ppr_assets.operations.copying.published_dumps import PublishedDumps, published_dumps
from ppr_assets.operations.copying.seen import SeenCopy, remember, seen_at
from ppr_assets.operations.publishing.retention import keep_rules, shelved
from ppr_assets.operations.sources.scratch import scratch_folder
from ppr_assets.progress import stage
from ppr_assets.rules.naming import (
    copy_name,
    manifest_name,
    sqlite_copy_name,
    sqlite_metadata_name,
)
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.retention import KeepRules, fates
from ppr_assets.rules.wording import size
from ppr_assets.settings import CopyUrl, DumpSettings, Settings


def copy_published(settings: Settings, repo: DataRepo) -> CopyOutcome:
    """Raises :class:`SettingsError` where no place is named, and :class:`DataRepoError` where the
    data repository itself cannot be read."""
    urls = settings.data_repo.copies.urls
    if not urls:
        raise SettingsError(
            "PPR_COPY_URLS is not set, must name at least one place for copies",
            hint="docs/copies.md tells how to set one up.",
        )
    with scratch_folder(repo.state_dir / "copying") as scratch:
        dumps = published_dumps(repo, scratch)
        return CopyOutcome([_copy_to(url, settings, dumps) for url in urls])


def _copy_to(url: CopyUrl, settings: Settings, dumps: PublishedDumps) -> PlaceOutcome:
    repo, outcome = dumps.folder.repo, PlaceOutcome(url.shown)
    rules = keep_rules(settings.data_repo.copies.keep)
    seen = seen_at(repo, url.shown)
    try:
        copies = settings.data_repo.copies
        place = open_place(url)
        _Copying(place, dumps, settings.dump, rules, seen, outcome, copies.sqlite).run()
    except (CopyFailed, DataRepoError, PreconditionFailed) as error:
        outcome.failure = error
    remember(repo, url.shown, seen)
    return outcome


class _Copying(Struct):
    """One run at one place. ``seen`` is what was found whole there before, and is kept up."""

    place: Place
    dumps: PublishedDumps
    settings: DumpSettings
    rules: KeepRules
    seen: dict[str, SeenCopy]
    outcome: PlaceOutcome
    sqlite: bool

    def run(self) -> None:
        """Raises :class:`CopyFailed` where the place cannot be used any more."""
        there = contents(self.place)
        manifests = self._manifests(there)
        kept, retired = self._judged(manifests)
        self._tell_missing(there, kept)
        for dump in sorted(kept, reverse=True):
            if dump in self.dumps.manifests and dump not in there.dumps:
                self._copy(there, dump)
        self._record_commits(there, kept)
        self._look_at([dump for dump in kept if dump in there.dumps], manifests)
        for dump in retired:
            self._retire(there, dump)
        if self.sqlite and (newest := max(self.outcome.kept, default=None)) in self.dumps.manifests:
            self._put_sqlite(str(newest))

    def _put_sqlite(self, dump: str) -> None:
        """Last: the copies stand whatever becomes of it."""
        try:
            self.outcome.bytes += put_sqlite(self.place, self.dumps, dump, self.settings)
        except (DumpDamaged, PreconditionFailed, PolicyRefused) as error:
            what = f"{dump} is not at `{self.place.shown}` as SQLite: {error.message}"
            self.outcome.problems.append(DumpDamaged(what, hint=error.hint))

    def _manifests(self, there: Contents) -> Mapping[str, Manifest]:
        """By dump: those of the data repository, and of copies that it has no more."""
        found = dict(self.dumps.manifests)
        for dump in there.described:
            try:
                copied = there.data(manifest_name(dump))
                if dump not in found:
                    found[dump] = there.manifest(dump)
                elif copied != self.dumps.manifest_bytes(dump):
                    self._problem(dump, "its manifest is not the one that was published")
            except DumpDamaged as error:
                self._problem(dump, error.message)
        return found

    def _judged(self, manifests: Mapping[str, Manifest]) -> tuple[list[str], list[str]]:
        """The names of those that stay, oldest first, and of those that go."""
        latest = max(self.dumps.manifests or manifests, default=None)
        shelf = [shelved(dump, one, latest, self.settings) for dump, one in manifests.items()]
        judged = fates(shelf, self.rules)
        kept = sorted(fate.dump.name for fate in judged if not fate.retires)
        return kept, [fate.dump.name for fate in judged if fate.retires]

    def _tell_missing(self, there: Contents, kept: list[str]) -> None:
        """What was there, or should be as its manifest is, and is not."""
        gone = {
            d for d in kept if d not in there.dumps and (d in self.seen or d in there.described)
        }
        for dump in sorted(gone):
            last = self.seen.pop(dump, None)
            when = f", it was there on {last.read_at:%Y-%m-%d}" if last else ""
            again = "; it is copied again" if dump in self.dumps.manifests else ""
            self._problem(dump, f"its copy is missing{when}{again}")

    def _copy(self, there: Contents, dump: str) -> None:
        """The dump first, read back, then its manifest: a copy without one is not finished."""
        try:
            packed = self.dumps.packed(dump)
        except DumpDamaged as error:
            self.outcome.problems.append(error)
            return
        manifest, name = self.dumps.manifests[dump], copy_name(dump)
        unfinished = dump in there.unfinished
        with stage(f"writing {size(packed.bytes)} to {self.place.shown}"):
            written = self.place.put_new(name, packed.path)
        if not written and unfinished:
            try:
                there.require_equal(manifest)
            except DumpDamaged:  # what a killed run has left of it
                self.place.remove(name)
                self.place.put_new(name, packed.path)
        try:
            there.require_equal(manifest)
        except DumpDamaged as error:
            self.outcome.problems.append(error)
            return
        self.place.put_new(manifest_name(dump), self.dumps.manifest_bytes(dump))
        self.outcome.copied.append(dump)
        self.outcome.bytes += packed.bytes

    def _record_commits(self, there: Contents, kept: list[str]) -> None:
        """Those of dumps that lie here, and every decision since the oldest of them."""
        commits = list(self.dumps.commits)
        first = next((place for place, one in enumerate(commits) if one.dump in kept), len(commits))
        wanted = [
            one
            for one in commits[first:]
            if one.name not in there.objects and (one.dump is None or one.dump in kept)
        ]
        for record in self.dumps.records(wanted):
            self.place.put_new(record.name, record.to_json().encode())

    def _look_at(self, before: list[str], manifests: Mapping[str, Manifest]) -> None:
        """Read back the newest, what was never read or was written since, and of the others the one
        that was read longest ago; the rest has to be as large as it was, and not written anew."""
        there, copied = contents(self.place), self.outcome.copied
        kept = sorted({*before, *copied})
        unread = {dump for dump in kept if not self._as_seen(there, dump)}
        others = [dump for dump in kept[:-1] if dump not in unread]
        oldest = sorted(others, key=lambda dump: self.seen[dump].read_at)[:1]
        for dump in kept:
            if dump in unread or dump in (*oldest, *kept[-1:]):
                self._read_back(there, manifests[dump])
            else:
                self.outcome.kept.append(dump)

    def _read_back(self, there: Contents, manifest: Manifest) -> None:
        """What was copied by this run was read back when it was written."""
        dump = manifest.dump
        try:
            if dump not in self.outcome.copied:
                there.require_equal(manifest)
        except DumpDamaged as error:
            self.outcome.problems.append(error)
            self.seen.pop(dump, None)
            return
        found = there.objects[copy_name(dump)]
        self.seen[dump] = SeenCopy(found.bytes, found.tag, datetime.now(UTC))
        self.outcome.read.append(dump)
        self.outcome.kept.append(dump)

    def _as_seen(self, there: Contents, dump: str) -> bool:
        seen, found = self.seen.get(dump), there.objects.get(copy_name(dump))
        return (
            seen is not None
            and found is not None
            and (seen.bytes, seen.tag)
            == (
                found.bytes,
                found.tag,
            )
        )

    def _retire(self, there: Contents, dump: str) -> None:
        """The manifest last, so that a run that is killed here is gone on with by the next."""
        if dump not in there.described:
            return
        records = [one.name for one in self.dumps.commits if one.dump == dump]
        try:
            beside = (sqlite_copy_name(dump), sqlite_metadata_name(dump))
            for name in (copy_name(dump), *beside, *records, manifest_name(dump)):
                if name in there.objects:
                    self.place.remove(name)
        except CopyFailed as error:  # a lock, or keys that may not delete
            self.outcome.remarks.append(f"{dump} is to go and stays: {error.message}")
            return
        self.seen.pop(dump, None)
        self.outcome.retired.append(dump)

    def _problem(self, dump: str, what: str) -> None:
        self.outcome.problems.append(DumpDamaged(f"{dump} at `{self.place.shown}`: {what}"))
