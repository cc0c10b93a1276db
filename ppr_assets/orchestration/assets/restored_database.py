"""The asset ``restored_database``: a database that holds a published dump again, compared.

The defaults hurt nobody: without a target, the dump goes to ``<POSTGRES_DB>_restored``. The
database that serves is replaced only when it is named, and is kept under another name then.
"""

import os
from collections.abc import Iterator
from time import monotonic
from typing import Any

import dagster as dg
from pydantic import Field

from ppr_assets.deadline import Deadline
from ppr_assets.errors import SettingsError
from ppr_assets.operations.restoring.load_and_compare import rows_in_words
from ppr_assets.operations.restoring.loading import MINUTES, limit_seconds
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.operations.restoring.serving.guarding import guard_of
from ppr_assets.operations.restoring.serving.ordinary import require_not_storage
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.orchestration.assets.data_repo_commit import data_repo_commit
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures
from ppr_assets.orchestration.metadata import Metadata
from ppr_assets.orchestration.resources import decided, record_override, signed
from ppr_assets.orchestration.restore_facts import (
    MISMATCH,
    data_version,
    restore_facts,
    rows_differ,
    rows_match,
    rows_matched,
    target_facts,
)
from ppr_assets.settings import DatabaseSettings, Settings

SUFFIX = "_restored"
"""Makes of POSTGRES_DB the database that a restore fills when nobody says where to."""


class RestoreConfig(dg.Config):
    """Which dump goes where. As it stands, nothing that anybody uses is touched."""

    dump: str = Field(
        default="",
        description="The dump's name, such as pantry_pirate_radio_2026-11-22_02-00-00.sql. Leave "
        "empty for the latest.",
    )
    target: str = Field(
        default="",
        description="The database to fill. Leave empty for a separate one, POSTGRES_DB with "
        f"{SUFFIX} after it. To replace the one that serves, give its name; it is kept as "
        "NAME_before_DATE.",
    )
    disconnect: bool = Field(
        default=False,
        description="End the sessions of whoever uses the target, at the swap. "
        "Without it, a database in use is left alone, and the run says who uses it.",
    )
    grants_from_former: bool = Field(
        default=False,
        description="Give roles again, before the swap, what they may do with the objects of "
        "the database that is replaced; no dump holds that.",
    )
    override: str = Field(
        default="",
        description="Why a database may be replaced by one that has far fewer records. Leave empty "
        "to have such a dump refused. The reason stands in the run's tags and in the comment of "
        "the former database.",
    )
    accept_differences: str = Field(
        default="",
        description="Why a database may be put in place whose objects are defined otherwise than "
        "in the dump, or that lacks some; other rows or fewer tables are refused all the same. "
        "Leave empty to have such a one refused. What was taken stands in the run's metadata and "
        "in the database's own comment.",
    )
    by: str = Field(
        default="",
        description="Your name: it is recorded beside a reason, which needs one, and in the "
        "comment of a database that is replaced.",
    )
    deadline_seconds: float = Field(
        default=0.0,
        ge=0,
        description="Give up after so many seconds; whatever served before still does then. "
        f"0: what is promised, {MINUTES} minutes, or {MINUTES} minutes for each gigabyte of the "
        "dump.",
    )


@dg.asset(
    deps=[data_repo_commit],
    check_specs=[rows_match("restored_database")],
    group_name="restore",
    kinds={"postgres"},
    owners=OWNERS,
    pool="database",
    hooks={checks_not_looked_at},
    description="A database that holds a published dump again, compared with it row by row before "
    "anybody sees it. Unless told otherwise it stands beside the one that serves. A database that "
    "it replaces serves until then, and is kept under another name.",
)
def restored_database(
    context: dg.AssetExecutionContext, config: RestoreConfig, settings: dg.ResourceParam[Settings]
) -> Iterator[Any]:
    with expected_failures(settings):
        try:
            outcome, facts = _restored(settings, config)
        except MISMATCH as error:
            yield rows_differ(error)
            raise
    record_override(context, outcome.override)
    context.log.info(
        f"database {outcome.database} holds {outcome.dump}: "
        f"{rows_in_words(outcome.tables, outcome.uncompared)}"
    )
    yield rows_matched(outcome)
    yield dg.MaterializeResult(data_version=data_version(outcome.manifest), metadata=facts)


def _restored(settings: Settings, config: RestoreConfig) -> tuple[RestoreOutcome, Metadata]:
    started = monotonic()
    target = restore_target(settings, config.target.strip())
    serves = target.dbname == settings.database.dbname
    override = decided("override", config.override, config.by)
    accept = decided("accept_differences", config.accept_differences, config.by)
    terms = Terms(
        guard_of(signed(settings, config.by).dump, for_service=serves, override=override),
        disconnect=config.disconnect,
        grants=config.grants_from_former,
        accept=accept,
    )
    with found_dump(settings.data_repo, Wanted(dump=_name(config.dump.strip()))) as found:
        fetched = monotonic() - started
        deadline = Deadline(config.deadline_seconds or limit_seconds(found), since=started)
        outcome = restore(target, found, terms, deadline=deadline)
        seconds = monotonic() - started
        facts = restore_facts(outcome, found.remarks, fetched=fetched, seconds=seconds)
    return outcome, target_facts(outcome) | facts


def restore_target(settings: Settings, name: str, *, suffix: str = SUFFIX) -> DatabaseSettings:
    """The database of this name, or the separate one; with TESTING always the one for tests."""
    target = settings.restore_target(name or f"{settings.database.dbname}{suffix}")
    require_not_storage(target, settings.dagster_postgres_url)
    return target


def _name(dump: str) -> str | None:
    """A name and no path: what is restored here has been published in the data repository."""
    if os.sep in dump:
        raise SettingsError(
            f"`dump` is `{dump}`, must be the name of a dump in the data repository",
            hint="`ppr-assets list` names them; `ppr-assets restore` takes files as well.",
        )
    return dump or None
