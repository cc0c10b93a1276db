"""What the assets are given: settings, data repository, and a human's decision to pass the gate.

The settings are handed over as one object, read from the environment once; it shows no secret,
and nothing of it enters a run's config. The data repository is opened by the step that first asks
for it, and closed with the run. Assets and checks do not belong here.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.operations.night import Night
from ppr_assets.rules.gate import ratchet
from ppr_assets.settings import DataRepoSettings, Settings

OVERRIDE_TAG = "ppr_assets/override"
"""By which an auditor finds the runs that passed a refused gate."""


class Override(dg.ConfigurableResource[None]):
    """The recorded decision to publish a dump that the gate refuses, for one run only."""

    reason: str = Field(
        default="",
        description="Why a refused dump is to be published this once. Who reads the data "
        "repository will read this sentence. Leave empty to respect the gate.",
    )

    @property
    def given(self) -> str | None:
        return self.reason.strip() or None


def record_override(context: dg.AssetExecutionContext, override: ratchet.Override | None) -> None:
    """Tag the run with the reason; the Runs page can filter by it."""
    if override is not None:
        context.instance.add_run_tags(
            context.run.run_id, {OVERRIDE_TAG: f"{override.source}: {override.reason}"}
        )
        context.log.warning(f"gate overridden ({override.source}): {override.reason}")


def _data_repo_of_run(settings: DataRepoSettings) -> dg.ResourceDefinition:
    def of_run(_: dg.InitResourceContext) -> Iterator[DataRepoOfRun]:
        with DataRepoOfRun(settings) as data_repo:
            yield data_repo

    return dg.ResourceDefinition(of_run)


def resources(settings: Settings, night: Night | None = None) -> dict[str, Any]:
    """``night`` is where the steps of a run note what they come to, for who runs it in this
    process; without one, each run has its own."""
    return {
        "settings": dg.ResourceDefinition.hardcoded_resource(settings),
        "data_repo": _data_repo_of_run(settings.data_repo),
        "override": Override.configure_at_launch(),
        "night": dg.ResourceDefinition(
            lambda context: night or Night(context.run.run_id if context.run else ""),
            description="What the steps of this run come to, for the command line.",
        ),
    }
