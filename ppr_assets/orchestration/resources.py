"""What the assets are given: settings, data repository, and a human's decision to pass the gate.

The settings are handed over as one object, read from the environment once; it shows no secret,
and nothing of it enters a run's config. The data repository is opened by the step that first asks
for it, and closed with the run. Assets and checks do not belong here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.settings import DataRepoSettings, Settings


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


def launchpad_config(console_level: str | None = None) -> dg.ConfigMapping:
    """Let the Launchpad of a job take ``override: {reason: "…"}`` without Dagster's nesting.

    ``console_level`` is how much of Dagster's log goes to the console (None: Dagster's default).
    """
    console = {"console": {"config": {"log_level": console_level}}} if console_level else {}

    def mapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
        given = dict(value.get("override", {}))
        return {"resources": {"override": {"config": given}}, "loggers": console}

    return dg.ConfigMapping(
        config_fn=mapped,
        config_schema={
            "override": dg.Field(
                {
                    "reason": dg.Field(
                        str,
                        default_value="",
                        description=Override.model_fields["reason"].description,
                    )
                },
                is_required=False,
                description="Pass a refused gate once. The reason is recorded for everybody.",
            )
        },
    )


def data_repo_of_run(settings: DataRepoSettings) -> dg.ResourceDefinition:
    def of_run(_: dg.InitResourceContext) -> Iterator[DataRepoOfRun]:
        with DataRepoOfRun(settings) as data_repo:
            yield data_repo

    return dg.ResourceDefinition(of_run)


def resources(settings: Settings) -> dict[str, Any]:
    return {
        "settings": dg.ResourceDefinition.hardcoded_resource(settings),
        "data_repo": data_repo_of_run(settings.data_repo),
        "override": Override.configure_at_launch(),
    }
