"""One published file's bytes become its outcome: exactly one of loaded, nothing to load, rejected.

Its envelope is read here: job, scraper, moment, and the result, which is looked into elsewhere. The
prompt is stepped over.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from ppr_assets.records.drafts import TooMany
from ppr_assets.records.json_text import MOST_BYTES, why_not
from ppr_assets.records.reading import Reading
from ppr_assets.records.result_text import RefusedResult, Unreadable, read_result
from ppr_assets.records.shapes import organizations
from ppr_assets.rules.replay.record import Organization

_RESULT_KEY = b'"result"'


class Job(Struct, frozen=True, array_like=True):
    """Who told it, and when."""

    job_id: str
    scraper: str | None
    """None where the file does not name its scraper, or calls it unknown."""
    created_at: str
    """``YYYY-MM-DD HH:MM:SS[.ffffff]``, in UTC where the file has a zone, so that it sorts."""
    content_hash: str | None = None

    @property
    def day(self) -> str:
        return self.created_at[:10]


class Loaded(Struct, frozen=True, array_like=True, tag=True):
    job: Job
    organizations: tuple[Organization, ...]
    was_truncated: bool = False
    """The model's answer was cut off and closed again: locations may be missing."""
    without_place: Mapping[str, int] = field(default_factory=dict)
    """What has no place in the schema, or could not be read, by name: ``location.walk_in``."""


class NothingToLoad(Struct, frozen=True, array_like=True, tag=True):
    reason: str
    job: Job | None = None


class Rejected(Struct, frozen=True, array_like=True, tag=True):
    reason: str
    json_path: str = "$"
    job: Job | None = None


Outcome = Loaded | NothingToLoad | Rejected


def read_file(data: bytes) -> Outcome:
    """What a published file tells of. Whatever the bytes are, there is an outcome; nothing is
    raised for what they hold."""
    try:
        job, result, error = _read_job(data)
    except _NotAJob as wrong:
        return Rejected(str(wrong), wrong.json_path)
    try:
        told = read_result(result)
    except RefusedResult as refused:
        return NothingToLoad("a job that failed" if error else str(refused), job)
    except Unreadable as wrong:
        return Rejected(str(wrong), wrong.json_path, job)
    reading = Reading()
    for key in told.repeated:
        reading.lose(f"{key} that stood more than once")
    try:
        found = organizations(reading, told.value, told.path)
    except TooMany as wrong:
        return Rejected(str(wrong), told.path, job)
    if not found:
        return NothingToLoad("no organization in the result", job)
    return Loaded(job, tuple(found), told.was_truncated, dict(reading.without_place))


class _Metadata(Struct):
    scraper_id: str | None = None
    content_hash: Any = None


class _Job(Struct):
    created_at: str
    metadata: _Metadata | None = None


class _File(Struct):
    job_id: str | int
    job: _Job
    result: Any = msgspec.UNSET
    error: Any = None


_files = msgspec.json.Decoder(_File)


class _NotAJob(ValueError):
    """The file is no job that can be read: why, and the JSON path of it."""

    def __init__(self, reason: str, json_path: str = "$") -> None:
        super().__init__(reason)
        self.json_path = json_path


def _read_job(data: bytes) -> tuple[Job, Any, Any]:
    """Job, result and error of a file. Raises ``_NotAJob``."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if len(data) > MOST_BYTES:
        raise _NotAJob(f"too large: {len(data):,} bytes, at most {MOST_BYTES:,} are read")
    if not data.strip():
        raise _NotAJob("an empty file")
    if data.rfind(_RESULT_KEY, 0, max(data.rfind(_RESULT_KEY), 0)) >= 0:
        _refuse_two_results(data)
    try:
        file = _files.decode(data)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        raise _NotAJob(f"not a job: {reason}", path.rstrip("`") or "$") from error
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise _NotAJob(why_not(data)) from error
    if file.result is msgspec.UNSET:
        raise _NotAJob("a job without a result")
    return _job(file), file.result, file.error


def _job(file: _File) -> Job:
    metadata = file.job.metadata or _Metadata()
    scraper = (metadata.scraper_id or "").strip()
    if "\0" in f"{file.job_id}{scraper}":
        raise _NotAJob("a NUL character", "$.job")
    return Job(
        job_id=str(file.job_id),
        scraper=None if scraper.lower() in ("", "unknown") else scraper,
        created_at=_sortable(file.job.created_at),
        content_hash=metadata.content_hash if isinstance(metadata.content_hash, str) else None,
    )


def _sortable(created_at: str) -> str:
    try:
        moment = datetime.fromisoformat(created_at.strip())
    except ValueError:
        raise _NotAJob("not a moment", "$.job.created_at") from None
    if moment.tzinfo:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise _NotAJob("not a moment", "$.job.created_at") from None
    return moment.isoformat(sep=" ")


def _refuse_two_results(data: bytes) -> None:
    """A reader keeps the last of two equal keys, and nobody knows which one was meant."""
    try:
        top = json.loads(data, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return  # the reader itself says why
    if sum(pair[0] == "result" for pair in top if isinstance(pair, tuple)) > 1:
        raise _NotAJob("the key `result` more than once", "$.result")
