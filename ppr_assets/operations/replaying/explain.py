"""How a record came to be, told from the published files themselves and without a server: the
tables keep of each scraper its newest word alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from ppr_assets.errors import SettingsError
from ppr_assets.operations.replaying.gathered import FileLine, OnLine, gathered, unseen
from ppr_assets.operations.replaying.input import Input
from ppr_assets.operations.replaying.merged import MergedRecords, OneOrganization, OnePlace
from ppr_assets.rules.replay.rows.columns import HEADS, Row
from ppr_assets.rules.replay.rows.organization import SAME_SERVICE
from ppr_assets.rules.replay.rows.told import with_reasons
from ppr_assets.rules.replay.rows.traced import traced


class Word(Struct, frozen=True):
    """One file's word on a row. ``id``: what its scraper's record would be alone; ``reason``: why
    it is counted to this one, with what ``same_as`` tell, empty for the first."""

    file: str
    scraper: str
    at: str
    json_path: str
    id: str
    reason: str = ""
    same_as: Sequence[str] = ()


class Explained(Struct, frozen=True):
    """A row: its values, who told it, and by column whose word stands where several told. ``of``:
    the id of what it hangs on; ``rows``: by table, the ids of what hangs on it."""

    table: str
    id: str
    values: Mapping[str, Any]
    told: Sequence[Word]
    word_of: Mapping[str, str] = field(default_factory=dict)
    of: str = ""
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Explanation(Struct, frozen=True):
    """``files``: what the named file came to; ``records``: what came of it, or the named one."""

    files: Sequence[FileLine]
    records: Sequence[Explained]


def explain(given: Input, wanted: str, on_line: OnLine = unseen) -> Explanation:
    """``wanted`` is a file by its name in the report, or the id of a row. Raises
    :class:`SettingsError` where neither is there."""
    lines: list[FileLine] = []

    def seen(line: FileLine) -> None:
        on_line(line)
        if _names(wanted, line.file):
            lines.append(line)

    with gathered(given, on_line=seen) as (_, merged):
        asked = _Asked(merged, wanted.strip().lower(), {line.file for line in lines})
        found = Explanation(lines, [*asked.records()])
    if found.files or found.records:
        return found
    raise SettingsError(
        f"`{wanted}` is neither one of the {len(given.files)} files that were read nor the id of a "
        "row that comes of them",
        hint="name a file as --report has it, or the id of a row; --since, --until, --scraper and "
        "--at say which files are read, and ids follow from those.",
    )


def _names(wanted: str, file: str) -> bool:
    """Also by the end of its path, or by where it lies."""
    there = Path(wanted).absolute().as_posix()
    return file == wanted or file.endswith(f"/{wanted}") or there.endswith(f"/{file}")


class _Asked(Struct, frozen=True, dict=True):
    merged: MergedRecords
    id: str
    files: set[str]

    def records(self) -> Iterator[Explained]:
        one_of = self.merged.everything
        known = {
            one.records[self.id]
            for one in (one_of.organizations, one_of.locations)
            if self.id in one.records
        }
        for record in self.merged.records():
            if any(one.file in self.files for one in record.told):
                yield from self._of_files(record)
            elif not self.files and (not known or record.id in known):
                yield from self._of_id(record, record.id if known else self.id)

    def _of_files(self, record: OneOrganization | OnePlace) -> Iterator[Explained]:
        told = [one for one in record.told if one.file in self.files]
        here = {trace.id for one in told for trace in traced(record.id, one)}
        rows = [*record.rows()]
        for table, values in rows:
            if table in HEADS and values["id"] in here:
                yield self._explained(record, rows, (table, values))

    def _of_id(self, record: OneOrganization | OnePlace, wanted: str) -> Iterator[Explained]:
        rows = [*record.rows()]
        for row in rows:
            if row[1]["id"] == wanted:
                yield self._explained(record, rows, row)
                return

    def _explained(
        self, record: OneOrganization | OnePlace, rows: Sequence[Row], row: Row
    ) -> Explained:
        table, values = row
        own = values["id"]
        data: Mapping[str, Any] = next(
            (r["data"] for _, r in rows if r.get("record_id") == own), {}
        )
        parents = _parents(rows)
        return Explained(
            table,
            own,
            {name: value for name, value in values.items() if value is not None},
            self._words(record, row),
            {name: self._of_job[job] for name, job in data.get("word_of", {}).items()},
            parents.get(own, ""),
            _below(own, rows, parents),
        )

    def _words(self, record: OneOrganization | OnePlace, row: Row) -> list[Word]:
        """Rows by source and versions are of all that was told of their record."""
        table, values = row
        own = values["id"]
        scraper = values.get("scraper_id")
        of = values["record_id"] if table == "record_version" else own
        if scraper:
            of = values[f"{table.removesuffix('_source')}_id"]
        traces = [(one, trace) for one in record.told for trace in traced(record.id, one)]
        keys = {trace.key for _, trace in traces if trace.id == of}
        paths: defaultdict[int, list[str]] = defaultdict(list)
        for one, trace in traces:
            if trace.key in keys and scraper in (None, one.by.scraper):
                paths[id(one)].append(trace.path)
        told = with_reasons(one for one in record.told if id(one) in paths)
        return [
            Word(
                one.file,
                one.by.scraper,
                one.by.created_at,
                paths[id(one)][0],
                one.id,
                reason if of == record.id or not reason else SAME_SERVICE,
                self._same_as(one.id) if of == record.id and one.reason else (),
            )
            for one, reason in told
        ]

    def _same_as(self, told: str) -> list[str]:
        return self._files_of[self.merged.decisions[told].same_as]

    @cached_property
    def _files_of(self) -> Mapping[str, list[str]]:
        """By the id of an organization or place as its scraper tells it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for named, kept in self.merged.told:
            for own in (named.id, *(place.id for place in named.places)):
                if kept.file not in found[own][-1:]:
                    found[own].append(kept.file)
        return found

    @cached_property
    def _of_job(self) -> Mapping[str, str]:
        return {named.told.job_id: kept.file for named, kept in self.merged.told}


_ABOVE = (
    "contact_id",
    "phone_id",
    "service_at_location_id",
    "service_id",
    "location_id",
    "organization_id",
    "link_id",
    "record_id",
)
"""What a row hangs on, the nearest first."""


def _parents(rows: Sequence[Row]) -> Mapping[str, str]:
    return {
        values["id"]: next((values[name] for name in _ABOVE if values.get(name)), "")
        for _, values in rows
    }


def _below(own: str, rows: Sequence[Row], parents: Mapping[str, str]) -> Mapping[str, list[str]]:
    """What hangs on it or on that, without what has an explanation of its own."""
    held = {own}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for table, values in rows:  # what is hung on comes first
        if table not in HEADS and parents[values["id"]] in held:
            held.add(values["id"])
            found[table].append(values["id"])
    return dict(found)
