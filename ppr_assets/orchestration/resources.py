"""What the assets are given: the settings, and a human's decision to pass a refused gate.

The settings are handed over as one object, read from the environment once; it shows no secret,
and nothing of it enters a run's config. Assets and checks do not belong here.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from ppr_assets.settings import Settings


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


def resources(settings: Settings) -> dict[str, Any]:
    return {
        "settings": dg.ResourceDefinition.hardcoded_resource(settings),
        "override": Override.configure_at_launch(),
    }
