"""The asset ``replayed_database``: a database that holds what the published records tell, where
there is no dump to be restored.

The defaults hurt nobody: without a target, the records go to ``<POSTGRES_DB>_replayed``. A database
that holds records is replaced only when it is named and the run says so, and is kept then.
"""

import warnings
from collections.abc import Iterator
from decimal import Decimal
from time import monotonic
from typing import Any

import dagster as dg
from msgspec.structs import replace
from pydantic import Field

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.errors import FilesUnaccounted, GateRefused
from ppr_assets.operations.publishing.gate import mark_at, policy
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.operations.replaying.gathered import Accounts
from ppr_assets.operations.replaying.input import opened_input
from ppr_assets.operations.replaying.published_files import Selection
from ppr_assets.operations.replaying.rebuild import rebuild
from ppr_assets.operations.replaying.terms import RebuildOutcome, RebuildTerms
from ppr_assets.operations.restoring.serving.guarding import guard_of
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.orchestration.assets.restored_database import restore_target
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures
from ppr_assets.orchestration.metadata import gate_facts
from ppr_assets.orchestration.published_days import DAYS, PUBLISHED_DAY
from ppr_assets.orchestration.replay_facts import accounted_files, published_days, replay_facts
from ppr_assets.orchestration.resources import decided, record_override, signed
from ppr_assets.rules.gate.ratchet import Verdict, judge
from ppr_assets.rules.gate.replacement import Guard
from ppr_assets.rules.wording import few
from ppr_assets.settings import Settings

SUFFIX = "_replayed"
"""Makes of POSTGRES_DB the database that a replay fills when nobody says where to."""

ACCOUNTED_FOR = dg.AssetCheckSpec(
    "accounted_for",
    asset="replayed_database",
    blocking=True,
    description="Every file that was to be read has ended as exactly one of loaded, empty, "
    "rejected. Where one has not, nothing was loaded.",
)
GATE = dg.AssetCheckSpec(
    "gate_held",
    asset="replayed_database",
    description="A dump of the database would be published: it holds as many records as the floor "
    "and the highest count ever published ask for. Of a few days alone it does not.",
)


class ReplayConfig(dg.Config):
    """Where the records of the chosen days go. As it stands, nothing that anybody uses is
    touched."""

    target: str = Field(
        default="",
        description="The database to fill. Leave empty for a separate one, POSTGRES_DB with "
        f"{SUFFIX} after it, which each replay makes anew.",
    )
    replace: bool = Field(
        default=False,
        description="Put the result in the place of a target that holds records; it is kept as "
        "NAME_before_DATE. Without it, such a target is left alone.",
    )
    schema_of: str = Field(
        default="",
        description="The dump whose tables are made, `latest` or a name; its rows are not taken. "
        "Leave empty for the latest, and for those of a named database that is there.",
    )
    scraper: str = Field(
        default="", description="Only what this scraper has published. Leave empty for all."
    )
    disconnect: bool = Field(
        default=False,
        description="End the sessions of whoever uses the target, at the swap. "
        "Without it, a database in use is left alone, and the run says who uses it.",
    )
    override: str = Field(
        default="",
        description="Why a database may be replaced by one that has far fewer records. Leave empty "
        "to have that refused. The reason stands in the run's tags and in the comment of the "
        "former database.",
    )
    by: str = Field(
        default="",
        description="Your name, with a reason: it is recorded beside it.",
    )


warnings.filterwarnings("ignore", ".*`backfill_policy`", dg.BetaWarning)  # pinned, and tested


