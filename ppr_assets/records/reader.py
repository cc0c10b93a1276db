"""One published file's bytes become its outcome."""

from __future__ import annotations

from ppr_assets.records.drafts import TooMany
from ppr_assets.records.job_file import NotAJob, read_job
from ppr_assets.records.outcome import Loaded, NothingToLoad, Outcome, Rejected
from ppr_assets.records.reading import Reading
from ppr_assets.records.result_text import RefusedResult, Unreadable, read_result
from ppr_assets.records.shapes import organizations


def read_file(data: bytes) -> Outcome:
    """What a published file tells of. Whatever the bytes are, there is an outcome; nothing is
    raised for what they hold."""
    try:
        job, result, error = read_job(data)
    except NotAJob as wrong:
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
