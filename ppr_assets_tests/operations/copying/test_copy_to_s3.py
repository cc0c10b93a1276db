"""Copies in a bucket, on a real S3 server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ppr_assets.copies.contents import contents, open_place
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import CopyFailed, GateRefused
from ppr_assets.operations.audit.selection import Scope
from ppr_assets.operations.audit.walk import audit
from ppr_assets.operations.copying.copy import copy_published
from ppr_assets.operations.copying.rebuild import rebuild
from ppr_assets.rules.naming import copy_name, manifest_name
from ppr_assets.settings import DataRepoSettings, Settings
from ppr_assets_tests.fix_copies import CopyWorld, dump_of
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_s3 import KEY, SECRET, S3Server

FIRST, SECOND = map(dump_of, (1, 2))
NO_OTHERS = {f"PPR_COPY_KEEP_{rule}": "0" for rule in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")}


def test_copies_go_to_a_bucket_once_and_are_read_back(
    copy_world: CopyWorld, s3_server: S3Server
) -> None:
    bucket = s3_server.bucket()
    copy_world.name(s3_server.url(bucket))
    outcome = copy_world.copied()
    assert (outcome.place, outcome.kept, outcome.verified) == (
        f"s3://{bucket}/nightly",
        [FIRST, SECOND],
        True,
    )
    (url,) = copy_world.settings.data_repo.copies.urls
    place = open_place(url)
    there = contents(place)
    for dump in (FIRST, SECOND):
        assert b"".join(there.chunks(dump)).decode() == copy_world.texts[dump]
    assert place.put_new(copy_name(FIRST), b"another") is False
    assert copy_world.copied().verified

    place.remove(copy_name(FIRST))
    place.put_new(copy_name(FIRST), b"another")
    (problem,) = copy_world.copied().problems
    assert copy_name(FIRST) in problem.message

    copy_world.name(s3_server.url(bucket), PPR_COPY_KEEP_LAST="1", **NO_OTHERS)
    assert copy_world.copied().retired == [FIRST]
    assert manifest_name(FIRST) not in contents(place).objects


def test_a_bucket_with_object_lock_keeps_what_is_retired_and_what_is_removed(
    copy_world: CopyWorld, s3_server: S3Server
) -> None:
    bucket = s3_server.bucket(locked=True)
    copy_world.name(s3_server.url(bucket))
    assert copy_world.copied().verified
    copy_world.name(s3_server.url(bucket), PPR_COPY_KEEP_LAST="1", **NO_OTHERS)
    assert copy_world.copied().retired == [FIRST]
    listed = s3_server.ask("GET", f"/{bucket}", "list-type=2").decode()
    versions = s3_server.ask("GET", f"/{bucket}", "versions=").decode()
    assert copy_name(FIRST) not in listed
    assert versions.count(f"<Key>nightly/{copy_name(FIRST)}</Key>") == 2, "a mark, and the object"


def test_no_key_is_shown_or_written_anywhere(
    copy_world: CopyWorld,
    s3_server: S3Server,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    wrong = s3_server.url(s3_server.bucket(), secret="another-secret")
    gone = "s3://nobody:a-third-secret@bucket/nightly?endpoint=http://127.0.0.1:9&region=x"
    copy_world.name(s3_server.url(s3_server.bucket()), wrong, gone)
    outcome = copy_world.copy()
    assert [isinstance(one.failure, CopyFailed) for one in outcome.places] == [False, True, True]
    error = outcome.error()
    assert error is not None and "(SignatureDoesNotMatch)" in error.message
    assert error.hint == (
        "look at the keys and what they may do there: list, read, write, and delete for the keep "
        "rules."
    )
    told = "".join(capfd.readouterr()) + repr(outcome) + repr(copy_world.settings)
    told += "".join(one.failure.render() for one in outcome.places if one.failure)
    told += (copy_world.settings.data_repo.path / ".git/ppr_assets/copies.json").read_text()
    (url, *_) = copy_world.settings.data_repo.copies.urls
    there = contents(open_place(url))
    told += json.dumps([there.data(name).decode() for name in there.objects if "json" in name])
    assert [one for one in (KEY, SECRET, "another-secret", "third-secret") if one in told] == []


def audited(settings: DataRepoSettings) -> list[tuple[str, tuple[str, ...]]]:
    found = audit(settings, Scope(every=True))
    return [(one.dump or one.commit.subject, tuple(one.findings)) for one in found]


def test_real_nights_come_back_from_a_bucket_for_an_audit_and_for_the_next_night(
    pipeline: Pipeline, s3_server: S3Server
) -> None:
    pipeline.variables["PPR_COPY_URLS"] = s3_server.url(s3_server.bucket(locked=True))
    settings = Settings.from_environment(pipeline.variables, dotenv=None)
    pipeline.settings = settings
    pipeline.night()
    pipeline.lose_a_third()
    pipeline.night(override_reason="closed county, ticket 214")
    with open_data_repo(settings.data_repo) as repo:
        assert copy_published(settings, repo).error() is None
    before = audited(settings.data_repo)
    assert len(before) == 2

    shutil.rmtree(pipeline.clone)
    shutil.rmtree(pipeline.remote)
    git(pipeline.remote.parent, "init", "-q", "--bare", "-b", "main", str(pipeline.remote))
    (url,) = settings.data_repo.copies.urls
    outcome = rebuild(settings, url)
    assert outcome.delivery.pushed and len(outcome.dumps) == 2
    assert audited(settings.data_repo) == before
    assert pipeline.mark()["max_record_count"] == 200
    with pytest.raises(GateRefused, match="at least 180 needed"):
        pipeline.night()
    with open_data_repo(settings.data_repo) as repo:
        (again,) = copy_published(settings, repo).places
    assert (again.copied, again.verified) == ([], True)