@dg.asset(
    deps=[PUBLISHED_DAY],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[ACCOUNTED_FOR, GATE],
    group_name="restore",
    kinds={"postgres"},
    owners=OWNERS,
    pool="database",
    hooks={checks_not_looked_at},
    description="A database rebuilt from the records that were published on the chosen days, where "
    "no dump can be restored. It holds those days alone, and not what people have corrected since. "
    "Unless told otherwise it stands beside the one that serves.",
)
def replayed_database(
    context: dg.AssetExecutionContext,
    config: ReplayConfig,
    settings: dg.ResourceParam[Settings],
    data_repo: dg.ResourceParam[DataRepoOfRun],
) -> Iterator[Any]:
    with expected_failures(settings):
        started = monotonic()
        repo = data_repo.opened()
        mark = mark_at(repo, judged_tip(repo))  # what fails here fails before anything is made
        try:
            outcome = _replayed(settings, config, _chosen_days(context, settings))
        except (FilesUnaccounted, GateRefused) as error:
            yield _refused(error)
            raise
    record_override(context, outcome.override)
    accounts, origin = outcome.replayed.accounts, outcome.replayed.origin
    context.log.info(f"database {outcome.database} holds what {accounts} of {origin} tell")
    for day in published_days(outcome):
        context.log_event(day)
    _tell_of_days(context, accounts)
    yield dg.AssetCheckResult(
        check_name=ACCOUNTED_FOR.name, passed=accounts.accounted, metadata=accounted_files(accounts)
    )
    verdict = judge(outcome.counts, mark, policy(settings.dump))
    alone = not config.target.strip() or outcome.override is not None
    yield _judged(verdict, warn=alone)
    yield dg.MaterializeResult(metadata=replay_facts(outcome, monotonic() - started))


def _chosen_days(context: dg.AssetExecutionContext, settings: Settings) -> Selection:
    """Those of the run; without any, the last ones that each scraper has."""
    if not context.has_partition_key_range and not context.has_partition_key:
        return Selection(settings.db_init_days_to_sync)
    chosen = context.partition_key_range
    return Selection(since=chosen.start, until=chosen.end)


def _replayed(settings: Settings, config: ReplayConfig, days: Selection) -> RebuildOutcome:
    name, scraper = config.target.strip(), config.scraper.strip()
    target = restore_target(settings, name, suffix=SUFFIX)
    dump = config.schema_of.strip() or ("" if name else "latest")
    terms = RebuildTerms(
        replace=config.replace or not name,
        schema=Wanted(dump=None if dump == "latest" else dump) if dump else None,
        disconnect=config.disconnect,
        guard=_guard(settings, config) if name else _of_nobody(settings),
    )
    chosen = Selection(days.days, days.since, days.until, [scraper] if scraper else [])
    with opened_input(settings.data_repo, (), Wanted(), chosen) as given:
        return rebuild(settings, target, given, terms)


def _guard(settings: Settings, config: ReplayConfig) -> Guard:
    override = decided("override", config.override, config.by)
    return guard_of(signed(settings, config.by).dump, for_service=True, override=override)


def _of_nobody(settings: Settings) -> Guard:
    """In the separate database a few days may follow many; the former one is kept."""
    return Guard(replace(policy(settings.dump), min_records=1, percentage=Decimal("0.0001")))


def _refused(error: FilesUnaccounted | GateRefused) -> dg.AssetCheckResult:
    """The check that failed; nothing was put anywhere."""
    check = ACCOUNTED_FOR if isinstance(error, FilesUnaccounted) else GATE
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=False,
        description=error.message,
        metadata={"exit_code": error.exit_code},
    )


def _judged(verdict: Verdict, *, warn: bool) -> dg.AssetCheckResult:
    """A warning of the separate database, which a few days may fill, and where somebody has let it
    pass; an error of a database that was named, from which the next night would not publish."""
    return dg.AssetCheckResult(
        check_name=GATE.name,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN if warn else dg.AssetCheckSeverity.ERROR,
        description=None if verdict.passed else f"a dump would not be published: {verdict.message}",
        metadata=dict(gate_facts(verdict)),
    )


def _tell_of_days(context: dg.AssetExecutionContext, accounts: Accounts) -> None:
    """How many files each day of the run had: Dagster marks all of them as done, those too on
    which nothing was published."""
    if not (context.has_partition_key_range or context.has_partition_key):
        return
    files = accounts.by_day
    empty = [day for day in context.partition_keys if not files[day]]
    for day in context.partition_keys:
        context.add_asset_metadata({"day/files": files[day]}, partition_key=day)
    if empty:
        context.log.warning(f"nothing was published on {few(empty, 5)}")
