"""The asset ``off_site_copy``: what was published, at places outside git as well."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import dagster as dg

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.operations.copying.outcome import CopyOutcome
from ppr_assets.operations.night import Night
from ppr_assets.orchestration.assets.data_repo_commit import data_repo_commit
from ppr_assets.orchestration.assets.tables import OWNERS
from ppr_assets.orchestration.failures import checks_not_looked_at, expected_failures, failure
from ppr_assets.orchestration.metadata import Metadata, table
from ppr_assets.settings import Settings

COPY_VERIFIED = dg.AssetCheckSpec(
    "copy_verified",
    asset="off_site_copy",
    description="Each place of PPR_COPY_URLS has every dump that its keep rules keep, and what was "
    "read back has the manifest's SHA-256. A copy that was missing is made again and reported.",
)


@dg.asset(
    deps=[data_repo_commit],
    check_specs=[COPY_VERIFIED],
    group_name="backup",
    kinds={"file"},
    owners=OWNERS,
    pool="data_repo",
    hooks={checks_not_looked_at},
    description="The published dumps with their manifests, mark and policy, compressed, at each "
    "place of PPR_COPY_URLS: what is left when the data repository was deleted or rewritten. "
    "Written once, and read back. A place that fails undoes nothing and stops no other.",
)
def off_site_copy(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    data_repo: dg.ResourceParam[DataRepoOfRun],
    night: dg.ResourceParam[Night],
) -> Iterator[Any]:
    from ppr_assets.operations.copying.copy import copy_published  # for who has places

    started = monotonic()
    with expected_failures(settings, night):
        outcome = copy_published(settings, data_repo.opened())
    night.copied = outcome
    facts = {**_facts(outcome), "seconds": dg.MetadataValue.float(monotonic() - started)}
    yield dg.AssetCheckResult(
        check_name=COPY_VERIFIED.name,
        passed=not outcome.failed,
        description="\n".join(_problems(outcome)) or None,
        metadata={"places": _table(outcome)},
    )
    if (failed := outcome.error()) is not None:
        context.log_event(dg.AssetObservation(asset_key=context.asset_key, metadata=facts))
        raise failure(failed, night)
    yield dg.MaterializeResult(metadata=facts)


def _problems(outcome: CopyOutcome) -> Iterator[str]:
    for place in outcome.failed:
        yield from (problem.message for problem in place.problems)
        if place.failure is not None:
            yield place.failure.message


def _facts(outcome: CopyOutcome) -> Metadata:
    remarks = [remark for place in outcome.places for remark in place.remarks]
    facts: Metadata = {
        "places": _table(outcome),
        "copied": dg.MetadataValue.int(sum(len(place.copied) for place in outcome.places)),
        "copied_bytes": dg.MetadataValue.int(sum(place.bytes for place in outcome.places)),
    }
    return facts | ({"remarks": dg.MetadataValue.text("\n".join(remarks))} if remarks else {})


def _table(outcome: CopyOutcome) -> dg.TableMetadataValue:
    """A row for each place; the newest copy there is what a restore from it would bring."""
    columns = {
        "place": "string",
        "verified": "bool",
        "newest": "string",
        **dict.fromkeys(("kept", "copied", "read_back", "retired"), "int"),
    }
    rows = (
        (
            place.place,
            place.verified,
            max(place.kept, default=""),
            len(place.kept),
            len(place.copied),
            len(place.read),
            len(place.retired),
        )
        for place in outcome.places
    )
    return table(columns, rows)
