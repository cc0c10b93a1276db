"""The envelope of a published file: job, scraper, moment and the result, which is looked into
elsewhere. The prompt is stepped over."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from ppr_assets.records.json_text import MOST_BYTES, why_not
from ppr_assets.records.outcome import Job

_RESULT_KEY = b'"result"'


class _Metadata(msgspec.Struct):
    scraper_id: str | None = None
    content_hash: Any = None


class _Job(msgspec.Struct):
    created_at: str
    metadata: _Metadata | None = None


class _File(msgspec.Struct):
    job_id: str | int
    job: _Job
    result: Any = msgspec.UNSET
    error: Any = None


_files = msgspec.json.Decoder(_File)


class NotAJob(ValueError):
    """The file is no job that can be read: why, and the JSON path of it."""

    def __init__(self, reason: str, json_path: str = "$") -> None:
        super().__init__(reason)
        self.json_path = json_path


def read_job(data: bytes) -> tuple[Job, Any, Any]:
    """Job, result and error of a file. Raises ``NotAJob``."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if len(data) > MOST_BYTES:
        raise NotAJob(f"too large: {len(data):,} bytes, at most {MOST_BYTES:,} are read")
    if not data.strip():
        raise NotAJob("an empty file")
    if data.rfind(_RESULT_KEY, 0, max(data.rfind(_RESULT_KEY), 0)) >= 0:
        _refuse_two_results(data)
    try:
        file = _files.decode(data)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        raise NotAJob(f"not a job: {reason}", path.rstrip("`") or "$") from error
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise NotAJob(why_not(data)) from error
    if file.result is msgspec.UNSET:
        raise NotAJob("a job without a result")
    return _job(file), file.result, file.error


def _job(file: _File) -> Job:
    metadata = file.job.metadata or _Metadata()
    scraper = (metadata.scraper_id or "").strip()
    if "\0" in f"{file.job_id}{scraper}":
        raise NotAJob("a NUL character", "$.job")
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
        raise NotAJob("not a moment", "$.job.created_at") from None
    if moment.tzinfo:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise NotAJob("not a moment", "$.job.created_at") from None
    return moment.isoformat(sep=" ")


def _refuse_two_results(data: bytes) -> None:
    """A reader keeps the last of two equal keys, and nobody knows which one was meant."""
    try:
        top = json.loads(data, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return  # the reader itself says why
    if sum(pair[0] == "result" for pair in top if isinstance(pair, tuple)) > 1:
        raise NotAJob("the key `result` more than once", "$.result")
